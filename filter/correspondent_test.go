package filter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rempart/message"
	"rempart/message/email"
)

// incoming judges one mail to ben as the node does.
func (s *submission) incoming(t *testing.T, header string, auth message.Authentication) *message.Verdict {
	return s.incomingTo(t, header, auth, "ben@home.example")
}

// incomingTo judges one mail to others.
func (s *submission) incomingTo(t *testing.T, header string, auth message.Authentication, to ...string) *message.Verdict {
	m := email.ParseBytes([]byte(header + "To: <ben@home.example>\r\nSubject: about tomorrow\r\nMessage-ID: <1@else.example>\r\n\r\nAt ten is fine.\r\n"))
	m.Direction, m.Arrived, m.MailFrom = message.In, s.now, "x@else.example"
	m.Tenant = s.tenant
	for _, a := range to {
		m.Recipients = append(m.Recipients, message.Recipient{Address: a, Tenant: s.tenant, Domain: "home.example"})
	}
	m.Facts.Auth = auth // no DNS is asked: the facts stay
	s.Arrive(m)
	j := s.Judge(t.Context(), m, m.Recipients)
	s.Judged(m, j)
	return j.Worst()
}

// Who is verified and was written to, or wrote honest mail on three days, is known; who only says so is not.
func TestKnownSender(t *testing.T) {
	signed := message.Authentication{DKIM: []message.DKIM{{Status: "pass", Domain: "else.example"}}}
	list := message.Authentication{SPF: "pass", SPFDomain: "lists.example", DMARC: "fail", DKIM: []message.DKIM{{Status: "fail", Domain: "else.example"}}}
	const ann, talk = "From: <ann@else.example>\r\n", "From: <ann@else.example>\r\nList-Id: Talk <talk.lists.example>\r\nList-Post: <mailto:talk@lists.example>\r\n"
	for _, tt := range []struct {
		name   string
		header string
		auth   message.Authentication
		days   int  // of the same mail before, one a day
		known  bool // after those
	}{
		{"never seen", ann, signed, 0, false},
		{"two days", ann, signed, 2, false},
		{"three days", ann, signed, 3, true},
		{"three days, unsigned", ann, message.Authentication{}, 3, false},
		{"list that fails DMARC", talk, list, 3, true},
		{"list by name only", talk, message.Authentication{SPF: "pass", SPFDomain: "elsewhere.example"}, 3, false},
	} {
		s := newSubmission()
		for range tt.days {
			if v := s.incoming(t, tt.header, tt.auth); v.Probability >= 0.5 {
				t.Fatalf("%s: %.3f", tt.name, v.Probability)
			}
			s.incoming(t, tt.header, tt.auth) // a second one on the same day makes nobody better known
			s.now = s.now.Add(24 * time.Hour)
		}
		if got := present(s.incoming(t, tt.header, tt.auth), "known_sender"); got != tt.known {
			t.Errorf("%s: known %v", tt.name, got)
		}
	}
	s := newSubmission()
	s.send("ben", "ben@home.example", "FR", 64500, "ann@else.example")
	if !present(s.incoming(t, ann, signed), "known_sender") || present(s.incoming(t, ann, message.Authentication{}), "known_sender") {
		t.Error("whom a mailbox wrote to is known if verified, and only then")
	}
	s.Forget(func(string) bool { return true })
	if present(s.incoming(t, ann, signed), "known_sender") {
		t.Error("known after all was forgotten")
	}
}

// Who judges for one tenant makes nobody known to another tenant's mailbox, in neither way, and answers none of its mail.
func TestTenantsCorrespondentsAreApart(t *testing.T) {
	s := newSubmission()
	signed := message.Authentication{DKIM: []message.DKIM{{Status: "pass", Domain: "else.example"}}}
	s.tenant = "south"
	m, _ := s.send("ben@home.example", "ben@home.example", "FR", 64500, "ann@else.example")
	answer := "From: <ann@else.example>\r\nIn-Reply-To: <" + m.MessageID + ">\r\n"
	const carl = "From: <carl@else.example>\r\n"
	for range 3 {
		s.incoming(t, carl, signed)
		s.now = s.now.Add(24 * time.Hour)
	}
	for tenant, want := range map[string]bool{"South": true, "north": false, "": false} {
		s.tenant = tenant
		for _, header := range []string{answer, carl} {
			if got := present(s.incoming(t, header, signed), "known_sender"); got != want {
				t.Errorf("tenant %q, %q: known %v", tenant, header, got)
			}
		}
		if got := present(s.incoming(t, answer, signed), "answers_ours"); got != want {
			t.Errorf("tenant %q: answers %v", tenant, got)
		}
	}
}

