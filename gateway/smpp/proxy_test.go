package smpp

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rempart/gateway"
	"rempart/gateway/smpp/pdu"
	"rempart/message"
)

// Every action, as the client, the message centre and a text's recipient see it.
func TestActions(t *testing.T) {
	for _, tt := range []struct {
		action  message.Action
		status  pdu.Status
		relayed bool
	}{
		{message.Accept, pdu.OK, true},
		{message.Tag, pdu.OK, true},
		{message.Quarantine, pdu.OK, true},
		{message.Reject, pdu.SubmitFailed, false},
		{message.Tempfail, pdu.Throttled, false},
		{message.Throttle, pdu.Throttled, false},
		{message.Discard, pdu.OK, false},
		{message.Action(99), pdu.OK, true},
	} {
		for _, id := range []pdu.ID{pdu.SubmitSM, pdu.DataSM} {
			r := newRig(t, always(tt.action), nil)
			c := r.bind()
			sent := pdu.AppendMessage(nil, id, 7, &pdu.Message{Source: pdu.Address{TON: 5, Addr: []byte("ACME")},
				Dest: pdu.Address{TON: 1, NPI: 1, Addr: []byte("447700900001")}, Text: []byte("hello")})
			c.send(sent)
			resp := c.want(id.Resp(), tt.status, 7)
			if tt.status == pdu.OK && len(resp.Body()) < 2 {
				t.Errorf("%s: no message_id in %x", tt.action, resp)
			}
			got := r.smsc.received()
			if (len(got) == 1) != tt.relayed {
				t.Errorf("%s of %#x: the message centre got %d", tt.action, id, len(got))
			}
			if tt.relayed && !bytes.Equal(got[0], sent) {
				t.Errorf("%s of %#x: relayed as %x", tt.action, id, got[0])
			}
		}
	}
}

func TestTagSender(t *testing.T) {
	r := newRig(t, always(message.Tag), func(c *Config) { c.TagSender = "Likely-SCAM" })
	c := r.bind()
	c.send(text(3, "you won"))
	c.want(pdu.SubmitSM.Resp(), pdu.OK, 3)
	m, err := pdu.Parse(r.smsc.received()[0])
	if err != nil || string(m.Source.Addr) != "Likely-SCAM" || m.Source.TON != pdu.Alphanumeric || string(m.Text) != "you won" {
		t.Errorf("%+v, %v", m, err)
	}
}

// In shadow nothing changes whatever is decided, and on_error is accept.
func TestShadow(t *testing.T) {
	for name, judge := range map[string]gateway.Judge{
		"reject": always(message.Reject), "discard": always(message.Discard),
		"no decision": func(context.Context, *message.Message) gateway.Answer { return gateway.Answer{} },
	} {
		r := newRig(t, judge, func(c *Config) { c.Mode, c.TagSender = message.ModeShadow, "Likely-SCAM" })
		c := r.bind()
		c.send(text(3, "you won"))
		c.want(pdu.SubmitSM.Resp(), pdu.OK, 3)
		if got := r.smsc.received(); len(got) != 1 || !bytes.Equal(got[0], text(3, "you won")) {
			t.Errorf("%s: %x", name, got)
		}
	}
}

func TestOnError(t *testing.T) {
	broken := func(context.Context, *message.Message) gateway.Answer { panic("broken") }
	for _, tt := range []struct {
		onError gateway.OnError
		status  pdu.Status
		relayed int
	}{{gateway.OnErrorTempfail, pdu.Throttled, 0}, {gateway.OnErrorAccept, pdu.OK, 1}} {
		r := newRig(t, broken, func(c *Config) { c.OnError = tt.onError })
		c := r.bind()
		c.send(text(3, "hi"))
		c.want(pdu.SubmitSM.Resp(), tt.status, 3)
		if n := len(r.smsc.received()); n != tt.relayed {
			t.Errorf("%s: relayed %d", tt.onError, n)
		}
	}
}

