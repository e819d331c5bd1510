package content

import (
	"strings"
	"testing"
	"time"

	"rempart/message"
	"rempart/message/email"
	"rempart/message/sms"
)

var arrived = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

type test struct {
	mail string
	want message.Result
}

var yes = message.Present(1)

func TestHeader(t *testing.T) {
	for name, tt := range map[string]struct {
		signal func(*message.Message) message.Result
		tests  []test
	}{
		"DateAhead": {DateAhead, []test{
			{"Date: Tue, 24 Nov 2026 20:00:00 +0000\n", message.Present(26.0/24, 26)},
			{"Date: Tue, 24 Nov 2026 07:59:00 +0000\n", message.Absent}, // Kiribati: local time, labelled UTC
			{"Subject: undated\n", message.Unknown},
		}},
		"DateBehind": {DateBehind, []test{
			{"Date: Mon, 09 Nov 2026 18:00:00 +0000\n", message.Present(2, 14)},
			{"Date: Thu, 19 Nov 2026 18:00:00 +0000\n", message.Absent}, // waited four days in a queue
		}},
		"DateMissing":    {DateMissing, []test{{"A: b\n", yes}, {"Date: x\n", message.Absent}}},
		"DateUnreadable": {DateUnreadable, []test{{"Date: soon\n", message.Present(1, "soon")}, {"Date: 23 Nov 26 10:00 EST\n", message.Absent}, {"A: b\n", message.Absent}}},
		"MessageIDMissing": {MessageIDMissing, []test{{"A: b\n", yes}, {"Message-Id: <a@b>\n", message.Absent},
			{"Message-ID: <4f2a-8f19@CH1PEPF0000A345.namprd04.prod.outlook.com>\n", yes},
			{"Message-ID: <4f2a-8f19@VI1EUR05FT039.eop-eur05.prod.protection.outlook.com>\n", yes},
			{"Message-ID: <AS8PR02MB6934BAC1@AS8PR02MB6934.eurprd02.prod.outlook.com>\n", message.Absent},
			{"Message-ID: <66963d60.170a0220.SMTPIN_ADDED_MISSING@mx.google.com>\n", yes}}},
		"MessageIDMalformed": {MessageIDMalformed, []test{{"Message-ID: <ab>\n", message.Present(1, "ab")}, {"Message-ID: a@b\n", message.Present(1, "a@b")},
			{"Message-ID: <a@[192.0.2.1]>\n", message.Absent}, {"A: b\n", message.Absent}}},
		"FromMissing":    {FromMissing, []test{{"From: nobody\n", yes}, {"From: a@b.example\n", message.Absent}}},
		"FromMultiple":   {FromMultiple, []test{{"From: a@b.example\nfrom: c@d.example\n", message.Present(1, 2)}, {"From: a@b.example\nX-From: c\n", message.Absent}}},
		"DuplicateField": {DuplicateField, []test{{"Subject: a\nSUBJECT: b\n", message.Present(1, "Subject")}, {"Received: a\nReceived: b\n", message.Absent}}},
		"ToMissing":      {ToMissing, []test{{"Bcc: a@b.example\n", yes}, {"Cc: a@b.example\n", message.Absent}}},
		"ToUndisclosed":  {ToUndisclosed, []test{{"To: undisclosed-recipients:;\n", yes}, {"To: Friends: a@b.example;\n", message.Absent}, {"A: b\n", message.Absent}}},
		"ToSelf":         {ToSelf, []test{{"From: A@b.example\nTo: a@b.example\n", message.Present(1, "A@b.example")}, {"From: a@b.example\nTo: a@b.example, c@d.example\n", message.Absent}}},
		"ReceivedAbsent": {ReceivedAbsent, []test{{"A: b\n", yes}, {"Received: from a by b; Mon, 23 Nov 2026 10:00:00 +0000\n", message.Absent}}},
		"ReceivedForged": {ReceivedForged, []test{
			{"Received: from a by b; Mon, 23 Nov 2026 10:00:00 +0000\nReceived: from c by a; Thu, 26 Nov 2026 10:00:00 +0000\n", message.Present(1, "c")},
			{"Received: from a by b; Mon, 23 Nov 2026 10:00:00 +0000\nReceived: from c by a; Mon, 23 Nov 2026 12:00:00 +0000\n", message.Absent},
			{"Received: from [192.0.2.1] (x [198.51.100.2]) by b; Mon, 23 Nov 2026 10:00:00 +0000\n", message.Present(1, "[192.0.2.1]")},
			{"Received: from [192.0.2.1] (x [192.0.2.1]) by b; Mon, 23 Nov 2026 10:00:00 +0000\n", message.Absent},
		}},
		"Replies": {Replies, []test{{"In-Reply-To: <a@b>\nReferences: <c@d>\n <a@b>\n", yes}, {"In-Reply-To: <a@b>\n", message.Absent},
			{"In-Reply-To: <a@b>\nReferences: <c@d>\n", message.Absent}, {"In-Reply-To: <a@b>\nReferences: <c@d>\nSubject: AW: x\n", yes},
			{"In-Reply-To: Your message of Monday\nReferences: <c@d>\nSubject: Re: x\n", yes}, {"In-Reply-To: <>\nReferences: <> <@d>\n", message.Absent}}},
		"ThreadForged": {ThreadForged, []test{{"In-Reply-To: <a@b>\nReferences: <@bounce.c>\nSubject: You won\n", message.Present(1, "<a@b>")},
			{"In-Reply-To: <a@b>\nReferences: <c@d>\nSubject: Re: x\n", message.Absent}, {"In-Reply-To: <a@b>\nSubject: x\n", message.Absent},
			{"In-Reply-To: <x@y> <a@b>\nReferences: <a@b>\nSubject: x\n", message.Absent}}},
		"ListUnsubscribe":  {ListUnsubscribe, []test{{"List-Unsubscribe: <http://a>\n", yes}, {"List-Unsubscribe: <http://a>\nList-Unsubscribe-Post: x\n", message.Present(2)}, {"A: b\n", message.Absent}}},
		"MailingList":      {MailingList, []test{{"List-Id: a\nList-Post: b\n", yes}, {"List-Id: a\n", message.Absent}}},
		"SubjectCapitals":  {SubjectCapitals, []test{{"Subject: BUY IT NOW!! 10%\n", message.Absent}, {"Subject: BUY ALL OF IT NOW\n", yes}, {"Subject: NASA AND ESa\n", message.Absent}, {"Subject: 中文中文中文中文中文中文\n", message.Absent}}},
		"SubjectExclaims":  {SubjectExclaims, []test{{"Subject: now! now! now!\n", message.Present(2, 3)}, {"Subject: hello!\n", message.Absent}}},
		"SubjectFakeReply": {SubjectFakeReply, []test{{"Subject: RE: your account\n", yes}, {"Subject: Re: x\nReferences: <a@b>\n", message.Absent}, {"Subject: Reform: x\n", message.Absent}}},
		"EncodedPlain":     {EncodedPlain, []test{{"Subject: =?utf-8?B?SGVsbG8=?=\n", message.Present(1, "Hello")}, {"Subject: =?utf-8?B?w6k=?=\n", message.Absent}, {"Subject: =?utf-8?Q?Hello?=\n", message.Absent}}},
		"ReplyElsewhere": {ReplyElsewhere, []test{{"From: a@b.example\nReply-To: c@evil.test\n", message.Present(1, "c@evil.test")}, {"From: a@news.shop.co.uk\nReply-To: help@shop.co.uk\n", message.Absent},
			{"From: a@b.example\nReply-To: list@lists.test\nList-Id: l\n", message.Absent}}},
		"NameAddress": {NameAddress, []test{{"From: \"pay@bank.com\" <x@evil.test>\n", message.Present(1, "pay@bank.com", "x@evil.test")},
			{"From: \"joe@mail.bank.com\" <joe@bank.com>\n", message.Absent}, {"From: \"Joe @ Work\" <joe@b.example>\n", message.Absent}}},
		"BrokenHeader": {BrokenHeader, []test{{"A: b\nno field\nC: d\n", message.Present(1, "no field")}, {"A: b\n c\n", message.Absent}}},
		"Header8Bit":   {Header8Bit, []test{{"Subject: caf\xe9\n", message.Present(1, "caf")}, {"Subject: café\n", message.Absent}}},
		"BrokenWord":   {BrokenWord, []test{{"Subject: =?utf-8?Z?x?=\n", message.Present(1, "=?utf-8?Z?x?=")}, {"Subject: a=?b\n", message.Present(1, "=?b")}, {"Subject: what?\n", message.Absent}}},
	} {
		for _, in := range tt.tests {
			m := email.ParseBytes([]byte(in.mail + "\nbody\n"))
			m.Arrived = arrived
			got := tt.signal(m)
			if name == "Header8Bit" && got.State == message.StatePresent {
				got.Args = in.want.Args // the detail keeps the broken byte as U+FFFD
			}
			if !got.Equal(in.want) {
				t.Errorf("%s: %q: %v, want %v", name, in.mail, got, in.want)
			}
		}
	}
}

