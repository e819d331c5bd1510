package filter

import (
	"testing"

	"rempart/dns"
	"rempart/dns/dnstest"
	"rempart/filter/auth"
	"rempart/message"
	"rempart/message/email"
)

// DNS is not asked about mail of a mail store: what it says now is not what it said then.
func TestStoredMailIsNotAskedAbout(t *testing.T) {
	zone := dnstest.Serve(t, `_dmarc.a.example. 60 IN TXT "v=DMARC1; p=reject"`)
	resolver, err := dns.New(dns.Config{Servers: []string{zone.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	checker, err := auth.New(resolver, nil, auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	f := New(Options{})
	f.Ask(Asks{Auth: checker})
	for _, stored := range []bool{false, true} {
		m := email.ParseBytes([]byte("From: ann@a.example\r\nSubject: notes\r\n\r\nHere they are.\r\n"))
		m.Direction, m.Stored = message.In, stored
		f.Judge(t.Context(), m, nil)
		if asked := m.Facts.Auth.DMARC != ""; asked == stored {
			t.Errorf("stored %v: DMARC %q", stored, m.Facts.Auth.DMARC)
		}
	}
}
