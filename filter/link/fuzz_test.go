package link

import (
	"testing"
	"unicode/utf8"

	"rempart/filter/guise"
	"rempart/message"
	"rempart/message/email"
)

var every = []func(*message.Message) message.Result{RawAddress, LookalikeHost, OtherHost, Shortener, UserInfo, ScriptLink, Redirect,
	UnusualPort, DeepHost, BrandInside, Links, FreeSite, FormService, Redirector, CredentialPath, Intruded, RecipientInside, RandomHost,
	Punycode, ManyDomains, OneElsewhere, CheapHost, CheapAuthor, Code}

// FuzzSignals: no link makes a signal fail, and every result keeps to its bounds.
func FuzzSignals(f *testing.F) {
	for _, s := range []string{"http://0x7f.1/", "http://xn--a.example", "http://a@b:81/?u=http://c", "//[::1", "data:text/html,x", "http://%00", "javascript:x"} {
		f.Add(s, "www.bank.com")
	}
	f.Fuzz(func(t *testing.T, url, text string) {
		m := email.ParseBytes([]byte("From: a@b.example\nTo: c@d.example\nList-Unsubscribe: x\nContent-Type: text/html\n\n<a href=\"" + url + "\">" + text + "</a> " + url))
		guise.Gather(m)
		for i, signal := range every {
			r := signal(m)
			if r.Value < 0 || r.Value > 4 {
				t.Fatalf("signal %d: %v", i, r)
			}
			for _, a := range r.Args {
				if s, ok := a.(string); ok && !utf8.ValidString(s) {
					t.Fatalf("signal %d: argument %q", i, s)
				}
			}
		}
	})
}