// What the judge is asked.
func TestMessage(t *testing.T) {
	asked := make(chan *message.Message, 1)
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		asked <- m
		return always(message.Accept)(ctx, m)
	}, func(c *Config) { c.Direction = message.Out })
	c := r.bind()
	c.send(pdu.AppendMessage(nil, pdu.SubmitSM, 2, &pdu.Message{Source: pdu.Address{TON: 5, Addr: []byte("ACME")},
		Dest: pdu.Address{TON: 1, NPI: 1, Addr: []byte("447700900001")}, DataCoding: 8, Text: []byte("\x00H\x00i\x20\x19")}))
	m := <-asked
	c.want(pdu.SubmitSM.Resp(), pdu.OK, 2)
	if m.Text != "Hi\u2019" || m.MailFrom != "ACME" || m.Recipients[0].Address != "+447700900001" || m.SMS.SystemID != "esme1" ||
		m.Account != "esme1" || m.Direction != message.Out || m.Door != "esme" || m.Source.Address.String() != "127.0.0.1" ||
		m.SMS.SenderType != message.SenderAlphanumeric || m.ID == "" || m.Arrived.IsZero() || len(m.Route) != 1 {
		t.Errorf("%+v %+v", m, m.SMS)
	}
}

// Each part of a long text is judged with the parts before it; a link over their border is seen; a part that comes again
// with another content does not hide the first.
func TestParts(t *testing.T) {
	asked := make(chan *message.Message, 1)
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		asked <- m
		return always(message.Accept)(ctx, m)
	}, nil)
	c := r.bind()
	part := func(udh bool, n byte, s string) *pdu.Message {
		m := &pdu.Message{Source: pdu.Address{TON: 5, Addr: []byte("ACME")}, Dest: pdu.Address{TON: 1, NPI: 1, Addr: []byte("447700900001")}, Text: []byte(s)}
		if udh {
			m.ESMClass = pdu.UDHI
			m.Text = append([]byte{5, 0, 3, 9, 2, n}, s...)
		} else {
			m.TLVs = pdu.AppendTLV(pdu.AppendTLV(pdu.AppendTLV(nil, pdu.SARReference, []byte{0, 8}), pdu.SARTotal, []byte{2}), pdu.SARPart, []byte{n})
		}
		return m
	}
	seq := uint32(1)
	for _, udh := range []bool{true, false} {
		for _, tt := range []struct {
			n        byte
			s, want  string
			parts    int
			link     string
			conflict bool
		}{
			{1, "visit https://bad.exa", "visit https://bad.exa", 1, "bad.exa", false},
			{1, "visit us ", "visit https://bad.exavisit us ", 1, "bad.exavisit", true},
			{1, "visit https://bad.exa", "visit us visit https://bad.exa", 1, "bad.exa", true},
			{2, "mple/now", "visit https://bad.example/now", 2, "bad.example", false},
			{2, "mple/now", "mple/now", 1, "", false}, // of a new text: the first is complete
			{1, "good ", "good mple/now", 2, "", false},
		} {
			seq++
			c.send(pdu.AppendMessage(nil, pdu.SubmitSM, seq, part(udh, tt.n, tt.s)))
			m := <-asked
			c.want(pdu.SubmitSM.Resp(), pdu.OK, seq)
			link := ""
			if len(m.Links) > 0 {
				link = m.Links[0].Host
			}
			if m.Text != tt.want || m.Parts != tt.parts || link != tt.link || m.HasAnomaly(PartConflict) != tt.conflict {
				t.Errorf("udh %v, part %d: %q in %d parts, link %q, %v", udh, tt.n, m.Text, m.Parts, link, m.Anomalies)
			}
		}
	}
}

func TestAssemblyIsBounded(t *testing.T) {
	a := newAssembly()
	now := time.Now()
	for i := range 3 * maxPartials {
		a.add(partKey{source: fmt.Sprint(i), total: 2}, 1, "hello", now)
	}
	if len(a.texts) > maxPartials || a.order.Len() != len(a.texts) {
		t.Errorf("%d texts, %d in order", len(a.texts), a.order.Len())
	}
	for i := range 1000 {
		a.add(partKey{dest: fmt.Sprint(i), total: 2}, 1, strings.Repeat("x", 64<<10), now)
	}
	if a.bytes > maxPartialBytes+64<<10 {
		t.Errorf("%d bytes", a.bytes)
	}
	a.add(partKey{total: 2}, 1, "late", now.Add(partialFor))
	if len(a.texts) != 1 || a.bytes != 4 {
		t.Errorf("after their time %d texts, %d bytes", len(a.texts), a.bytes)
	}
}

