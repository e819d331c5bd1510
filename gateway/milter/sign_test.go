package milter

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	lib "github.com/d--j/go-milter"

	"rempart/gateway"
	"rempart/message"
)

// signatures answers with two fields that show what was asked.
func signatures(m *message.Message, replaced ...gateway.HeaderField) []gateway.HeaderField {
	return []gateway.HeaderField{{Name: "First", Value: fmt.Sprintf("%s %d;\r\n\t%v", m.Direction, len(m.Raw), replaced)}, {Name: "Second", Value: "2"}}
}

// inserted are the fields that go before the mail, the first on top.
func inserted(acts []lib.ModifyAction) (fields []string) {
	for _, a := range acts {
		if a.Type == lib.ActionInsertHeader {
			fields = slices.Insert(fields, int(a.HeaderIndex), a.HeaderName+":"+a.HeaderValue)
		}
	}
	return fields
}

// What passes is signed as it goes on; what does not is not, and nothing is in shadow.
func TestSigned(t *testing.T) {
	for _, tt := range []struct {
		to   string
		mode message.Mode
		want string // of the first field
	}{
		{"accept@a.example", message.ModeJudge, "in 31;\n\t[]"},
		{"tag@a.example", message.ModeJudge, "in 31;\n\t[]"},
		{"hold@a.example", message.ModeJudge, "in 31;\n\t[]"},
		{"rewrite@a.example", message.ModeJudge, "in 31;\n\t[{Subject [SPAM] hi}]"},
		{"reject@a.example", message.ModeJudge, ""},
		{"tempfail@a.example", message.ModeJudge, ""},
		{"discard@a.example", message.ModeJudge, ""},
		{"panic@a.example", message.ModeJudge, ""},
		{"accept@a.example", message.ModeShadow, ""},
		{"panic@a.example", message.ModeShadow, ""},
	} {
		r := newRig(t, by(nil), func(c *Config) { c.Mode = tt.mode }, signatures)
		acts, _ := r.send(envelope{to: []string{tt.to}, headers: []string{"From: a@b.c", "Subject: hi"}, body: "x\r\n"})
		want := []string(nil)
		if tt.want != "" {
			want = []string{"First: " + tt.want, "Second: 2"}
		}
		if got := inserted(acts); !slices.Equal(got, want) {
			t.Errorf("%s in %s: %q, want %q", tt.to, tt.mode, got, want)
		}
	}
}

// Where the node is in shadow, or no decision could be had and mail passes all the same, it stays signed.
func TestSignedWithoutADecision(t *testing.T) {
	for name, r := range map[string]*rig{
		"node in shadow": newRig(t, inShadow(by(nil)), nil, signatures),
		"on_error":       newRig(t, by(nil), func(c *Config) { c.OnError = gateway.OnErrorAccept }, signatures),
	} {
		to := "accept@a.example"
		if name == "on_error" {
			to = "panic@a.example"
		}
		acts, act := r.send(envelope{to: []string{to}, headers: []string{"From: a@b.c"}, body: "x\r\n", macros: map[string]string{lib.MacroAuthAuthen: "ann"}})
		if got := inserted(acts); len(got) != 2 || !strings.HasPrefix(got[0], "First: out ") || act.Type != lib.ActionAccept {
			t.Errorf("%s: %v, %v", name, got, act)
		}
	}
}
