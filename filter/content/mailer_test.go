package content

import (
	"net/netip"
	"strings"
	"testing"

	"rempart/message"
	"rempart/message/email"
)

func TestMailer(t *testing.T) {
	for _, tt := range []struct {
		header string
		want   message.Result
	}{
		{"X-Mailer: Microsoft Outlook 16.0\nMessage-ID: <000b01d52900$31ca7bb0$955f7310$@harbour.example>\n", message.Absent},
		{"X-Mailer: Microsoft Outlook, Build 10.0.2616\nMessage-ID: <NEBBJOGKOKFJKEAAMBHPAEGCCIAA.ann@harbour.example>\n", message.Absent},
		{"X-Mailer: Microsoft Outlook 16.0\nMessage-ID: <81UHVW6B7aQ735_11v034us38uFJ6j88u1@harbour.example>\n", message.Present(1, "Microsoft Outlook")},
		{"X-Mailer: Microsoft Outlook Express 6.00\nMessage-ID: <A7E92054.D9E31D0C@harbour.example>\nContent-Type: multipart/mixed; boundary=\"--abc\"\n", message.Present(2, "Microsoft Outlook Express")},
		{"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Thunderbird/102.4.2\nMessage-ID: <79ce4232-ea93-e9ee-a59d-b9b828b73be8@harbour.example>\n", message.Absent},
		{"User-Agent: Thunderbird 2.0.0.24 (X11/20100228)\nMessage-ID: <4D6B7C9A.7050401@harbour.example>\n", message.Absent},
		{"User-Agent: Mozilla Thunderbird\nMessage-ID: <F7652ZuW900460@harbour.example>\n", message.Present(1, "Mozilla Thunderbird")},
		{"X-Mailer: iPhone Mail (20F66)\nMessage-ID: <0F446BB0-5C89-42FE-88AD-BCB2CEC3F7E9@harbour.example>\n", message.Absent},
		{"X-Mailer: iPhone Mail (20F66)\nMessage-ID: <17.xyz@harbour.example>\n", message.Present(1, "iPhone Mail (")},
		{"X-Mailer: Microsoft Outlook Express 5.50\nMessage-ID: <DAV26ABCDEFGH0000@hotmail.com>\n", message.Absent},
		{"X-Mailer: Harbour Mailer 3\nMessage-ID: <x@harbour.example>\n", message.Absent},
		{"X-Mailer: Microsoft Outlook 16.0\n", message.Absent},
	} {
		if r := MailerForged(email.ParseBytes([]byte(tt.header + "\n\n"))); !r.Equal(tt.want) {
			t.Errorf("%q: %v", tt.header, r)
		}
	}
	for id, want := range map[string]message.State{
		"<1@localhost.localdomain>": message.StatePresent, "<1@WIN-R4BNMS0KP2>": message.StatePresent,
		"<1@calendula>": message.StateAbsent, "<1@mail.harbour.example>": message.StateAbsent, "<1@[192.0.2.1]>": message.StateAbsent, "<1>": message.StateAbsent,
	} {
		if r := MessageIDLocal(email.ParseBytes([]byte("Message-ID: " + id + "\n\n"))); r.State != want {
			t.Errorf("%s: %v", id, r)
		}
	}
}

func TestHelo(t *testing.T) {
	for _, tt := range []struct {
		helo     string
		odd, own message.State
	}{
		{"", message.StateUnknown, message.StateUnknown},
		{"mx.sender.example", message.StateAbsent, message.StateAbsent},
		{"localhost", message.StatePresent, message.StateAbsent},
		{"localhost.localdomain", message.StatePresent, message.StateAbsent},
		{"WIN-R4BNMS0KP2", message.StatePresent, message.StateAbsent},
		{"192.0.2.1", message.StatePresent, message.StateAbsent},
		{"[192.0.2.1]", message.StateAbsent, message.StateAbsent},
		{"[IPv6:2001:db8::1]", message.StatePresent, message.StateAbsent}, // its address is another
		{"[198.51.100.9]", message.StatePresent, message.StateAbsent},
		{"mail.Harbour.example", message.StateAbsent, message.StatePresent},
	} {
		m := &message.Message{Channel: message.Email, Direction: message.In, Helo: tt.helo}
		m.Source.Address = netip.MustParseAddr("192.0.2.1")
		m.Facts.Guise.Own = []string{"harbour.example"}
		if odd, own := HeloOdd(m), HeloOwn(m); odd.State != tt.odd || own.State != tt.own {
			t.Errorf("%q: odd %v, own %v", tt.helo, odd, own)
		}
		m.Source.Trusted = true
		if odd := HeloOdd(m); tt.helo != "" && odd.State != message.StateAbsent {
			t.Errorf("%q of a trusted source: %v", tt.helo, odd)
		}
	}
}

