package behaviour

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/message"
)

// call is a set-up as front door and filter complete it.
func call(from, to string, change ...func(*message.Message)) *message.Message {
	m := &message.Message{Channel: message.Call, Direction: message.In, Call: &message.CallInfo{}, Source: message.Source{ID: from}, MailFrom: from,
		Recipients: []message.Recipient{{Address: to}}}
	m.Facts.From = message.Number{E164: from, Country: "GB", Line: message.Mobile, Valid: true}
	m.Facts.To = message.Number{E164: to, Country: "GB", Line: message.Mobile, Valid: true}
	for _, c := range change {
		c(m)
	}
	return m
}

func TestCall(t *testing.T) {
	calling := func(c message.Calling) func(*message.Message) {
		return func(m *message.Message) { m.Facts.Calling = c }
	}
	asserted := func(s string) func(*message.Message) {
		return func(m *message.Message) { m.Call.Asserted = s }
	}
	const anna, ben = "+447700900123", "+447811555666"
	for _, tt := range []struct {
		what   string
		signal func(*message.Message) message.Result
		m      *message.Message
		want   message.Result
	}{
		{"no number", CallerHidden, call("", ben), message.Present(1)},
		{"number", CallerHidden, call(anna, ben), message.Absent},
		{"range not in use", NumberUnassigned, call("+447000000000", ben, func(m *message.Message) { m.Facts.From.Valid = false }), message.Present(1, "+447000000000", "GB")},
		{"range in use", NumberUnassigned, call(anna, ben), message.Absent},
		{"impossible already", NumberUnassigned, call("+4477", ben, func(m *message.Message) { m.Facts.From.Valid = false }), message.Absent},
		{"hotline", NeverOriginates, call(anna, ben, func(m *message.Message) { m.Facts.NeverOriginates = true }), message.Present(1, anna)},
		{"premium", PremiumCaller, call(anna, ben, func(m *message.Message) { m.Facts.From.Line = message.Premium }), message.Present(1, anna, "premium")},
		{"mobile", PremiumCaller, call(anna, ben), message.Absent},
		{"two digits differ", NeighbourNumber, call("+447811555677", ben), message.Present(1, "+447811555677", ben)},
		{"three differ", NeighbourNumber, call("+447811555777", ben), message.Present(0.5, "+447811555777", ben)},
		{"elsewhere", NeighbourNumber, call(anna, ben), message.Absent},
		{"itself", NeighbourNumber, call(ben, ben), message.Absent},
		{"asserted the same", AssertedOther, call(anna, ben, asserted("sip:+447700900123@carrier.example;user=phone")), message.Absent},
		{"asserted in national form", AssertedOther, call(anna, ben, asserted("tel:07700900123")), message.Absent},
		{"asserted other", AssertedOther, call(anna, ben, asserted("tel:+33639980001")), message.Present(1, anna, "tel:+33639980001")},
		{"passport of another", PassportOther, call(anna, ben, func(m *message.Message) { m.Call.Identity = []message.PASSporT{{Orig: "447700900124"}} }), message.Present(1, anna, "447700900124")},
		{"its passport", PassportOther, call(anna, ben, func(m *message.Message) { m.Call.Identity = []message.PASSporT{{Orig: "447700900123"}} }), message.Absent},
		{"scanner", ScannerAgent, call(anna, ben, func(m *message.Message) { m.Call.UserAgent = "friendly-scanner" }), message.Present(1, "friendly-scanner")},
		{"telephone", ScannerAgent, call(anna, ben, func(m *message.Message) { m.Call.UserAgent = "Linphone/5.2" }), message.Absent},
		{"broken", BrokenSignalling, call(anna, ben, func(m *message.Message) { m.Anomalies = []message.Anomaly{{Name: "call_no_from"}, {Name: "x"}} }), message.Present(2, "call_no_from")},
		{"six a minute", CallRate, call(anna, ben, calling(message.Calling{Minute: 6})), message.Absent},
		{"24 a minute", CallRate, call(anna, ben, calling(message.Calling{Minute: 24})), message.Present(2, 24)},
		{"80 callees", ManyCallees, call(anna, ben, calling(message.Calling{Callees: 80})), message.Present(2, 80)},
		{"few calls", FewAnswers, call(anna, ben, calling(message.Calling{Ended: 4})), message.Absent},
		{"never answered", FewAnswers, call(anna, ben, calling(message.Calling{Ended: 40})), message.Present(1, 0, 40)},
		{"often answered", FewAnswers, call(anna, ben, calling(message.Calling{Ended: 40, Answered: 30})), message.Absent},
		{"all short", ShortCalls, call(anna, ben, calling(message.Calling{Ended: 40, Answered: 30, Short: 30})), message.Present(1, 30, 30)},
		{"half short", ShortCalls, call(anna, ben, calling(message.Calling{Ended: 40, Answered: 30, Short: 15})), message.Absent},
		{"hung up on", CalleesHangUp, call(anna, ben, calling(message.Calling{Ended: 10, Answered: 10, CalleeHungUp: 10})), message.Present(1, 10, 10)},
		{"either side", CalleesHangUp, call(anna, ben, calling(message.Calling{Ended: 10, Answered: 10, CalleeHungUp: 5})), message.Absent},
		{"talks", TalksLong, call(anna, ben, calling(message.Calling{Ended: 4, Answered: 3, Short: 1})), message.Present(1, 2, 4)},
		{"does not talk", TalksLong, call(anna, ben, calling(message.Calling{Ended: 4, Answered: 3, Short: 2})), message.Absent},
		{"not a call", AssertedOther, &message.Message{Channel: message.SMS}, message.Absent},
	} {
		if got := tt.signal(tt.m); !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", tt.what, got, tt.want)
		}
	}
}