func TestBody(t *testing.T) {
	long := strings.Repeat("hidden words ", 40)
	part := "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"%\"\n\nMZ\x90\x00 no pdf at all\x00\x01\n--b--\n"
	signals := map[string]func(*message.Message) message.Result{
		"charset": CharsetLie, "mime": BrokenMIME, "transfer": BrokenTransfer, "control": ControlBytes, "hidden": HiddenText,
		"image": ImageOnly, "form": Form, "double": DoubleExtension, "program": Executable, "lie": TypeLie, "page": HTMLAttachment,
	}
	for _, tt := range []struct{ mail, want string }{
		{"Content-Type: text/plain; charset=nonsense\n\ncaf\xe9", "charset"},
		{"Content-Type: text/plain; charset=iso-8859-1\n\ncafé naïve", "charset"},
		{"Content-Type: text/plain; charset=iso-8859-1\n\ncaf\xe9", ""},
		{"Content-Type: multipart/mixed\n\ntext", "mime"},
		{"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b--\n", ""},
		{"Content-Transfer-Encoding: base64\n\n!!!!", "transfer"},
		{"Content-Transfer-Encoding: base64\n\naGVsbG8=\n", ""},
		{"A: b\n\nvia\x00gra", "control"},
		{"Content-Type: text/html\n\n<p>short</p><p style='display:none'>" + long, "hidden"},
		{"Content-Type: text/html\n\n<p>short</p><p style='display:none'>preview line</p>", ""},
		{"Content-Type: text/html\n\n<img src=http://a.example/x.png>", "image"},
		{"Content-Type: text/html\n\n<img src=http://a.example/x.png>" + long, ""},
		{"Content-Type: text/html\n\n<form action=http://a.example/>x</form>", "form"},
		{strings.ReplaceAll(part, "%", "invoice.pdf.exe"), "double program lie"},
		{strings.ReplaceAll(part, "%", "notes.v1.2.pdf"), "lie program"},
		{"Content-Disposition: attachment; filename=a.html\nContent-Type: application/octet-stream\n\n<html>", "page"},
		{"Content-Disposition: attachment; filename=report.2026.txt\nContent-Type: text/plain\n\nhello", ""},
	} {
		m := email.ParseBytes([]byte(tt.mail))
		for name, signal := range signals {
			want := strings.Contains(tt.want, name)
			if r := signal(m); (r.State == message.StatePresent) != want && !(strings.Contains(tt.want, "lie") && name == "program") {
				t.Errorf("%q: %s %v", tt.mail[:min(len(tt.mail), 120)], name, r)
			}
		}
	}
}

