package guise

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"rempart/message"
	"rempart/message/email"
	"rempart/message/sms"
)

// read parses a mail and gathers.
func read(mail string) *message.Message {
	m := email.ParseBytes([]byte(mail))
	Gather(m)
	return m
}

var signals = map[string]func(*message.Message) message.Result{
	"brand_name": BrandName, "brand_domain": BrandDomain, "brand_subject": BrandSubject, "brand_text": BrandText,
	"brand_link": BrandLink, "own_lookalike": OwnLookalike, "reply_lookalike": ReplyLookalike, "name_domain": NameDomain,
	"name_own": NameOwn, "name_postmaster": NamePostmaster, "from_impossible": FromImpossible, "from_random": FromRandom,
	"subject_recipient": SubjectRecipient, "freemail_office": FreemailOffice, "freemail_reply": FreemailReply, "disposable": Disposable,
	"freemail_around": FreemailAround, "message_id_elsewhere": IDElsewhere, "name_colleague": NameColleague,
}

// A Message-ID made by one who handed the mail on says less.
func TestIDOfACarrier(t *testing.T) {
	for via, want := range map[string]float64{"mx2.carrier.example.net": 1, "out7.maker.example.org": 1, "mail.example.com": 0.5} {
		m := read("Received: from " + via + " by mx.home.example; Mon, 23 Nov 2026 10:00:00 +0000\n" +
			"From: x <a@harbour.example>\nMessage-ID: <1@srv12.example.com>\n\n")
		if r := IDElsewhere(m); r.Value != want {
			t.Errorf("by %s: %v, want %v", via, r.Value, want)
		}
	}
}

