package email

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"rempart/message"
)

func TestParseDate(t *testing.T) {
	want := time.Date(2026, 11, 23, 18, 15, 0, 0, time.UTC)
	for _, v := range []string{
		"Mon, 23 Nov 2026 20:15:00 +0200",
		"23 Nov 2026 18:15:00 GMT",
		"Mon, 23 Nov 26 13:15:00 EST",
		"Mon,23 Nov 2026 18:15 UT (a (nested) comment)",
		"Mon, 23 Nov 2026 10:15:00 -0800 (PST)",
		"Monday, 23-Nov-26 18:15:00 UTC",
		"Nov 23 2026 06:15:00 PM",
		"2026-11-23T18:15:00Z",
		"2026-11-23 20:15:00 +02:00",
		"Mon Nov 23 18:15:00 2026",
		"Mon, 23 November 2026 18:15:00",
	} {
		if got := ParseDate(v); !got.Equal(want) {
			t.Errorf("%q: %v", v, got)
		}
	}
	for _, v := range []string{"", "yesterday", "32 Foo 2026", "23 Nov 1", "23:15:00 Nov", "99 Nov 2026 10:00:00", "Mon, 23 Nov 2026 99:00:00 +0000"} {
		if got := ParseDate(v); !got.IsZero() && v != "23 Nov 1" {
			t.Errorf("%q: %v, want none", v, got)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, tt := range []struct{ field, want string }{
		{"joe@Example.COM", "|joe|example.com"},
		{`"Doe, John" <john@b.example>, x@y.example`, "Doe, John|john|b.example;|x|y.example"},
		{"Doe, John <john@b.example>", "Doe, John|john|b.example"},
		{"Team ,_<no-reply@b.example>", "Team, _|no-reply|b.example"},
		{"=?utf-8?q?M=C3=BCller?= <m@b.example>", "Müller|m|b.example"},
		{"=?utf-8?q?a=40bank.example=2C_b?= <m@b.example>", "a@bank.example, b|m|b.example"},
		{"joe@b.example (Joe (the) Q)", "Joe (the) Q|joe|b.example"},
		{"undisclosed-recipients:;", ""},
		{"Friends: a@b.example, c@d.example;", "|a|b.example;|c|d.example"},
		{"<@relay.example:u@b.example>", "|u|b.example"},
		{`"quoted \"x\"" <q@b.example>`, `quoted "x"|q|b.example`},
		{`"service@bank.example" <x@evil.example>`, "service@bank.example|x|evil.example"},
		{"unclosed <x@b.example", "unclosed|x|b.example"},
		{"Just A Name", "Just A Name||"},
		{"root", "|root|"},
		{`"a@b"@c.example`, "|a@b|c.example"},
		{",,;", ""},
	} {
		m := ParseBytes([]byte("To: " + tt.field + "\n\n"))
		var got []string
		for _, a := range m.To {
			got = append(got, a.Name+"|"+a.Local+"|"+a.Domain)
		}
		if s := strings.Join(got, ";"); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.field, s, tt.want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct{ field, want, anomaly string }{
		{"=?iso-8859-1?Q?caf=E9?=", "café", ""},
		{"a =?utf-8?B?w6k=?= b", "a é b", ""},
		{"=?utf-8?B?w6k=?= =?utf-8?B?w6k=?=", "éé", ""},
		{"=?utf-8?B?w6k=?=\n =?utf-8?B?w6k=?=", "éé", ""},
		{"=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€", ""}, // cut inside a character
		{"=?utf-8*en?Q?x?=", "x", ""},
		{"=?utf-8?Q?two words?=", "two words", WordSpace},
		{"=?utf-8?B?4oKs", "€", ""}, // no end
		{"=?nonsense?Q?a=E9?=", "aé", CharsetUnknown},
		{"=?utf-8?X?abc?=", "=?utf-8?X?abc?=", WordBroken},
		{"=?gb2312?B?1tDOxA==?=", "中文", ""},
		{"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本", ""},
		{"=?utf-7?Q?+AGE-b?=", "ab", UTF7},
		{"=?us-ascii?Q?Re=3A_=3D=3F?=", "Re: =?", ""},
		{"=?utf-8?Q??= x", " x", ""},
		{"caf\xe9", "café", Header8Bit},
		{"café", "café", ""},
		{"=?utf-8?Q?what=3F?=41?=", "what??A", ""},
	} {
		m := ParseBytes([]byte("Subject: " + tt.field + "\n\n"))
		if m.Subject != tt.want {
			t.Errorf("%s: %q, want %q", tt.field, m.Subject, tt.want)
		}
		if tt.anomaly == "" && len(m.Anomalies) > 0 || tt.anomaly != "" && !m.HasAnomaly(tt.anomaly) {
			t.Errorf("%s: anomalies %v, want %q", tt.field, m.Anomalies, tt.anomaly)
		}
	}
}

func TestHTML(t *testing.T) {
	for _, tt := range []struct{ markup, seen, hidden string }{
		{"<p>Hello &amp; good&nbsp;bye</p><p>x</p>", "Hello & good bye\nx", ""},
		{"a<!-- no -->b<script>no</script>c<style>no</style>d", "abcd", ""},
		{`<span style="display:none">secret</span>seen`, "seen", "secret"},
		{`<div style="DISPLAY : none ! important"><p>a<p>b</div>c`, "c", "a\nb"},
		{`<p style="visibility:hidden">a<b style="visibility:visible">b</b></p>`, "b", "a"},
		{`<td style="font-size:0"><a style="font-size:12px">honest</a>gap</td>`, "honest", "gap"},
		{`<p style="font-size:1px">x</p><font size="1">small</font>`, "small", "x"},
		{`<p style="color:#fff">x</p><p style="color:white;background:#000">y</p>`, "y", "x"},
		{`<table bgcolor="#000000"><tr><td><font color=white>y</font><font color="#010101">x</font>`, "y", "x"},
		{`<td background="http://img.example/b.png"><font color=white>y</font>`, "y", ""},
		{`<style>.dark{background:#000}</style><td class=dark><p style="color:#ffffff">y`, "y", ""},
		{`<p style="opacity:0">x</p><p style="opacity:0.9">y</p><p hidden>z`, "y", "x\nz"},
		{`<div style="max-height:0;overflow:hidden">x</div><div style="height:0">y</div>`, "y", "x"},
		{`<div style="text-indent:-9999px">x</div>y`, "y", "x"},
		{`<p style="color:rgba(255,255,255,1)">x</p>y`, "y", "x"},
		{"V<b></b>iagra <x>1 < 2 &lt; 3 &#8364; &#x41; &#128; &bogus; &copy 5", "Viagra 1 < 2 < 3 € A € &bogus; © 5", ""},
		{"<a href=http://a.example>unclosed", "unclosed", ""},
		{`<img alt="A picture" src=cid:1>`, "A picture", ""},
		{"<", "", ""},
		{"<a href='", "", ""},
		{"text<!-- unclosed", "text", ""},
	} {
		m := ParseBytes([]byte("Content-Type: text/html\n\n" + tt.markup))
		if m.HTMLText != tt.seen || m.HiddenText != tt.hidden {
			t.Errorf("%s:\nseen %q, want %q\nhidden %q, want %q", tt.markup, m.HTMLText, tt.seen, m.HiddenText, tt.hidden)
		}
	}
}

func TestLinks(t *testing.T) {
	m := ParseBytes([]byte("Content-Type: text/html\n\n" + `<base href="http://base.example/"><a href="HTTP://u@Evil.example:8080/x?a=1&amp;b=2">
 <b>www.bank.example</b></a> <a href="#top">up</a> <a href=rel/path>rel</a> http://bare.example/ <img src="//img.example/p.gif">
 <form action=https://form.example/><meta http-equiv=refresh content="0; url=http://next.example/"><iframe src=http://frame.example>`))
	want := []message.Link{
		{URL: "http://base.example/", Scheme: "http", Host: "base.example", Kind: message.LinkOther},
		{URL: "HTTP://u@Evil.example:8080/x?a=1&b=2", Scheme: "http", Host: "evil.example", Text: "www.bank.example", Kind: message.LinkHref},
		{URL: "rel/path", Host: "base.example", Text: "rel", Kind: message.LinkHref},
		{URL: "//img.example/p.gif", Host: "img.example", Kind: message.LinkImage},
		{URL: "https://form.example/", Scheme: "https", Host: "form.example", Kind: message.LinkForm},
		{URL: "http://next.example/", Scheme: "http", Host: "next.example", Kind: message.LinkOther},
		{URL: "http://frame.example", Scheme: "http", Host: "frame.example", Kind: message.LinkOther},
		{URL: "http://bare.example/", Scheme: "http", Host: "bare.example", Kind: message.LinkText},
	}
	if len(m.Links) != len(want) {
		t.Fatalf("%+v", m.Links)
	}
	for i := range want {
		if m.Links[i] != want[i] {
			t.Errorf("%+v, want %+v", m.Links[i], want[i])
		}
	}
}

func TestTrust(t *testing.T) {
	mail := "Received: from mx1.op.example (mx1.op.example [192.0.2.1]) by store.op.example with LMTP; Mon, 23 Nov 2026 18:15:00 +0000\n" +
		"Received: from friend (unknown [IPv6:2001:db8::5])\n\tby mx1.op.example (Postfix) with ESMTPS id X\n\tfor <a@op.example>; Mon, 23 Nov 2026 18:14:00 +0000\n" +
		"Received: from forged (10.0.0.1) by bank.example; Mon, 23 Nov 2026 18:13:00 +0000\n\n"
	relays := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	for _, tt := range []struct {
		client, source, helo string
		trusted              int
	}{
		{"192.0.2.9", "2001:db8::5", "friend", 2},
		{"::ffff:192.0.2.9", "2001:db8::5", "friend", 2},
		{"198.51.100.1", "198.51.100.1", "as said", 0},
		{"", "", "as said", 0},
	} {
		m := ParseBytes([]byte(mail))
		m.Helo = "as said"
		client, _ := netip.ParseAddr(tt.client)
		Trust(m, relays, client)
		n := 0
		for _, h := range m.Route {
			if h.Trusted {
				n++
			}
		}
		if m.Source.Client() != tt.source || m.Helo != tt.helo || n != tt.trusted {
			t.Errorf("client %s: source %s, helo %s, %d trusted; want %+v", tt.client, m.Source.Client(), m.Helo, n, tt)
		}
	}
	m := ParseBytes([]byte(mail))
	if len(m.Route) != 3 || m.Route[1].With != "ESMTPS" || m.Route[1].By != "mx1.op.example" || m.Route[2].Address.String() != "10.0.0.1" ||
		m.Route[1].At.IsZero() {
		t.Errorf("%+v", m.Route)
	}
}
