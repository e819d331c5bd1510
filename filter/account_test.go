package filter

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rempart/message"
	"rempart/message/email"
)

// submission judges what accounts send as the node does: each mail arrives once.
type submission struct {
	*Filter
	n      int
	now    time.Time
	tenant string // whose mail it is from now on
}

func newSubmission() *submission {
	return &submission{Filter: New(Options{}), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
}

// send has account write one honest-looking mail from a country and network.
func (s *submission) send(account, from, country string, network uint32, to ...string) (*message.Message, *message.Verdict) {
	s.n++
	m := email.ParseBytes(fmt.Appendf(nil, "From: <%s>\r\nTo: <%s>\r\nSubject: about tomorrow\r\nMessage-ID: <%d.x@home.example>\r\nDate: %s\r\n\r\n"+
		"Hello, shall we meet at ten? The room is number %d.\r\n", from, to[0], s.n, s.now.Format(time.RFC1123Z), s.n))
	m.Direction, m.Tenant, m.Account, m.Arrived, m.MailFrom = message.Out, s.tenant, account, s.now, from
	m.Source = message.Source{Country: country, Network: network, Trusted: true}
	for _, a := range to {
		m.Recipients = append(m.Recipients, message.Recipient{Address: a, Domain: "else.example"})
	}
	s.Arrive(m)
	v := s.Judge(context.Background(), m, m.Recipients).Worst()
	if again := s.Judge(context.Background(), m, m.Recipients).Worst(); again.Score != v.Score {
		panic("a mail that is judged twice counts twice")
	}
	return m, v
}

// fortnight is two weeks of an account that writes to eight people, some mails a day.
func (s *submission) fortnight(t *testing.T, account string) {
	t.Helper()
	for range 14 {
		for i := range 6 {
			if _, v := s.send(account, account, "FR", 64500, fmt.Sprintf("friend%d@else.example", i)); v.Probability > 0.3 {
				t.Fatalf("an ordinary mail: %.3f, %+v", v.Probability, v.Contributions)
			}
			s.now = s.now.Add(time.Hour)
		}
		s.now = s.now.Add(18 * time.Hour)
	}
}

func present(v *message.Verdict, name string) bool {
	for _, c := range v.Contributions {
		if c.Name == name && c.State == message.StatePresent {
			return true
		}
	}
	return false
}

// Who stole an account sends from elsewhere, to strangers, fast, and much of it comes back. What the mails say is honest.
func TestStolenAccount(t *testing.T) {
	s := newSubmission()
	s.fortnight(t, "anna@home.example")
	stopped := 0
	for i := range 400 {
		s.now = s.now.Add(2 * time.Second)
		m, v := s.send("anna@home.example", "anna@home.example", "ZZ", 64999, fmt.Sprintf("stranger%d@else.example", i))
		if i == 0 && !(present(v, "send_new_country") && present(v, "send_new_network")) {
			t.Errorf("the first mail from elsewhere: %+v", m.Facts.Sending)
		}
		if i%4 == 0 {
			s.bounce(m.MessageID)
		}
		if v.Probability >= 0.9 {
			stopped = i
			break
		}
	}
	t.Logf("stopped after %d mails", stopped)
	if stopped == 0 || stopped > 80 {
		t.Errorf("stopped after %d mails", stopped)
	}
	// Another account at the same time is not touched.
	s.fortnight(t, "ben@home.example")
	s.Forget(func(name string) bool { return name == "anna@home.example" })
	if m, _ := s.send("anna@home.example", "anna@home.example", "ZZ", 64999, "x@else.example"); m.Facts.Sending.Hour != 1 || m.Facts.Sending.Usual != 0 {
		t.Errorf("forgotten, but %+v", m.Facts.Sending)
	}
}

// bounce lets a report of non-delivery come in for a mail that went out, and one for a mail that nobody here sent.
func (s *submission) bounce(ids ...string) {
	for _, id := range append(ids, "forged@home.example") {
		m := email.ParseBytes([]byte("From: <mailer-daemon@else.example>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
			"--b\r\n\r\nno such user\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: <anna@home.example>\r\nMessage-ID: <" + id + ">\r\n\r\nhello\r\n--b--\r\n"))
		m.Direction, m.Tenant, m.Arrived = message.In, s.tenant, s.now
		s.Arrive(m)
	}
}

// A report counts for the account that sent the mail; for a Message-ID that we never gave out it counts for nobody.
func TestReturnedMail(t *testing.T) {
	s := newSubmission()
	for range 10 {
		m, _ := s.send("anna", "anna@home.example", "FR", 64500, "gone@else.example")
		s.bounce(m.MessageID)
	}
	m, v := s.send("anna", "anna@home.example", "FR", 64500, "gone@else.example")
	if m.Facts.Sending.Returned != 10 || m.Facts.Sending.Day != 11 || !present(v, "send_returned") {
		t.Errorf("%+v", m.Facts.Sending)
	}
	if m, _ := s.send("ben", "ben@home.example", "FR", 64500, "gone@else.example"); m.Facts.Sending.Returned != 0 {
		t.Errorf("another account: %+v", m.Facts.Sending)
	}
}

// Who got a mail can report it back as often as they like: it counts no more often than it had recipients.
func TestReturnedOften(t *testing.T) {
	s := newSubmission()
	for _, to := range [][]string{{"ann@else.example"}, {"ann@else.example", "carl@else.example"}} {
		m, _ := s.send("anna", "anna@home.example", "FR", 64500, to...)
		for range 100 {
			s.bounce(m.MessageID)
		}
	}
	m, v := s.send("anna", "anna@home.example", "FR", 64500, "carl@else.example")
	if m.Facts.Sending.Returned != 3 || present(v, "send_returned") {
		t.Errorf("%.3f, %+v", v.Probability, m.Facts.Sending)
	}
	// Parts of one mail, each to another recipient, can come back each.
	for range 4 {
		s.n = 100
		m, _ = s.send("ben", "ben@home.example", "FR", 64500, "gone@else.example")
	}
	for range 100 {
		s.bounce(m.MessageID)
	}
	if m, _ := s.send("ben", "ben@home.example", "FR", 64500, "gone@else.example"); m.Facts.Sending.Returned != 4 {
		t.Errorf("in parts: %+v", m.Facts.Sending)
	}
}

// Complaints count for the account that sent the mail, no more often than a mail had recipients; a few in many recipients say nothing.
func TestComplaints(t *testing.T) {
	s := newSubmission()
	crowd := make([]string, 90)
	for i := range crowd {
		crowd[i] = fmt.Sprintf("reader%d@else.example", i)
	}
	for i, want := range []bool{false, false, true} {
		m, _ := s.send("anna", "anna@home.example", "FR", 64500, "ann@else.example")
		for range 10 {
			s.Complained(s.tenant, m.MessageID, s.now)
			s.Complained(s.tenant, "forged@home.example", s.now)
		}
		m, v := s.send("anna", "anna@home.example", "FR", 64500, "carl@else.example")
		if m.Facts.Sending.Complained != uint32(i+1) || present(v, "send_complained") != want {
			t.Errorf("after %d: %+v", i+1, m.Facts.Sending)
		}
	}
	for range 50 {
		s.send("ben", "ben@home.example", "FR", 64500, crowd...)
	}
	for range 3 {
		m, _ := s.send("ben", "ben@home.example", "FR", 64500, "ann@else.example")
		s.Complained(s.tenant, m.MessageID, s.now)
	}
	if m, v := s.send("ben", "ben@home.example", "FR", 64500, "carl@else.example"); m.Facts.Sending.Complained != 3 || present(v, "send_complained") {
		t.Errorf("a newsletter: %+v", m.Facts.Sending)
	}
}

// What is judged for one tenant says nothing of another's account of the same name, nor does mail that came back to it.
func TestTenantsAccountsAreApart(t *testing.T) {
	s := newSubmission()
	s.tenant = "North"
	s.fortnight(t, "anna@home.example")
	m, before := s.send("anna@home.example", "anna@home.example", "FR", 64500, "friend1@else.example")
	want := m.Facts.Sending
	want.Hour, want.Day = want.Hour+1, want.Day+1
	s.tenant = "south"
	for i := range 300 {
		stranger, _ := s.send("anna@home.example", fmt.Sprintf("name%d@home%d.example", i, i), "ZZ", 64999, fmt.Sprintf("stranger%d@else.example", i))
		s.bounce(stranger.MessageID, m.MessageID)
	}
	s.tenant = "north"
	m, after := s.send("anna@home.example", "anna@home.example", "FR", 64500, "friend1@else.example")
	if m.Facts.Sending != want || after.Probability > before.Probability+0.01 {
		t.Errorf("%.3f, after another tenant's %.3f: %+v, not %+v", before.Probability, after.Probability, m.Facts.Sending, want)
	}
	s.Forget(func(name string) bool { return name == "anna@home.example" })
	for _, s.tenant = range []string{"north", "south"} {
		if m, _ := s.send("anna@home.example", "anna@home.example", "FR", 64500, "x@else.example"); m.Facts.Sending.Day != 1 {
			t.Errorf("%s: forgotten, but %+v", s.tenant, m.Facts.Sending)
		}
	}
}

// A club writes to its three hundred members each week: unusual the first time, but no spam, and then its habit.
func TestClub(t *testing.T) {
	s := newSubmission()
	members := make([]string, 300)
	for i := range members {
		members[i] = fmt.Sprintf("member%d@else.example", i)
	}
	s.fortnight(t, "club@home.example") // its secretary's mails come first
	for week := range 8 {
		m, v := s.send("club@home.example", "club@home.example", "FR", 64500, members...)
		if v.Probability >= 0.9 {
			t.Errorf("week %d: %.3f, %+v", week, v.Probability, m.Facts.Sending)
		}
		if week > 0 && m.Facts.Sending.Strangers > 20 {
			t.Errorf("week %d: %d strangers among members", week, m.Facts.Sending.Strangers)
		}
		s.now = s.now.Add(7 * 24 * time.Hour)
	}
}

// One account that writes under many names is a program's, or stolen.
func TestManyAuthors(t *testing.T) {
	s := newSubmission()
	var v *message.Verdict
	for i := range 20 {
		_, v = s.send("anna", fmt.Sprintf("name%d@home%d.example", i, i), "FR", 64500, "friend@else.example")
		if i < 3 && present(v, "send_authors") {
			t.Errorf("%d authors speak against it", i+1)
		}
	}
	if !present(v, "send_authors") {
		t.Error("twenty authors do not speak against it")
	}
}