func TestCallers(t *testing.T) {
	c := NewCallers()
	start := time.Date(2026, 11, 24, 12, 0, 30, 0, time.UTC)
	if got := c.Of("+1", start); got != (message.Calling{Known: true}) {
		t.Errorf("a stranger: %+v", got)
	}
	for i := range 40 {
		c.Begin("+1", string(rune('a'+i%20)), start.Add(time.Duration(i)*time.Second))
	}
	at := start.Add(39 * time.Second)
	// Numbers are hashed by a seed of the process, and the count is an estimate.
	if got := c.Of("+1", at); got.Minute < 35 || got.Minute > 40 || got.Hour != 40 || got.Callees < 13 || got.Callees > 21 {
		t.Errorf("after 40 calls to 20 numbers within 40 seconds: %+v", got)
	}
	if got := c.Of("+2", at); got.Hour != 0 {
		t.Errorf("somebody else: %+v", got)
	}
	// What was in the hour before counts by the part of the hour that is left.
	later := start.Add(90 * time.Minute)
	c.Begin("+1", "z", later)
	if got := c.Of("+1", later); got.Minute != 1 || got.Hour != 1+40*29/60 && got.Hour != 1+40*30/60 || got.Callees < 12 {
		t.Errorf("an hour and a half later: %+v", got)
	}
	c.Begin("+1", "z", start.Add(9*time.Hour))
	if got := c.Of("+1", start.Add(9*time.Hour)); got.Hour != 1 || got.Callees != 1 {
		t.Errorf("nine hours later: %+v", got)
	}
	for i := range 10 {
		c.End(&message.CallRecord{Caller: "+1", Answered: i < 6, Duration: time.Duration(i) * 4 * time.Second, HungUp: message.Callee})
	}
	if got := c.Of("+1", at); got.Ended != 10 || got.Answered != 6 || got.Short != 3 || got.CalleeHungUp != 6 {
		t.Errorf("records: %+v", got)
	}
	c.Begin("+3", "a", at)
	c.Forget(func(number string) bool { return number == "+3" })
	if got := c.Of("+3", at); got.Hour != 0 {
		t.Errorf("forgotten: %+v", got)
	}
	for range maxEnded {
		c.End(&message.CallRecord{Caller: "+1"})
	}
	if got := c.Of("+1", at); got.Ended > maxEnded || got.Answered > 6 {
		t.Errorf("the past does not fade: %+v", got)
	}
}

// A flood of made-up callers neither fills memory nor displaces who calls all the time.
func TestCallersAreBounded(t *testing.T) {
	c := NewCallers()
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for i := range 4 * CallerCapacity {
		if i%100 == 0 {
			c.Begin("+busy", "+x", at)
		}
		c.Begin("+"+strings.Repeat("1", 1+i%7)+string(rune(i)), "+x", at)
	}
	known := 0
	for i := range c.shards {
		known += len(c.shards[i].young) + len(c.shards[i].old)
	}
	if known > CallerCapacity {
		t.Errorf("%d callers are known, %d may be", known, CallerCapacity)
	}
	if got := c.Of("+busy", at); got.Hour != (4*CallerCapacity+99)/100 {
		t.Errorf("the busy caller was forgotten: %+v", got)
	}
}

func TestUnused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dno")
	if err := os.WriteFile(file, []byte("# of the regulator\n+442079460000\n\n+44 800 *  # toll free\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := NewUnused(Config{NeverOriginate: []string{"+331*"}, NeverOriginateFile: file})
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]bool{"+442079460000": true, "+442079460001": false, "+448001234": true, "+33123": true, "+332": false, "": false} {
		if got := u.Has(number); got != want {
			t.Errorf("%q: %v", number, got)
		}
	}
	if (*Unused)(nil).Has("+1") {
		t.Error("nobody listed +1")
	}
	for _, bad := range []string{"0800*", "*", "+44x", "112"} {
		if _, err := NewUnused(Config{NeverOriginate: []string{bad}}); err == nil || !strings.Contains(err.Error(), "write it like") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := os.WriteFile(file, []byte("+44\n112\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewUnused(Config{NeverOriginateFile: file}); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
}

func BenchmarkCallers(b *testing.B) {
	c := NewCallers()
	at := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		c.Begin("+447700900123", "+447811555666", at)
		c.Of("+447700900123", at)
	}
}
