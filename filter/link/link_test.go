package link

import (
	"testing"

	"rempart/filter/guise"
	"rempart/message"
	"rempart/message/email"
)

func html(body string) *message.Message {
	m := email.ParseBytes([]byte("From: a@b.example\nTo: ben@harbour.example\nContent-Type: text/html; charset=utf-8\n\n" + body))
	guise.Gather(m)
	return m
}

func TestLinks(t *testing.T) {
	signals := map[string]func(*message.Message) message.Result{
		"raw": RawAddress, "lookalike": LookalikeHost, "other": OtherHost, "short": Shortener, "user": UserInfo, "script": ScriptLink,
		"redirect": Redirect, "port": UnusualPort, "deep": DeepHost, "brand": BrandInside,
	}
	for _, tt := range []struct{ body, want string }{
		{`<a href="http://198.51.100.7/x">pay</a>`, "raw"},
		{`<a href="http://3325256711/x">pay</a>`, "raw"},
		{`<a href="http://0xc6.0x33.0144.7/">pay</a>`, "raw"},
		{`<a href="http://[2001:db8::1]/">pay</a>`, "raw"},
		{`<a href="http://1.2.3.4.example/">x</a> <a href="http://7.example/">x</a>`, ""},
		{`<img src="http://198.51.100.7/p.gif">`, ""}, // fetched, not followed
		{`<a href="http://xn--pypal-4ve.example/">x</a>`, "lookalike"},
		{`<a href="http://pаypal.example/">x</a>`, "lookalike"}, // Cyrillic а
		{`<a href="http://bücher.example/">x</a>`, ""},
		{`<a href="http://xn--e1afmkfd.example/">x</a>`, ""}, // пример: a word of its own alphabet
		{`<a href="http://例え.example/">x</a>`, ""},
		{`<a href="http://evil.example/">www.bank.com</a>`, "other"},
		{`<a href="http://evil.example/">https://bank.com/login</a>`, "other"},
		{`<a href="http://click.bank.com/x">www.bank.com</a>`, ""},
		{`<a href="http://evil.example/">Our offer of 3.50 at Node.js e.g.</a>`, ""},
		{`<a href="http://evil.example/">joe@bank.com</a>`, ""},
		{`<a href="https://bit.ly/3x">x</a>`, "short"},
		{`<a href="https://habit.lyrics.example/3x">x</a>`, ""},
		{`<a href="http://bank.com@evil.example/">x</a>`, "user"},
		{`<a href="http://evil.example/@joe">x</a> <a href="mailto:a@b.example">m</a>`, ""},
		{`<a href="javascript:location='http://x'">x</a>`, "script"},
		{`<a href="javascript:void(0)">x</a>`, ""},
		{`<a href="data:text/html;base64,PGI+">x</a>`, "script"},
		{`<a href="https://good.example/r?u=https%3A%2F%2Fevil.example">x</a>`, "redirect"},
		{`<a href="https://good.example/r?u=123">x</a>`, ""},
		{`<a href="http://a.example:81/">x</a>`, "port"},
		{`<a href="http://a.example:8080/">x</a> <a href="http://a.example:443/">x</a>`, ""},
		{`<a href="http://a.b.c.d.e.f.example/">x</a>`, "deep"},
		{`<a href="http://www.bank.com.account.example/">x</a>`, "brand"},
		{`<a href="http://www.company.example/">x</a> <a href="http://shop.com.au/">x</a>`, ""},
	} {
		m := html(tt.body)
		for name, signal := range signals {
			if r := signal(m); (r.State == message.StatePresent) != (name == tt.want) {
				t.Errorf("%s: %s %v", tt.body, name, r)
			}
		}
	}
	if r := Links(html(`<a href="http://a.example/">x</a><img src="http://b.example/">`)); !r.Equal(message.Present(1, 1)) {
		t.Error(r)
	}
	if r := OtherHost(html(`<a href="http://evil.example/">www.bank.com</a>`)); !r.Equal(message.Present(1, "www.bank.com", "evil.example")) {
		t.Error(r)
	}
}