// submit_multi is judged for all its recipients.
func TestMulti(t *testing.T) {
	asked := make(chan *message.Message, 1)
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		asked <- m
		return always(message.Discard)(ctx, m)
	}, nil)
	c := r.bind()
	b, _ := hex.DecodeString(strings.ReplaceAll("00 0500 41434d4500 02 01 0101 343400 01 0101 343500 000000 0000 00 00 00 00 02 6869", " ", ""))
	c.send(setLength(append(pdu.AppendHeader(nil, pdu.SubmitMulti, 0, 5), b...)))
	m := <-asked
	if len(m.Recipients) != 2 || m.Recipients[1].Address != "+45" || !m.OneAnswer || m.Text != "hi" {
		t.Errorf("%+v", m)
	}
	if u := c.want(pdu.SubmitMulti.Resp(), pdu.OK, 5); u[len(u)-1] != 0 || u[len(u)-2] != 0 || len(u.Body()) < 10 {
		t.Errorf("response %x", u)
	}
}

// A text of the message centre is judged, a receipt never is.
func TestDelivered(t *testing.T) {
	var judged atomic.Int32
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		judged.Add(1)
		if strings.Contains(m.Text, "prize") {
			return always(message.Reject)(ctx, m)
		}
		return always(message.Accept)(ctx, m)
	}, nil)
	c := r.bind()
	mo := func(seq uint32, class byte, s string) []byte {
		return pdu.AppendMessage(nil, pdu.DeliverSM, seq, &pdu.Message{Source: pdu.Address{TON: 1, NPI: 1, Addr: []byte("447700900002")},
			Dest: pdu.Address{Addr: []byte("7726")}, ESMClass: class, Text: []byte(s)})
	}
	r.smsc.deliver(mo(11, 0, "hello"))
	if u := c.want(pdu.DeliverSM, pdu.OK, 11); !bytes.Equal(u, mo(11, 0, "hello")) {
		t.Errorf("delivered as %x", u)
	}
	r.smsc.deliver(mo(12, 0, "your prize"))
	r.smsc.deliver(mo(13, 0x04, "id:1 stat:DELIVRD prize"))
	c.want(pdu.DeliverSM, pdu.OK, 13)
	c.send(pdu.AppendResp(nil, pdu.DeliverSM, 13, ""))
	waitFor(t, "both responses", func() bool { return len(r.smsc.received()) == 2 })
	for _, u := range r.smsc.received() {
		if want := map[uint32]pdu.Status{12: pdu.ReceiverNever, 13: pdu.OK}[u.Sequence()]; u.ID() != pdu.DeliverSM.Resp() || u.Status() != want {
			t.Errorf("%#x status %#x for %d", u.ID(), u.Status(), u.Sequence())
		}
	}
	if judged.Load() != 2 {
		t.Errorf("judged %d times", judged.Load())
	}
}

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain for " + what)
		}
	}
}

