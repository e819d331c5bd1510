package gateway

import (
	"bytes"
	"testing"

	"rempart/message"
)

func TestApart(t *testing.T) {
	for _, tt := range []struct {
		name, filter, mail, rest string
		label                    message.Label
		score                    float64
	}{
		{"nothing said", Rspamd, "Subject: x\r\n\r\nX-Spam: Yes\r\n", "Subject: x\r\n\r\nX-Spam: Yes\r\n", message.Forget, 0},
		{"SpamAssassin, folded", SpamAssassin, "X-Spam-Checker-Version: SpamAssassin 4.0.1\r\nX-Spam-Flag: YES\r\nX-Spam-Level: *****\r\n" +
			"X-Spam-Status: Yes, score=5.9 required=5.0 tests=A,\r\n\tB autolearn=no\r\nFrom: a@a.example\r\n\r\nhi\r\n", "From: a@a.example\r\n\r\nhi\r\n", message.Spam, 5.9},
		{"SpamAssassin, honest", SpamAssassin, "X-Spam-Status: No, score=-1.9 required=5.0\n\n", "\n", message.Ham, -1.9},
		{"amavis", SpamAssassin, "X-Spam-Flag: NO\nX-Spam-Status: No, score=-0.1 tagged_above=2 required=6.2\nX-Amavis-Alert: BAD HEADER\n\n", "\n", message.Ham, -0.1},
		{"a flag alone", SpamAssassin, "X-Spam-Flag: YES\n\n", "\n", message.Spam, 0},
		{"rspamd's status", Rspamd, "From: a\nX-Spam-Status: Yes, score=8.30\nX-Spamd-Result: default: False [8.30 / 15.00]; A(1.00)[]\n", "From: a\n", message.Spam, 8.3},
		{"rspamd's flag beside its result", Rspamd, "X-Spamd-Result: default: False [7.30 / 15.00];\n\tA(1.00)[]\nX-Spam: Yes\nX-Rspamd-Server: mx\n\n", "\n", message.Spam, 0},
		{"rspamd's result", Rspamd, "X-Spamd-Result: default: False [1.20 / 15.00]; A(1.00)[]\n\n", "\n", message.Ham, 1.2},
		{"rspamd would reject", Rspamd, "X-Spamd-Result: default: True [21.00 / 15.00]\n\n", "\n", message.Spam, 21},
		{"not rspamd's word", SpamAssassin, "X-Spamd-Result: default: True [21.00 / 15.00]\n\n", "\n", message.Forget, 0},
		{"said twice", SpamAssassin, "X-Spam-Status: No, score=-9\nX-Spam-Status: Yes, score=9\n\n", "\n", message.Forget, 0},
		{"a forged status beside rspamd's flag", Rspamd, "X-Spam: Yes\nX-Spam-Status: No, score=-9\n\n", "\n", message.Forget, 0},
		{"a forged status beside rspamd's result", Rspamd, "X-Spam-Status: No, score=-9\nX-Spamd-Result: default: True [21.00 / 15.00]\n\n", "\n", message.Forget, 0},
		{"not understood", Rspamd, "X-Spam-Status: perhaps\nX-Spamd-Result: what\n\n", "\n", message.Forget, 0},
		{"no number", SpamAssassin, "X-Spam-Status: Yes, score=NaN\n\n", "\n", message.Spam, 0},
		{"our own fields stay", Rspamd, "X-Rempart-ID: 1\nX-Spam: Yes\n\n", "X-Rempart-ID: 1\n\n", message.Spam, 0},
	} {
		raw := []byte(tt.mail)
		rest, said := apart(tt.filter, raw)
		if want := (message.Incumbent{Filter: tt.filter, Label: tt.label, Score: tt.score}); string(rest) != tt.rest || said != want {
			t.Errorf("%s: %q, %+v, want %+v", tt.name, rest, said, want)
		}
		if string(raw) != tt.mail {
			t.Errorf("%s: the mail was changed in place", tt.name)
		}
	}
}

// A mail behind another filter is judged as if that had not been there.
func TestMailBehindAnotherFilter(t *testing.T) {
	const plain = "From: a@a.example\r\nSubject: x\r\n\r\nhi\r\n"
	marked := []byte("X-Spam-Flag: YES\r\n" + plain)
	d := Door{Incumbent: SpamAssassin}
	m, want := d.Mail(marked, len(marked)), new(Door).Mail([]byte(plain), len(plain))
	if !bytes.Equal(m.Raw, want.Raw) || m.Size != want.Size || len(m.Header) != len(want.Header) || len(m.Anomalies) != len(want.Anomalies) {
		t.Errorf("%q of %d bytes, %v", m.Raw, m.Size, m.Anomalies)
	}
	if m.Incumbent != (message.Incumbent{Filter: SpamAssassin, Label: message.Spam}) {
		t.Errorf("%+v", m.Incumbent)
	}
	if m := new(Door).Mail(marked, len(marked)); m.Incumbent != (message.Incumbent{}) || m.Header.Get("X-Spam-Flag") != "YES" {
		t.Errorf("no filter stands before this door, and %+v was read", m.Incumbent)
	}
	if err := (Door{Name: "mx", Listen: []string{"unix:/x"}, Incumbent: "spamc"}).Check("gateway.milter[0]"); err == nil {
		t.Error("a filter that nobody knows was taken")
	}
}

func FuzzApart(f *testing.F) {
	f.Add(Rspamd, []byte("X-Spam: Yes\r\nX-Spamd-Result: default: True [1 / 2]\r\nFrom: a\r\n\r\nbody"))
	f.Add(SpamAssassin, []byte("X-Spam-Status: Yes, score=1e999 required\n fold\n\n"))
	f.Fuzz(func(t *testing.T, filter string, raw []byte) {
		rest, said := apart(filter, raw)
		again, then := apart(filter, rest)
		if len(rest) > len(raw) || !bytes.Equal(again, rest) || then.Label != message.Forget || said.Score != said.Score {
			t.Fatalf("%q: %q said %+v, then %q said %+v", raw, rest, said, again, then)
		}
	})
}