// Whom an account writes to is known to its own mailbox, whatever envelope sender it gives.
func TestMailboxIsTheAccounts(t *testing.T) {
	signed := message.Authentication{DKIM: []message.DKIM{{Status: "pass", Domain: "else.example"}}}
	for _, tt := range []struct {
		account, from string
		known         bool // to ben@home.example
	}{
		{"ben@home.example", "ben@home.example", true},
		{"Ben@home.example", "ben+news@home.example", true},
		{"eve@home.example", "ben@home.example", false},
		{"ben", "ben@home.example", true},
		{"ben", "eve@home.example", false},
	} {
		s := newSubmission()
		s.send(tt.account, tt.from, "FR", 64500, "ann@else.example")
		if got := present(s.incoming(t, "From: <ann@else.example>\r\n", signed), "known_sender"); got != tt.known {
			t.Errorf("%s as %s: known %v", tt.account, tt.from, got)
		}
	}
}

// An answer names a mail that went out from here, and its author is verified.
func TestAnswersOurs(t *testing.T) {
	s := newSubmission()
	m, _ := s.send("ben", "ben@home.example", "FR", 64500, "ann@else.example")
	signed := message.Authentication{DKIM: []message.DKIM{{Status: "pass", Domain: "other.example"}}}
	const carl = "From: <carl@other.example>\r\n"
	for header, want := range map[string]bool{
		carl + "In-Reply-To: <" + m.MessageID + ">\r\n":                                      true,
		carl + "In-Reply-To: <2@x>\r\nReferences: <0@x>\r\n <" + m.MessageID + "> <2@x>\r\n": true,
		carl + "In-Reply-To: <2@x>\r\nReferences: <<<>>\r\n":                                 false,
		carl: false,
	} {
		if got := present(s.incoming(t, header, signed), "answers_ours"); got != want {
			t.Errorf("%q: %v", header, got)
		}
		if present(s.incoming(t, header, message.Authentication{}), "answers_ours") {
			t.Errorf("%q: an unverified author answers", header)
		}
	}
}

// An answer comes to the mailbox that wrote, perhaps with others: who knows a Message-ID of one mailbox is a stranger to the rest.
func TestAnswersTheMailboxThatWrote(t *testing.T) {
	s := newSubmission()
	m, _ := s.send("ben@home.example", "ben@home.example", "FR", 64500, "ann@else.example")
	signed := message.Authentication{DKIM: []message.DKIM{{Status: "pass", Domain: "other.example"}}}
	answer := "From: <carl@other.example>\r\nIn-Reply-To: <" + m.MessageID + ">\r\n"
	crowd := []string{"ben@home.example"}
	for i := range maxAcquainted {
		crowd = append(crowd, fmt.Sprintf("mailbox%d@home.example", i))
	}
	for _, tt := range []struct {
		to   []string
		want bool
	}{
		{[]string{"Ben@home.example"}, true},
		{[]string{"eve@home.example", "ben@home.example"}, true},
		{[]string{"eve@home.example"}, false},
		{[]string{"eve@home.example", "ann@else.example"}, false},
		{crowd, false},
		{nil, false},
	} {
		if got := present(s.incomingTo(t, answer, signed, tt.to...), "answers_ours"); got != tt.want {
			t.Errorf("to %q: answers %v", tt.to, got)
		}
	}
	s.Forget(func(string) bool { return true })
	if present(s.incoming(t, answer, signed), "answers_ours") {
		t.Error("answered after all was forgotten")
	}
}

func FuzzSenders(f *testing.F) {
	f.Add("<a@b> <c@d>", "Talk <talk.lists.example>", "lists.example")
	f.Add("<<<>>><", "<>", ".")
	f.Fuzz(func(t *testing.T, thread, list, domain string) {
		m := &message.Message{Header: message.Header{{Name: "References", Value: thread}, {Name: "List-Id", Value: list}}}
		m.Facts.Auth = message.Authentication{SPF: "pass", SPFDomain: domain}
		for _, id := range answered(m) {
			if strings.ContainsAny(id, "<>") {
				t.Fatalf("%q names %q", thread, id)
			}
		}
		for _, who := range sendersOf(m) {
			if !strings.HasSuffix(who, strings.ToLower(domain)) || !strings.Contains(domain, ".") {
				t.Fatalf("%q vouches for %q", domain, who)
			}
		}
	})
}
