package reputation

import (
	"math"
	"net/netip"
	"testing"

	"rempart/message"
)

func from(addr string) *message.Message {
	return &message.Message{Channel: message.Email, Source: message.Source{Address: netip.MustParseAddr(addr)}}
}

func TestKey(t *testing.T) {
	text := &message.Message{Channel: message.SMS, MailFrom: "BANK", SMS: &message.SMSInfo{SystemID: "esme1"}}
	trusted := from("192.0.2.1")
	trusted.Source.Trusted = true
	for _, tt := range []struct {
		m    *message.Message
		want string
	}{
		{from("192.0.2.1"), "192.0.2.0/24"},
		{from("::ffff:192.0.2.9"), "192.0.2.0/24"},
		{from("2001:db8:1:2:3::4"), "2001:db8:1:2::/64"},
		{text, "sms BANK esme1"},
		{trusted, ""},
		{&message.Message{Channel: message.Call, Source: message.Source{Address: netip.MustParseAddr("192.0.2.1"), ID: "+447700900001"}}, "call 192.0.2.0/24"},
		{&message.Message{Channel: message.Call, Facts: message.Facts{From: message.Number{E164: "+447700900001"}}}, "call +447700900001"},
		{&message.Message{Channel: message.Email}, ""},
	} {
		if got := Key(tt.m); got != tt.want {
			t.Errorf("key %q, want %q", got, tt.want)
		}
	}
}

func TestSource(t *testing.T) {
	table := New()
	ask := func() (spam, ham message.Result) {
		m := from("192.0.2.1")
		m.Facts.Reputation = table.Of(Key(m))
		return SourceSpam(m), SourceHam(m)
	}
	if spam, ham := ask(); spam.State != message.StateAbsent || ham.State != message.StateAbsent {
		t.Errorf("an unheard-of source: %v, %v", spam, ham)
	}
	key := Key(from("192.0.2.77")) // a neighbour in the network
	table.Teach(key, message.Spam, false)
	table.Teach(key, message.Spam, false)
	if spam, _ := ask(); !spam.Equal(message.Present(math.Log(5), 2, 2)) {
		t.Errorf("after two spams: %v", spam)
	}
	table.Teach(key, message.Ham, true)
	table.Teach(key, message.Ham, true)
	if spam, ham := ask(); spam.State != message.StateAbsent || !ham.Equal(message.Present(math.Log(5), 2, 2)) {
		t.Errorf("after both were corrected: %v, %v", spam, ham)
	}
}