// Each mail makes exactly the named signals present.
func TestSignals(t *testing.T) {
	for _, tt := range []struct{ mail, want string }{
		{"From: PayPal <service@paypal.com>\nSubject: Your PayPal receipt\n\nhttps://www.paypal.com/x", ""},
		{"From: PayPal Service <x@harbour.example>\n\n", "brand_name"},
		{"From: Pаyраl <x@harbour.example>\n\n", "brand_name"}, // Cyrillic а and р
		{"From: PayPa1 Billing <x@harbour.example>\n\n", "brand_name"},
		{"From: Arnazon Prime <x@harbour.example>\n\n", "brand_name"},
		{"From: \"Wells  Fargo\" <x@harbour.example>\n\n", "brand_name"},
		{"From: Microsoft Account Team <team.ms.4711@outlook.com>\n\n", "brand_name name_postmaster freemail_office"},
		{"From: Outlook <no-reply@outlook.com>\n\n", ""},
		{"From: Amazon <x@amazon.co.jp>\n\n", ""},
		{"From: Apple Support <x@harbour.example>\n\n", "brand_name"},
		{"From: Apple Growers of Kent <x@harbour.example>\n\n", ""},
		{"From: Chase <chase.miller@harbour.example>\n\n", ""},
		{"From: Chase Security Team <info@harbour.example>\n\n", "brand_name"},
		{"From: =?utf-8?B?5LiJ5LqV5L2P5Y+L44Kr44O844OJ?= <x@harbour.example>\n\n", "brand_name"}, // 三井住友カード
		{"From: 'Netflix' via Friends <friends@lists.example>\n\n", ""},
		{"From: Lowe's Canada <x@e.lowes.ca>\n\n", ""},
		{"From: Costco Travel <x@costcotravelclub.example>\n\n", ""}, // owners have more domains than a table
		{"From: x <a@paypal-support.example>\n\n", "brand_domain"},
		{"From: x <a@secure-ledger.example>\n\n", "brand_domain"},
		{"From: x <a@ledger.example>\n\n", ""},
		{"From: x <a@mlcrosoft.example>\n\n", "brand_domain"},
		{"From: x <a@rnicrosoft.example>\n\n", "brand_domain"},
		{"From: x <a@netfliix.example>\n\n", "brand_domain"},
		{"From: x <a@xn--pypal-4ve.example>\n\n", "brand_domain"}, // pаypal
		{"From: x <a@finance.example>\n\n", ""},
		{"From: x <a@harbour.example>\nSubject: Your Netflix subscription ended\n\n", "brand_subject"},
		{"From: x <a@harbour.example>\nSubject: Re: Netflix tonight?\nIn-Reply-To: <1@a.example>\nReferences: <1@a.example>\n\n", ""},
		{"From: x <a@harbour.example>\n\nYour DHL parcel waits: http://parcel.example/pay", "brand_text"},
		{"From: x <a@harbour.example>\n\nYour DHL parcel waits: https://www.dhl.de/x", ""},
		{"From: x <a@harbour.example>\n\nhello http://paypal.harbour.example/", "brand_link"},
		{"From: x <a@harbour.example>\n\nhello http://harbour.example/paypal", ""},
		{"From: x <a@exarnple-works.test>\nTo: ben@example-works.test\n\n", "own_lookalike"},
		{"From: x <a@harborside.example>\nTo: ben@harbourside.example\n\n", "own_lookalike"},
		{"From: x <a@harbourside.test>\nTo: ben@harbourside.example\n\n", ""},
		{"From: x <a@harbour-freight.example>\nReply-To: a@harbour-freigth.example\n\n", "reply_lookalike"},
		{"From: harbour.com <a@elsewhere.example>\n\n", "name_domain"},
		{"From: harbour.com <a@mail.harbour.com>\n\n", ""},
		{"From: Node.js <a@elsewhere.example>\n\n", ""},
		{"From: Harbour Payroll Support <a@elsewhere.example>\nTo: ben@harbour.example\n\n", "name_own"},
		{"From: Harbour Payroll Support <a@harbour.example>\nTo: ben@harbour.example\n\n", ""},
		{"From: Harbour Choir <a@elsewhere.example>\nTo: ben@harbour.example\n\n", ""},
		{"From: Webmail Helpdesk <a@elsewhere.example>\nTo: ben@harbour.example\n\n", "name_postmaster"},
		{"From: Webmail Helpdesk <a@harbour.example>\nTo: ben@harbour.example\n\n", ""},
		{"From: x <alfandega@correio>\n\n", "from_impossible"},
		{"From: x <a@%pedidos.example>\n\n", "from_impossible"},
		{"From: x <a@vy448tguxl.example>\n\n", "from_random"},
		{"From: x <a@j.u.t.o.s.shop.example>\n\n", "from_random"},
		{"From: x <a@news.b2b-direct.example>\n\n", ""},
		{"From: x <a@b.example>\nTo: ben@harbour.example\nSubject: Mailbox Ben@harbour.example is full\n\n", "subject_recipient"},
		{"From: Mr. Smith, Director <smith@gmail.com>\n\n", "freemail_office"},
		{"From: Ada Smith <smith@gmail.com>\n\n", ""},
		{"From: x <a@b.example>\nReply-To: answer@outlook.com\n\n", "freemail_reply"},
		{"From: x <a@gmail.com>\nReply-To: A@gmail.com\n\n", ""},
		{"From: x <a@gmail.com>\nReply-To: claims.a@gmail.com\n\n", "freemail_reply"},
		{"From: x <a@gmail.com>\nReply-To: b@gmail.com\nList-Id: <l.example>\n\n", ""},
		{"From: x <a@mailinator.com>\n\n", "disposable"},
		{"Received: from pc by mx.harbour.example; Mon, 23 Nov 2026 10:00:00 +0000\nFrom: x <a@gmail.com>\n\n", "freemail_around"},
		{"Received: by mail-x.google.com with SMTP id 1; Mon, 23 Nov 2026 10:00:00 +0000\nFrom: x <a@gmail.com>\n\n", ""},
		{"Received: from pc by mx.harbour.example; Mon, 23 Nov 2026 10:00:00 +0000\nFrom: x <a@gmail.com>\nMessage-ID: <1@mail.gmail.com>\n\n", ""},
		{"Received: from pc by notgoogle.com; Mon, 23 Nov 2026 10:00:00 +0000\nFrom: x <a@gmail.com>\n\n", "freemail_around"},
		{"From: x <a@gmail.com>\n\n", ""}, // no hop was told
		{"From: x <a@harbour.example>\nMessage-ID: <1@mail.example.net>\n\n", "message_id_elsewhere"},
		{"From: x <a@harbour.example>\nMessage-ID: <1@worker-7.mail>\n\n", ""},
		{"From: x <a@harbour.example>\nMessage-ID: <1@eu-west-1.amazonses.com>\n\n", ""},
		{"From: x <a@harbour.example>\nMessage-ID: <1@VI1EUR05FT039.eop-eur05.prod.protection.outlook.com>\n\n", ""},
		{"From: x <a@harbour.example>\nMessage-ID: <1@mail.harbour.example>\n\n", ""},
		{"From: x <a@harbour.example>\nMessage-ID: <1@sender.test>\nList-Id: <l.example>\n\n", ""},
	} {
		m := read(tt.mail)
		for name, signal := range signals {
			if r := signal(m); (r.State == message.StatePresent) != slices.Contains(strings.Fields(tt.want), name) {
				t.Errorf("%q: %s %v, want %q", tt.mail, name, r, tt.want)
			}
		}
	}
}