func TestOneClick(t *testing.T) {
	const field = "List-Unsubscribe: <https://news.harbour.example/u/1>, <mailto:u@harbour.example>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
	const signed = "DKIM-Signature: v=1; d=harbour.example; s=k1;\n h=From:List-Unsubscribe:\n List-Unsubscribe-Post; b=x\n"
	pass := []message.DKIM{{Status: "pass", Domain: "harbour.example", Selector: "k1"}}
	for name, tt := range map[string]struct {
		header string
		dkim   []message.DKIM
		want   message.Result
	}{
		"signed":          {field + signed, pass, message.Present(1, "harbour.example")},
		"not verified":    {field + signed, nil, message.Unknown},
		"broken":          {field + signed, []message.DKIM{{Status: "fail", Domain: "harbour.example", Selector: "k1"}}, message.Absent},
		"not covered":     {field + strings.ReplaceAll(signed, "List-Unsubscribe-Post", "To"), pass, message.Absent},
		"not signed":      {field, nil, message.Absent},
		"no https":        {strings.ReplaceAll(field, "https", "http") + signed, pass, message.Absent},
		"no one click":    {"List-Unsubscribe: <https://news.harbour.example/u/1>\n" + signed, pass, message.Absent},
		"another's value": {strings.ReplaceAll(field, "One-Click", "Two") + signed, pass, message.Absent},
	} {
		m := email.ParseBytes([]byte("From: a@harbour.example\n" + tt.header + "\n\n"))
		m.Facts.Auth.DKIM = tt.dkim
		if r := OneClick(m); !r.Equal(tt.want) {
			t.Errorf("%s: %v", name, r)
		}
	}
	m := email.ParseBytes([]byte("From: a@harbour.example\n" + field + "\n"))
	m.Facts.Guise.Author = "harbour.example"
	if r := UnsubscribeOwn(m); !r.Equal(message.Present(1, "news.harbour.example")) {
		t.Error(r)
	}
	m.Facts.Guise.Author = "arbour.example"
	if r := UnsubscribeOwn(m); r.State != message.StateAbsent {
		t.Error(r)
	}
}

func TestBackscatter(t *testing.T) {
	report := func(kind, from, id string) *message.Message {
		m := email.ParseBytes([]byte("From: MAILER-DAEMON@mx.example\nTo: ben@harbour.example\nContent-Type: multipart/report; boundary=b\n\n--b\n\nnot delivered\n--b\nContent-Type: " +
			kind + "\n\nFrom: x <" + from + ">\nMessage-ID: <" + id + ">\nSubject: x\n\nx\n--b--\n"))
		m.Facts.Guise.Own = []string{"harbour.example"}
		return m
	}
	for _, tt := range []struct {
		kind, from, id string
		want           message.Result
	}{
		{"message/rfc822", "deals@elsewhere.example", "1@pc", message.Present(1, "elsewhere.example")},
		{"text/rfc822-headers", "deals@elsewhere.example", "1@pc", message.Present(1, "elsewhere.example")},
		{"message/rfc822", "ben@harbour.example", "1@pc", message.Absent},
		{"message/rfc822", "list@elsewhere.example", "1@mx.harbour.example", message.Absent},
		{"text/plain", "deals@elsewhere.example", "1@pc", message.Absent},
	} {
		if r := Backscatter(report(tt.kind, tt.from, tt.id)); !r.Equal(tt.want) {
			t.Errorf("%v: %v", tt, r)
		}
	}
}

func TestBallast(t *testing.T) {
	words := strings.Repeat("wind and weather on the river ", 300)
	for html, want := range map[string]message.State{
		"<p>Buy now</p><!-- " + words + " -->":                                message.StatePresent,
		"<p>Buy now</p><!--" + words:                                          message.StatePresent,
		"<p>Buy now</p><!--[if mso]>" + words + "<![endif]-->":                message.StateAbsent,
		"<p>Buy now</p><style><!-- p { color: red } " + words + "--></style>": message.StateAbsent,
		"<p>" + words + "</p><!-- " + words + " -->":                          message.StateAbsent,
	} {
		if r := Ballast(email.ParseBytes([]byte("Content-Type: text/html\n\n" + html))); r.State != want {
			t.Errorf("%.60q: %v", html, r)
		}
	}
}
