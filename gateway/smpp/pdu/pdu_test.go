package pdu

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// submit is a submit_sm written out by hand from the specification, not by our encoder.
const submit = "" +
	"00000047 00000004 00000000 00000007" + // header: 71 bytes, submit_sm, sequence 7
	"574150 00" + // service_type WAP
	"05 00 41434d45 00" + // source: alphanumeric ACME
	"01 01 343437373030393030303031 00" + // destination: 447700900001
	"40 00 01" + // esm_class UDHI, protocol_id, priority
	"00 00" + // schedule, validity
	"01 00 08 00" + // registered_delivery, replace_if_present, data_coding UCS-2, default message
	"06 050003010201" + // sm_length, a concatenation header
	"1403 0003 010203" // vendor parameter

func decode(t testing.TB, s string) PDU {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParse(t *testing.T) {
	p := decode(t, submit)
	m, err := Parse(p)
	if err != nil {
		t.Fatal(err)
	}
	if p.ID() != SubmitSM || p.Sequence() != 7 || string(m.ServiceType) != "WAP" ||
		m.Source.TON != Alphanumeric || string(m.Source.Addr) != "ACME" || string(m.Dest.Addr) != "447700900001" ||
		m.ESMClass != UDHI || m.Priority != 1 || m.RegisteredDelivery != 1 || m.DataCoding != 8 || len(m.Text) != 6 {
		t.Errorf("%+v", m)
	}
	if v, ok := m.TLVs.Get(0x1403); !ok || !bytes.Equal(v, []byte{1, 2, 3}) {
		t.Errorf("vendor parameter %x %v", v, ok)
	}
}

func TestParseMulti(t *testing.T) {
	p := decode(t, "00000043 00000021 00000000 00000001 00 0000 31 00 02 01 0101 343400 02 6c69737400 00 00 00 00 00 00 00 00 00 02 6869 0424 0000"+
		"0210 0005 0102030405")
	// The length above is for the eye; frame it as a reader would.
	p = finish(p, 0)
	m, err := Parse(p)
	if err != nil || string(m.Dest.Addr) != "44" || len(m.MoreDests) != 1 || string(m.MoreDests[0].Addr) != "list" || string(m.Text) != "hi" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, id := range []ID{SubmitSM, DeliverSM, DataSM} {
		for _, n := range []int{0, 1, 254, 255, 1000, 60000} {
			want := Message{ServiceType: []byte("x"), Source: Address{5, 0, []byte("ACME")}, Dest: Address{1, 1, []byte("447700900001")},
				ESMClass: 3, RegisteredDelivery: 1, DataCoding: 8, Text: bytes.Repeat([]byte{'a'}, n)}
			p := PDU(AppendMessage(nil, id, 9, &want))
			got, err := Parse(p)
			if err != nil || p.ID() != id || p.Sequence() != 9 || !bytes.Equal(got.Text, want.Text) || !reflect.DeepEqual(got.Dest, want.Dest) || got.DataCoding != 8 || got.ESMClass != 3 {
				t.Errorf("%x with %d bytes: %v %+v", id, n, err, got)
			}
		}
	}
	bind := Bind{"esme1", "secret", "VMA", 0x34, 1, 1, "447700"}
	if got, err := ParseBind(AppendBind(nil, BindTransceiver, 1, bind)); err != nil || got != bind {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAppendWithSource(t *testing.T) {
	p := decode(t, submit)
	m, _ := Parse(p)
	q := PDU(AppendWithSource([]byte("before"), p, &m, Address{Alphanumeric, 0, []byte("Likely-SCAM")})[6:])
	n, err := Parse(q)
	if err != nil || string(n.Source.Addr) != "Likely-SCAM" || !bytes.Equal(n.Text, m.Text) || !bytes.Equal(n.TLVs, m.TLVs) || q.Sequence() != 7 {
		t.Errorf("%+v, %v", n, err)
	}
	if r, err := NewReader(bytes.NewReader(q)).Next(); err != nil || !bytes.Equal(r, q) {
		t.Errorf("its length does not hold: %v", err)
	}
}

func TestReceipt(t *testing.T) {
	for class, want := range map[byte]bool{0: false, 0x04: true, 0x08: false, 0x10: false, 0x20: true, 0x44: true, 0x43: false} {
		if m := (Message{ESMClass: class}); m.IsReceipt() != want {
			t.Errorf("esm_class %#x: %v", class, !want)
		}
	}
}

func TestReader(t *testing.T) {
	p := decode(t, submit)
	p = finish(p, 0)
	big := AppendMessage(nil, SubmitSM, 2, &Message{Text: make([]byte, 60000)})
	stream := append(append(append([]byte{}, p...), big...), AppendHeader(nil, EnquireLink, 0, 3)...)
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
		"halves": iotest.HalfReader(bytes.NewReader(stream)), "with its end": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		rd := NewReader(r)
		for i, want := range [][]byte{p, big, stream[len(stream)-16:]} {
			if got, err := rd.Next(); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s, PDU %d: %d bytes, %v", name, i, len(got), err)
			}
		}
		if _, err := rd.Next(); err != io.EOF {
			t.Errorf("%s: at the end %v", name, err)
		}
	}
	for _, tt := range []struct {
		stream string
		want   error
	}{
		{"ffffffff 00000004 00000000 00000001", ErrLength},
		{"00000000 00000004 00000000 00000001", ErrLength},
		{"0000000f 00000004 00000000 000000", ErrLength},
		{"00000010 00000004 0000", io.ErrUnexpectedEOF},
		{"0000", io.ErrUnexpectedEOF},
	} {
		if _, err := NewReader(bytes.NewReader(decode(t, tt.stream))).Next(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.stream, err, tt.want)
		}
	}
}