func TestDisguiseCountsTwice(t *testing.T) {
	if r := BrandName(read("From: Pаyраl <x@harbour.example>\n\n")); !r.Equal(message.Present(2, "Pаyраl", "harbour.example")) {
		t.Error(r)
	}
	if r := BrandName(read("From: Paypal <x@harbour.example>\n\n")); !r.Equal(message.Present(1, "Paypal", "harbour.example")) {
		t.Error(r)
	}
}

// A valid signature of the brand speaks for it, whoever handed the mail on.
func TestSignedByTheBrand(t *testing.T) {
	m := read("From: PayPal <x@forwarder.example>\nSubject: PayPal\n\n")
	m.Facts.Auth.DKIM = []message.DKIM{{Status: "pass", Domain: "mail.paypal.com"}}
	for _, signal := range []func(*message.Message) message.Result{BrandName, BrandSubject} {
		if r := signal(m); r.State != message.StateAbsent {
			t.Error(r)
		}
	}
}

func TestBrandInAText(t *testing.T) {
	for text, want := range map[string]message.State{
		"USPS: your parcel is held, pay at http://usps.parcel-fee.example/x": message.StatePresent,
		"Royal Mail: a fee is due https://fee.example/x":                     message.StatePresent,
		"Royal Mail: see https://www.royalmail.com/x":                        message.StateAbsent,
		"see you at http://cinema.example/x":                                 message.StateAbsent,
	} {
		m := sms.Parse(sms.Input{ShortMessage: []byte(text)})
		Gather(m)
		if r := BrandText(m); r.State != want {
			t.Errorf("%q: %v", text, r)
		}
	}
}

func TestSkeleton(t *testing.T) {
	for _, pair := range [][2]string{{"PayPaI", "paypal"}, {"MICR0S0FT", "microsoft"}, {"rnodern", "modem"}, {"vvise", "wise"}, {"раураl", "paypal"}, {"Ꮮеdgеr", "ledger"}} {
		if a, b := string(appendSkeleton(nil, pair[0])), string(appendSkeleton(nil, pair[1])); a != b {
			t.Errorf("%q: %q, %q: %q", pair[0], a, pair[1], b)
		}
	}
	for _, tt := range []struct {
		a, b string
		want bool
	}{{"netflix", "netfIix", true}, {"netflix", "netlfix", true}, {"netflix", "netfli", true}, {"netflix", "netflixx", true}, {"netflix", "netflix", false}, {"netflix", "notfltx", false}, {"ab", "abcd", false}} {
		if near(tt.a, tt.b) != tt.want || near(tt.b, tt.a) != tt.want {
			t.Errorf("near(%q, %q) is %v", tt.a, tt.b, !tt.want)
		}
	}
}

// The table holds together: every domain is registered or a pattern, no brand's spelling is found as another's.
func TestBrands(t *testing.T) {
	for i := range brands {
		b := &brands[i]
		for text := range strings.SplitSeq(b.spellings, "|") {
			if folded := string(appendWords(nil, text)); b.common {
				continue
			} else if c := claimIn(folded, text); c.brand == nil {
				t.Errorf("%q is not found", text)
			} else if c.disguise {
				t.Errorf("%q is taken for a disguise", text)
			}
		}
		for d := range strings.FieldsSeq(b.domains) {
			if !b.owns(strings.Replace(d, "*", "com", 1)) {
				t.Errorf("%q does not own %s", b.spellings, d)
			}
		}
	}
}

// FuzzSignals: no message makes a signal fail, and every result keeps to its bounds.
func FuzzSignals(f *testing.F) {
	for _, s := range []string{
		"From: PayPal <a@xn--pypal-4ve.example>\nTo: b@c.example\nReply-To: x@gmail.com\nSubject: b@c.example\n\nDHL http://dhl.x.example/",
		"From: \"㏄ ㋿ ﷺ\" <a@b>\n\n\u0345 http://xn--a.b-c.d/",
		"From: e \n leclerc\n\n",
		"From: a@xn--zugaa.example\n\nhttp://xn--zugaa.example/ http://xn--zugaa-secure.example/", // labels that nobody sees
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := email.ParseBytes(b)
		Gather(m)
		m.Facts.Namesake = message.NamesakeExecutive
		if len(m.Facts.Guise.Hosts) > maxHosts || len(m.Facts.Guise.Own) > maxOwn {
			t.Fatal("more than the cap")
		}
		for name, signal := range signals {
			r := signal(m)
			if r.Value < 0 || r.Value > 4 {
				t.Fatalf("%s: %v", name, r)
			}
			for _, a := range r.Args {
				if s, ok := a.(string); ok && (!utf8.ValidString(s) || len(s) > maxArgument+4) {
					t.Fatalf("%s: argument %q", name, s)
				}
			}
		}
	})
}