// The hostile and awkward inputs, each after a good bind, with what the client sees. After all but the closed ones the
// session still works.
func TestHostile(t *testing.T) {
	submit := func(body string) []byte { // body in hexadecimal behind a right header
		b, err := hex.DecodeString(strings.ReplaceAll(body, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return setLength(append(pdu.AppendHeader(nil, pdu.SubmitSM, 0, 5), b...))
	}
	const addresses = "00 0500 41434d4500 0101 343400 "
	header := func(length uint32, id pdu.ID, n int) []byte {
		b := pdu.AppendHeader(nil, id, 0, 5)
		b[0], b[1], b[2], b[3] = byte(length>>24), byte(length>>16), byte(length>>8), byte(length)
		return b[:n]
	}
	good := text(5, "hello")
	for _, tt := range []struct {
		name    string
		input   []byte
		slowly  bool // one byte a segment
		id      pdu.ID
		status  pdu.Status
		relayed bool // byte for byte
	}{
		{"good, in one-byte segments", good, true, pdu.SubmitSM.Resp(), pdu.OK, true},
		{"command_length 0xFFFFFFFF", header(0xFFFFFFFF, pdu.SubmitSM, 16), false, 0, 0, false},
		{"command_length 0", header(0, pdu.SubmitSM, 16), false, 0, 0, false},
		{"command_length 15", header(15, pdu.SubmitSM, 15), false, 0, 0, false},
		{"submit_sm, header only", header(16, pdu.SubmitSM, 16), false, pdu.SubmitSM.Resp(), pdu.SystemError, false},
		{"submit_sm cut at 30", setLength(bytes.Clone(good[:30])), false, pdu.SubmitSM.Resp(), pdu.SystemError, false},
		{"sm_length past the end", submit(addresses + "000000 00 00 00000000 ff 6869"), false, pdu.SubmitSM.Resp(), pdu.SystemError, false},
		{"TLV length past the end", submit(addresses + "000000 00 00 00000000 02 6869 0424 00ff 61"), false, pdu.SubmitSM.Resp(), pdu.SystemError, false},
		{"TLV cut in its header", submit(addresses + "000000 00 00 00000000 02 6869 0424"), false, pdu.SubmitSM.Resp(), pdu.SystemError, false},
		{"unknown vendor TLV", submit(addresses + "000000 00 00 00000000 02 6869 1403 0003 010203"), false, pdu.SubmitSM.Resp(), pdu.OK, true},
		{"UDH length 200 in 5 bytes, UDHI off", submit(addresses + "000000 00 00 00000000 05 c800010203"), false, pdu.SubmitSM.Resp(), pdu.OK, true},
		{"UDH length 200 in 5 bytes, UDHI on", submit(addresses + "400000 00 00 00000000 05 c800010203"), false, pdu.SubmitSM.Resp(), pdu.OK, true},
		{"unknown command: relayed, the message centre refuses", header(16, 0x10200, 16), false, pdu.GenericNack, pdu.InvalidCmdID, true},
		{"broadcast_sm of 5.0: relayed", header(16, 0x112, 16), false, 0x80000112, pdu.OK, true},
		{"a second bind", pdu.AppendBind(nil, pdu.BindTransceiver, 5, credentials), false, pdu.BindTransceiver.Resp(), pdu.AlreadyBound, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, always(message.Accept), nil)
			c := r.bind()
			if tt.slowly {
				for i := range tt.input {
					c.send(tt.input[i : i+1])
				}
			} else {
				c.send(tt.input)
			}
			if tt.id == 0 {
				// The message centre behind is unbound by us.
				c.wantClosed()
				return
			}
			c.want(tt.id, tt.status, 5)
			if got := r.smsc.received(); tt.relayed != (len(got) == 1 && bytes.Equal(got[0], tt.input)) {
				t.Errorf("the message centre got %x", got)
			}
			c.send(pdu.AppendHeader(nil, pdu.EnquireLink, 0, 6))
			c.want(pdu.EnquireLink.Resp(), pdu.OK, 6)
		})
	}
}

func setLength(b []byte) []byte {
	b[0], b[1], b[2], b[3] = 0, 0, byte(len(b)>>8), byte(len(b))
	return b
}

func TestBeforeTheBind(t *testing.T) {
	r := newRig(t, always(message.Accept), nil)
	c := r.dial()
	c.send(text(1, "too early"))
	c.want(pdu.SubmitSM.Resp(), pdu.InvalidBind, 1)
	c.send(pdu.AppendHeader(nil, pdu.EnquireLink, 0, 2))
	c.want(pdu.EnquireLink.Resp(), pdu.OK, 2)
	for _, b := range pdu.AppendBind(nil, pdu.BindTransmitter, 3, credentials) {
		c.send([]byte{b})
	}
	c.want(pdu.BindTransmitter.Resp(), pdu.OK, 3)

	refused := r.dial()
	refused.send(pdu.AppendBind(nil, pdu.BindTransceiver, 1, pdu.Bind{SystemID: "nobody"}))
	refused.want(pdu.BindTransceiver.Resp(), 0x0E, 1)
	refused.wantClosed()
}

func TestNoMessageCentre(t *testing.T) {
	r := newRig(t, always(message.Accept), nil)
	r.smsc.listener.Close()
	c := r.dial()
	c.send(pdu.AppendBind(nil, pdu.BindTransceiver, 1, credentials))
	c.want(pdu.BindTransceiver.Resp(), pdu.BindFailed, 1)
	c.wantClosed()
}