// A deadline in the middle of a PDU loses nothing.
func TestReaderGoesOnAfterATimeout(t *testing.T) {
	p := finish(decode(t, submit), 0)
	r := NewReader(iotest.TimeoutReader(iotest.HalfReader(iotest.OneByteReader(bytes.NewReader(p)))))
	var got PDU
	var err error
	for range 3 {
		if got, err = r.Next(); err == nil {
			break
		}
	}
	if !bytes.Equal(got, p) {
		t.Errorf("%v", err)
	}
}

// Whatever comes in: no panic, the fields lie within the PDU, and what was read can be written and read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(decode(f, submit)))
	f.Add(AppendMessage(nil, DataSM, 1, &Message{Text: []byte("hello")}))
	f.Add(AppendBind(nil, BindTransceiver, 1, Bind{SystemID: "a"}))
	f.Add([]byte("\xff\xff\xff\xff\x00\x00\x00\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		for {
			p, err := r.Next()
			if err != nil {
				return
			}
			if len(p) < HeaderSize || len(p) > MaxSize {
				t.Fatalf("a PDU of %d bytes", len(p))
			}
			if p.ID().IsBind() {
				_, _ = ParseBind(p)
			}
			if !CarriesText(p.ID()) {
				continue
			}
			m, err := Parse(p)
			if err != nil {
				continue
			}
			if len(m.Text) > len(p) || len(m.MoreDests) > 255 {
				t.Fatalf("%d bytes of text in a PDU of %d", len(m.Text), len(p))
			}
			same := AppendWithSource(nil, p, &m, m.Source)
			if !bytes.Equal(same[4:], p[4:]) {
				t.Fatalf("rewritten to itself\n%x\n%x", same, p)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	p := PDU(AppendMessage(nil, SubmitSM, 1, &Message{Source: Address{5, 0, []byte("ACME")}, Dest: Address{1, 1, []byte("447700900001")},
		Text: bytes.Repeat([]byte("a"), 133)}))
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	m := Message{Source: Address{5, 0, []byte("ACME")}, Dest: Address{1, 1, []byte("447700900001")}, Text: bytes.Repeat([]byte("a"), 133)}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendMessage(buf[:0], SubmitSM, 1, &m)
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	m := Message{Source: Address{5, 0, []byte("ACME")}, Dest: Address{1, 1, []byte("447700900001")}, Text: bytes.Repeat([]byte("a"), 133)}
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		buf = AppendMessage(buf[:0], SubmitSM, 1, &m)
		if _, err := Parse(buf); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a text", n)
	}
}