func TestServicesAndPaths(t *testing.T) {
	signals := map[string]func(*message.Message) message.Result{
		"site": FreeSite, "form": FormService, "redirector": Redirector, "credential": CredentialPath, "intruded": Intruded,
		"recipient": RecipientInside, "random": RandomHost, "punycode": Punycode, "many": ManyDomains, "cheap": CheapHost,
	}
	for _, tt := range []struct{ body, want string }{
		{`<a href="https://harbour-pay.weebly.com/">x</a>`, "site"},
		{`<a href="https://storage.googleapis.com/bucket/a.html">x</a>`, "site"},
		{`<a href="https://bafy123.ipfs.dweb.link/">x</a>`, "site"},
		{`<img src="https://storage.googleapis.com/bucket/a.png"><a href="https://www.weebly.example/">x</a>`, ""},
		{`<a href="https://forms.gle/abc">x</a>`, "form"},
		{`<a href="https://docs.google.com/forms/d/e/x">x</a>`, "form"},
		{`<a href="https://docs.google.com/document/d/x">x</a>`, ""},
		{`<a href="https://t.co/abc">x</a>`, "redirector"},
		{`<a href="https://www.google.co.uk/url?q=x">x</a>`, "redirector"},
		{`<a href="https://www.google.com/amp/s/x.example">x</a>`, "redirector"},
		{`<a href="https://www.bing.com/ck/a?!&&p=1">x</a>`, "redirector"},
		{`<a href="https://www.youtube.com/redirect?q=x">x</a>`, "redirector"},
		{`<a href="https://www.youtube.com/watch?v=x">x</a> <a href="https://www.google.com/maps">m</a>`, ""},
		{`<a href="https://www.harbour.example/account/Login.php">x</a>`, "credential"},
		{`<a href="https://news.b.example/login">x</a>`, ""}, // the author's own
		{`<a href="https://www.harbour.example/blog?title=login">x</a> <a href="https://www.harbour.example/cataloging">x</a>`, ""},
		{`<a href="https://www.harbour.example/wp-content/plugins/x/index.php?a=b">x</a>`, "intruded"},
		{`<a href="https://www.harbour.example/wp-includes/">x</a>`, "intruded"},
		{`<a href="https://www.harbour.example/wp-content/uploads/menu.pdf">x</a>`, ""},
		{`<a href="https://x.harbour.example/a?e=Ben%40harbour.example">x</a>`, "recipient"},
		{`<a href="https://x.harbour.example/a#ben@harbour.example">x</a>`, "recipient"},
		{`<a href="https://x.harbour.example/a#YmVuQGhhcmJvdXIuZXhhbXBsZQ==">x</a>`, "recipient"},
		{`<a href="https://x.harbour.example/unsubscribe?e=ben@harbour.example">x</a>`, ""},
		{`<a href="https://x.vy448tguxl.com/">x</a>`, "random"},
		{`<a href="https://vy448tguxl.cloudfront.net/">x</a>`, ""}, // drawn by the service
		{`<a href="https://xn--e1afmkfd.example/">x</a>`, "punycode"},
		{`<a href="http://a.example">x</a><a href="http://c.example">x</a><a href="http://d.example">x</a><a href="http://e.example">x</a><a href="http://f.example">x</a><a href="http://www.g.example">x</a>`, "many"},
		{`<a href="http://b.example">x</a><a href="http://c.example">x</a><a href="http://d.example">x</a><a href="http://e.example">x</a><a href="http://f.example">x</a><a href="http://www.f.example">x</a>`, ""},
		{`<a href="https://parcel-fee.top/x">x</a>`, "cheap"},
		{`<a href="https://top.harbour.example/x">x</a>`, ""},
	} {
		m := html(tt.body)
		for name, signal := range signals {
			if r := signal(m); (r.State == message.StatePresent) != (name == tt.want) {
				t.Errorf("%s: %s %v", tt.body, name, r)
			}
		}
	}
	if r := RecipientInside(html(`<a href="https://x.harbour.example/a#ben@harbour.example">x</a>`)); !r.Equal(message.Present(2, "x.harbour.example")) {
		t.Error(r)
	}
	if r := OneElsewhere(html(`<a href="https://a.harbour.example/">x</a><a href="https://harbour.example/">x</a>`)); !r.Equal(message.Present(1, "harbour.example")) {
		t.Error(r)
	}
	if r := OneElsewhere(html(`<a href="https://a.harbour.example/">x</a><a href="https://www.b.example/">x</a>`)); r.State != message.StateAbsent {
		t.Error(r)
	}
	m := email.ParseBytes([]byte("From: a@deals.icu\n\nhi"))
	if r := CheapAuthor(m); !r.Equal(message.Present(1, "deals.icu")) {
		t.Error(r)
	}
}
