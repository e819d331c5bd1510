package content

import (
	"strings"
	"testing"
	"unicode/utf8"

	"rempart/message"
	"rempart/message/email"
	"rempart/message/sms"
)

var every = []func(*message.Message) message.Result{DateAhead, DateBehind, DateMissing, DateUnreadable, MessageIDMissing,
	MessageIDMalformed, FromMissing, FromMultiple, DuplicateField, ToMissing, ToUndisclosed, ToSelf, ReceivedAbsent, ReceivedForged,
	Replies, ThreadForged, ListUnsubscribe, MailingList, SubjectCapitals, SubjectExclaims, SubjectFakeReply, EncodedPlain, ReplyElsewhere,
	NameAddress, BrokenHeader, Header8Bit, BrokenWord, CharsetLie, CharsetBroken, BrokenMIME, BrokenTransfer, ControlBytes,
	Oversized, DoubleExtension, Executable, TypeLie, HTMLAttachment, HiddenText, HTMLOnly, ImageOnly, Form, MixedScripts,
	StyledLetters, ZeroWidthInside, DirectionOverride, SpacedLetters, LeetWords, MoneyAmounts, PhoneNumbers, UCS2ForGSM, BrokenUserData,
	UnreadableCoding, PortAddressed, Flash, Macros, EmbeddedObject, RemoteTemplate, PDFAction, FileLinks, Smuggling,
	PageAsksPassword, ArchiveProgram, Locked, LockedPassword,
	MailerForged, MessageIDLocal, HeloOdd, HeloOwn, OneClick, UnsubscribeOwn, Backscatter, Ballast}

// FuzzSignals: no message makes a signal fail, and every result keeps to its bounds.
func FuzzSignals(f *testing.F) {
	for _, s := range []string{
		"From: \"a@b.example\" <c@d.test>\nReply-To: x@y.test\nSubject: RE: F R E E E e !! v1agra\n\npay $1 now +447700900123 раypal v\u200bi",
		"Content-Type: text/html\n\n<form action=http://a.example><p style=display:none>x",
		"Content-Disposition: attachment; filename=a.pdf.exe\nContent-Type: application/pdf\n\nMZ",
		"Received: from [192.0.2.1] by x; Mon, 23 Nov 2026 10:00 +0000\nSubject: =?utf-8?B?YQ==?=\n\n20 EUR\u202e",
		"Content-Type: multipart/report; boundary=b\n\n--b\n\nno\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <1@a.example>\n\nx\n--b--\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range []*message.Message{email.ParseBytes(b), sms.Parse(sms.Input{ShortMessage: b, UDHI: len(b)%2 == 0})} {
			m.Arrived = arrived
			if id := ReturnedID(m); len(id) > len(b) || strings.ContainsAny(id, "<> \r\n") {
				t.Fatalf("returned %q", id)
			}
			for i, signal := range every {
				r := signal(m)
				if r.Value < 0 || r.Value > 4 || r.State != message.StatePresent && (r.Value != 0 || r.Args != nil) {
					t.Fatalf("signal %d: %v", i, r)
				}
				for _, a := range r.Args {
					if s, ok := a.(string); ok && (!utf8.ValidString(s) || len(s) > maxArgument+4) {
						t.Fatalf("signal %d: argument %q", i, s)
					}
				}
			}
		}
	})
}
