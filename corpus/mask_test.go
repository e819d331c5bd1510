package corpus

import (
	"bytes"
	"testing"
)

func TestMask(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing to mask", "From: a@a.example\nSubject: x\n\nhello\n", "From: a@a.example\nSubject: x\n\nhello\n"},
		{"fields, folded ones whole",
			"Return-Path: <a@a.example>\nX-MS-Exchange-Foo: 1\n\t2\nFrom: a@a.example\nX-Spam-Status: Yes,\n score=9\nSubject: x\n\nhi\n",
			"From: a@a.example\nSubject: x\n\nhi\n"},
		{"a name in the text is no field", "From: a@a.example\n\nReturn-Path: <b@b.example>\n", "From: a@a.example\n\nReturn-Path: <b@b.example>\n"},
		{"recipients", "To: yyyy@spamassassin.taint.org\nCc: phishing@pot\n\nDear user@example.com, YYYY@localhost\n",
			"To: recipient@recipient.example\nCc: recipient@recipient.example\n\nDear recipient@recipient.example, recipient@recipient.example\n"},
		{"hops of collectors", "Received: from x by mail.netnoteinc.com; now\nReceived: from y by z.a.example;\n\tnow\nFrom: a@a.example\r\n\r\nhi",
			"Received: from y by z.a.example;\n\tnow\nFrom: a@a.example\r\n\r\nhi"},
		{"harvested recipients and ids of their hosts", "To: jm@a.example, yyyy@b.example\nMessage-ID: <1.2@dogma.slashnull.org>\nX-Return: sent-1-zzzz=c.example@lists.d.example\n\nx",
			"To: recipient@recipient.example, recipient@recipient.example\nMessage-ID: <1.2@recipient.example>\nX-Return: sent-1-recipient=c.example@lists.d.example\n\nx"},
		{"hops of other recipients", "Received: from a by b.example (8.9)\n\tfor <cpunks@c.example>; now\nReceived: from d by webnote.net; now\nSubject: x\n\n", "Subject: x\n\n"},
		{"no body", "From: a@a.example", "From: a@a.example"},
		{"no header", "\nhi", "\nhi"},
	} {
		if got := string(Mask([]byte(tt.in))); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzMask: masking ends, changes nothing that is not a mark, and is done at once.
func FuzzMask(f *testing.F) {
	f.Add([]byte("Received: by x\n\ty\nTo: phishing@pot\n\nbody user@example.com"))
	f.Add([]byte("no colon\nX-Spam: 1"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		once := Mask(raw)
		if !bytes.Equal(raw, before) {
			t.Fatal("the mail itself was changed")
		}
		if twice := Mask(once); !bytes.Equal(once, twice) {
			t.Fatalf("masked twice: %q, then %q", once, twice)
		}
	})
}
