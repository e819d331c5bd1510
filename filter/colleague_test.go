package filter

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rempart/filter/guise"
	"rempart/message"
	"rempart/message/email"
)

// goesOut has an account write one mail under that name.
func (s *submission) goesOut(account, name string) {
	s.n++
	m := email.ParseBytes(fmt.Appendf(nil, "From: %s <%s>\r\nTo: <ann@else.example>\r\nMessage-ID: <%d.y@harbour.example>\r\n\r\nAt ten.\r\n", name, account, s.n))
	m.Direction, m.Tenant, m.Account, m.Arrived, m.MailFrom = message.Out, s.tenant, account, s.now, account
	m.Recipients = []message.Recipient{{Address: "ann@else.example", Domain: "else.example"}}
	s.Arrive(m)
}

// comesIn judges a mail of testdata/namesake to ben.
func (s *submission) comesIn(t *testing.T, file string, auth message.Authentication) *message.Verdict {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata/namesake", file))
	if err != nil {
		t.Fatal(err)
	}
	m := email.ParseBytes(b)
	m.Direction, m.Tenant, m.Arrived = message.In, s.tenant, s.now
	m.Recipients = []message.Recipient{{Address: "ben@harbour.example", Tenant: s.tenant, Domain: "harbour.example"}}
	m.Facts.Auth = auth
	return s.Judge(t.Context(), m, m.Recipients).Worst()
}

func passes(domain string) message.Authentication {
	return message.Authentication{DMARC: "pass", SPF: "pass", SPFDomain: domain, DKIM: []message.DKIM{{Status: "pass", Domain: domain}}}
}

var namesakes = []struct {
	file string
	auth message.Authentication
	want bool
}{
	{"urgent-request.eml", passes("mailbox.example"), true},
	{"look-alike-letters.eml", passes("harbour-group.example"), true},
	{"service-notification.eml", passes("forge.example"), false},
	{"service-notification.eml", message.Authentication{DMARC: "fail"}, true}, // says so only
	{"free-mailbox-noreply.eml", passes("gmail.com"), true},                   // gmail.com vouches for everybody
	{"service-name-answers-elsewhere.eml", passes("cheap-host.example"), true},
	{"list-in-from.eml", passes("lists.marina.example"), false},
	{"own-address.eml", message.Authentication{DMARC: "fail", SPF: "fail"}, false}, // forged or forwarded: DMARC's matter
	{"mailing-service.eml", passes("newsletters.example"), true},
	{"mailing-service.eml", passes("harbour.example"), false}, // signed by the own domain
}

// Whose mail went out on three days is known by name, from then on, and so is who stands on the operator's list.
func TestNamesakes(t *testing.T) {
	for _, way := range []string{"account", "executive"} {
		s := newSubmission()
		if way == "executive" {
			roll, err := guise.NewRoll([]guise.Executives{{Domain: "Harbour.example", People: []string{"Jane Roe <Jane@harbour.example>"}}})
			if err != nil {
				t.Fatal(err)
			}
			s.Ask(Asks{Executives: roll})
		}
		for range 3 {
			if present(s.comesIn(t, "urgent-request.eml", passes("mailbox.example")), "name_colleague") != (way == "executive") {
				t.Errorf("%s: known after less than three days, or not on the list", way)
			}
			if way == "account" {
				s.goesOut("jane@harbour.example", "Dr. Jane A. Roe")
				s.goesOut("desk@harbour.example", "Customer Service")
				s.now = s.now.Add(24 * time.Hour)
			}
		}
		for _, tt := range namesakes {
			if got := present(s.comesIn(t, tt.file, tt.auth), "name_colleague"); got != tt.want {
				t.Errorf("%s, %s: %v", way, tt.file, got)
			}
		}
	}
}

// A private address that the recipient wrote to is theirs; a stranger's is not.
func TestKnownNamesake(t *testing.T) {
	s := newSubmission()
	for range 3 {
		s.goesOut("jane@harbour.example", "Jane Roe")
		s.now = s.now.Add(24 * time.Hour)
	}
	if !present(s.comesIn(t, "private-address.eml", passes("mailbox.example")), "name_colleague") {
		t.Error("a stranger with her name")
	}
	s.send("ben@harbour.example", "ben@harbour.example", "FR", 64500, "jane.roe.sails@mailbox.example")
	if present(s.comesIn(t, "private-address.eml", passes("mailbox.example")), "name_colleague") {
		t.Error("her private address, to which ben wrote")
	}
	if !present(s.comesIn(t, "private-address.eml", message.Authentication{}), "name_colleague") {
		t.Error("her private address as anybody may write it")
	}
	s.Forget(func(string) bool { return true })
	if present(s.comesIn(t, "urgent-request.eml", passes("mailbox.example")), "name_colleague") {
		t.Error("known after all was forgotten")
	}
}

// What one tenant's accounts are called says nothing to another's recipients.
func TestTenantsColleaguesAreApart(t *testing.T) {
	s := newSubmission()
	s.tenant = "south"
	for range 3 {
		s.goesOut("jane@harbour.example", "Jane Roe")
		s.now = s.now.Add(24 * time.Hour)
	}
	if !present(s.comesIn(t, "urgent-request.eml", passes("mailbox.example")), "name_colleague") {
		t.Error("not known in her tenant")
	}
	s.tenant = "north"
	if present(s.comesIn(t, "urgent-request.eml", passes("mailbox.example")), "name_colleague") {
		t.Error("known in another tenant")
	}
}