func TestText(t *testing.T) {
	signals := map[string]func(*message.Message) message.Result{
		"mixed": MixedScripts, "styled": StyledLetters, "zero": ZeroWidthInside, "override": DirectionOverride, "spaced": SpacedLetters, "leet": LeetWords,
		"money": MoneyAmounts, "phone": PhoneNumbers, "ucs2": UCS2ForGSM,
	}
	for _, tt := range []struct{ text, want string }{
		{"Your аccount is closed", "mixed"},
		{"𝐘𝐨𝐮 have won", "styled"},
		{"let 𝒙 be prime 🎉🎁", ""},
		{"Ваш account закрыт", ""},
		{"5 μm, Δt and 10 kΩ", ""},
		{"via\u200bgra for you", "zero"},
		{"family 👨\u200d👩\u200d👧 and می\u200cخواهم", ""},
		{"look at \u202efdp.exe", "override"},
		{"see v i a g r a here", "spaced"},
		{"v.i.a.g.r.a", "spaced"},
		{"a b c, plan B - or A", ""},
		{"- - - - - - - x x x x x x x", ""},
		{"cheap v1agra and m0ney", "leet"},
		{"mp3 h264 iPhone14 covid19 x86 B2B 3D a1b2c3 deadbeef1a utf8mb4 md5sums ar71xx vsc73xx", ""},
		{"pay $100 now", "money"},
		{"only 20 EUR", "money"},
		{"$HOME and US $ and EUR", ""},
		{"call +44 7700 900123 now", "phone"},
		{"call 07700900123", "phone"},
		{"on 2026-11-23 10 30 order 123456789012345678 id A-0123456789 160.16.120.48 23.11.2026 10", ""},
		{"plain words", ""},
	} {
		m := sms.New("", "", tt.text)
		for name, signal := range signals {
			if r := signal(m); (r.State == message.StatePresent) != (name == tt.want) {
				t.Errorf("%q: %s %v", tt.text, name, r)
			}
		}
	}
	if r := UCS2ForGSM(sms.Parse(sms.Input{DataCoding: 8, ShortMessage: []byte("\x00H\x00i"), Part: 1, Total: 2})); r.State != message.StateAbsent {
		t.Errorf("one part of a long text: %v", r)
	}
	if r := UCS2ForGSM(sms.Parse(sms.Input{DataCoding: 8, ShortMessage: []byte("\x00H\x00i")})); !r.Equal(yes) {
		t.Error(r)
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Hello World": "hello world", "ＦＲＥＥ": "free", "𝐅𝐫𝐞𝐞": "free", "Ⓕⓡⓔⓔ": "free", "раураl": "paypal", "v\u200bi\u00adagra": "viagra",
		"ﬁne": "fine", "ÉCOLE": "école", "e\u0301": "e", "中文": "中文", "🅵🆁🅴🅴": "free", "ᴠɪᴀɢʀᴀ": "viagra", "a–b “c”": `a-b "c"`,
		"№": "no", "\xff": "\ufffd", "ΡΑΥΡΑL": "paypal",
	} {
		if got := string(Fold(nil, in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	buf := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { Fold(buf, "Your account is CLOSED — раураl") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Héllo ＦＲＥＥ v\u200bi \xff")
	f.Fuzz(func(t *testing.T, s string) {
		once := string(Fold(nil, s))
		if twice := string(Fold(nil, once)); len(twice) > 3*len(once)+8 {
			t.Fatalf("%q grows: %q, %q", s, once, twice)
		}
		if len(once) > 20*len(s)+8 {
			t.Fatalf("%q: %d bytes", s, len(once))
		}
	})
}

func BenchmarkSignals(b *testing.B) {
	m := email.ParseBytes([]byte("From: a@b.example\nSubject: hello\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\n" + strings.Repeat("Some plain words, and more of them. ", 140)))
	all := []func(*message.Message) message.Result{MixedScripts, ZeroWidthInside, DirectionOverride, SpacedLetters, LeetWords, MoneyAmounts, PhoneNumbers}
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range all {
			s(m)
		}
	}
}