func TestNextHopsInOrder(t *testing.T) {
	second := newSMSC(t)
	r := newRig(t, always(message.Accept), func(c *Config) {
		c.NextHops = []string{"127.0.0.1:1", second.listener.Addr().String()}
	})
	c := r.bind()
	c.send(text(1, "hi"))
	c.want(pdu.SubmitSM.Resp(), pdu.OK, 1)
	if len(second.received()) != 1 {
		t.Error("the second message centre got nothing")
	}
}

// The message centre crashes: what it has not answered is answered with a code to retry, and the client is unbound.
func TestMessageCentreLost(t *testing.T) {
	r := newRig(t, always(message.Accept), nil)
	r.smsc.silent = true
	c := r.bind()
	c.send(text(5, "hi"))
	waitFor(t, "the text", func() bool { return len(r.smsc.received()) == 1 })
	r.smsc.drop()
	c.want(pdu.SubmitSM.Resp(), pdu.Throttled, 5)
	u := c.want(pdu.Unbind, pdu.OK, 1)
	c.send(text(6, "too late"))
	c.want(pdu.SubmitSM.Resp(), pdu.Throttled, 6)
	c.send(pdu.AppendHeader(nil, pdu.Unbind.Resp(), 0, u.Sequence()))
	c.wantClosed()
}

// A client's unbind waits for what it sent before.
func TestUnbind(t *testing.T) {
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		time.Sleep(50 * time.Millisecond)
		return always(message.Accept)(ctx, m)
	}, nil)
	c := r.bind()
	c.send(append(text(5, "hi"), pdu.AppendHeader(nil, pdu.Unbind, 0, 6)...))
	c.want(pdu.SubmitSM.Resp(), pdu.OK, 5)
	c.want(pdu.Unbind.Resp(), pdu.OK, 6)
	c.wantClosed()
}

// Told to stop, the proxy finishes the text in hand, takes no further one and unbinds.
func TestDrain(t *testing.T) {
	judging, release := make(chan struct{}), make(chan struct{})
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		close(judging)
		<-release
		return always(message.Accept)(ctx, m)
	}, nil)
	c := r.bind()
	c.send(text(5, "in hand"))
	<-judging
	r.stop()
	for seq := uint32(6); ; seq++ { // the news of the stop travels beside our text
		c.send(pdu.AppendHeader(nil, pdu.EnquireLink, 0, seq))
		c.want(pdu.EnquireLink.Resp(), pdu.OK, seq)
		if time.Sleep(time.Millisecond); seq > 20 {
			break
		}
	}
	c.send(text(100, "new"))
	c.want(pdu.SubmitSM.Resp(), pdu.Throttled, 100)
	close(release)
	c.want(pdu.SubmitSM.Resp(), pdu.OK, 5)
	u := c.want(pdu.Unbind, pdu.OK, 1)
	c.send(pdu.AppendHeader(nil, pdu.Unbind.Resp(), 0, u.Sequence()))
	c.wantClosed()
}

// The window is held: one text too many is answered at once, the others when they are judged.
func TestWindow(t *testing.T) {
	release := make(chan struct{})
	r := newRig(t, func(ctx context.Context, m *message.Message) gateway.Answer {
		<-release
		return always(message.Accept)(ctx, m)
	}, func(c *Config) { c.Window = 2 })
	c := r.bind()
	for seq := uint32(1); seq <= 3; seq++ {
		c.send(text(seq, "hi"))
	}
	c.want(pdu.SubmitSM.Resp(), pdu.Throttled, 3)
	close(release)
	seen := map[uint32]bool{}
	for range 2 {
		u, err := c.r.Next()
		if err != nil || u.Status() != pdu.OK {
			t.Fatalf("%v", err)
		}
		seen[u.Sequence()] = true
	}
	if !seen[1] || !seen[2] {
		t.Errorf("answered: %v", seen)
	}
}

func TestCheckNamesTheKey(t *testing.T) {
	err := Config{Door: gateway.Door{Mode: message.ModeTap}, Alphabet: "koi8", TagSender: "much too long", NextHops: []string{"x"}}.Check("gateway.smpp[2]")
	for _, want := range []string{"gateway.smpp[2].name", ".mode", ".alphabet", ".tag_sender", ".next_hops", ".listen"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
