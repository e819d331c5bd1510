package quarantine

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rempart/message/email"
)

var signInLink = regexp.MustCompile(`^https://mail\.b\.example` + SignInPath + `([\w-]+)$`)

// latestLink is what the latest mail leads to.
func (s *server) latestLink(t *testing.T) string {
	t.Helper()
	mail := s.mails[len(s.mails)-1]
	m := email.ParseBytes([]byte(strings.SplitN(mail, "\r\n", 3)[2]))
	if len(m.Links) != 1 || m.Subject == "" || m.Header.Get("Auto-Submitted") != "auto-generated" || !strings.HasPrefix(mail, "MAIL FROM:<>\r\n") {
		t.Fatalf("mail %q", mail)
	}
	found := signInLink.FindStringSubmatch(m.Links[0].URL)
	if found == nil {
		t.Fatalf("link %q", m.Links[0].URL)
	}
	return found[1]
}

// A link goes to who has a copy here, works once, across a restart too, for a quarter of an hour, in which a mailbox gets so many.
func TestSignIn(t *testing.T) {
	s := serve(t)
	r := newRig(t, "")
	c := Config{NextHop: s.Addr().String(), URL: "https://mail.b.example/", DigestFrom: "Mail quarantine <postmaster@b.example>"}
	if r.Writes() {
		t.Error("without an address to write from links are sent")
	}
	r.Reconfigure(c)
	r.keep(t, Mail{ID: "m1", Recipients: []string{"Ben@b.example", "carl+shop@b.example"}, Raw: []byte(raw),
		Mailboxes: map[string]string{"carl+shop@b.example": "carl@b.example"}})
	r.keep(t, Mail{ID: "m2", Recipients: []string{"eve@else.example"}, Outgoing: true, Raw: []byte(raw)})
	for _, tt := range []struct {
		address   string
		mailboxes []string
		want      error
	}{
		{"eve@else.example", []string{"eve@else.example"}, ErrNotFound}, // others' user
		{"dan@b.example", []string{"dan@b.example"}, ErrNotFound},
		{"ben@b.example", nil, ErrNotFound},
		{"ben@b.example", []string{""}, ErrNotFound},
		{"a> b@b.example", []string{"ben@b.example"}, ErrNotFound},
		{"ben@b.example\r\nDATA", []string{"ben@b.example"}, ErrNotFound},
		{"Ben <ben@b.example>", []string{"ben@b.example"}, ErrNotFound},
		{"ben@b.example", []string{"ben@b.example"}, nil},
		{"carl@b.example", []string{"carl@b.example"}, nil},
	} {
		before := len(s.mails)
		if err := r.MailSignIn(t.Context(), tt.address, tt.mailboxes); !errors.Is(err, tt.want) {
			t.Errorf("%q: %v, want %v", tt.address, err, tt.want)
		}
		if sent := len(s.mails) - before; (sent == 1) != (tt.want == nil) {
			t.Errorf("%q: %d mails", tt.address, sent)
		}
	}
	if t.Failed() {
		return
	}
	link := s.latestLink(t)
	got, err := r.SignInAddress(link)
	if used := r.SignIn(t.Context(), link); got != "carl@b.example" || err != nil || used != nil {
		t.Fatalf("%q %v %v", got, err, used)
	}
	if got := r.list(t, Query{Mailboxes: []string{"carl@b.example"}}); got != "m1 carl+shop@b.example " {
		t.Errorf("carl sees %q", got)
	}
	if _, err := r.Mine(t.Context(), "m1", "Ben@b.example", []string{"carl@b.example"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("carl sees Ben's: %v", err)
	}
	r.Close()
	r.open(t, "")
	r.Reconfigure(c)
	if err := r.SignIn(t.Context(), link); !errors.Is(err, ErrSignIn) {
		t.Errorf("used again after a restart: %v", err)
	}
	c.NextHop = "127.0.0.1:1"
	r.Reconfigure(c)
	for range signIns {
		if err := r.MailSignIn(t.Context(), "ben@b.example", []string{"ben@b.example"}); err == nil || errors.Is(err, ErrSignIns) {
			t.Errorf("with the next hop away: %v", err)
		}
	}
	c.NextHop = s.Addr().String()
	r.Reconfigure(c)
	for range signIns - 1 { // what was not sent does not count
		if err := r.MailSignIn(t.Context(), "ben@b.example", []string{"ben@b.example"}); err != nil {
			t.Fatal(err)
		}
	}
	link = s.latestLink(t)
	if err := r.MailSignIn(t.Context(), "ben@b.example", []string{"ben@b.example"}); !errors.Is(err, ErrSignIns) {
		t.Errorf("one too many: %v", err)
	}
	r.at = r.at.Add(SignInLife)
	if err := r.SignIn(t.Context(), link); !errors.Is(err, ErrSignIn) {
		t.Errorf("too old: %v", err)
	}
	if err := r.MailSignIn(t.Context(), "ben@b.example", []string{"ben@b.example"}); err != nil {
		t.Errorf("who has no link that is good gets none: %v", err)
	}
	if err := r.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	count := func() (n int) {
		if err := r.db.QueryRow("SELECT count(*) FROM signins").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if count() != 1 {
		t.Errorf("%d links are remembered", count())
	}
	if _, err := r.Erase(t.Context(), func(a string) bool { return strings.EqualFold(a, "ben@b.example") }); err != nil || count() != 0 {
		t.Errorf("of who was erased %d links are remembered, %v", count(), err)
	}
}

// Who presses twice signs in once.
func TestSignInAtOnce(t *testing.T) {
	s := serve(t)
	r := newRig(t, "")
	r.Reconfigure(Config{NextHop: s.Addr().String(), URL: "https://mail.b.example", DigestFrom: "postmaster@b.example"})
	r.keep(t, Mail{ID: "m1", Recipients: []string{"ben@b.example"}, Raw: []byte(raw)})
	if err := r.MailSignIn(t.Context(), "ben@b.example", []string{"ben@b.example"}); err != nil {
		t.Fatal(err)
	}
	link := s.latestLink(t)
	var all sync.WaitGroup
	var in atomic.Int64
	for range 8 {
		all.Go(func() {
			if err := r.SignIn(t.Context(), link); err == nil {
				in.Add(1)
			} else if !errors.Is(err, ErrSignIn) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Errorf("%d signed in", in.Load())
	}
}

// Whatever somebody writes into the form, what mail is sent to needs no quoting in SMTP and is one address.
func FuzzPlainAddress(f *testing.F) {
	for _, s := range []string{"ben@b.example", "Ben <ben@b.example>", "\"a b\"@b.example", "a@b, c@d", "a@[192.0.2.1]", "\u00e4@b.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if Plain(address) && (len(address) > maxAddress || strings.Count(address, "@") != 1 || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f }) ||
			strings.ContainsAny(address, "<>\",;")) {
			t.Fatalf("%q", address)
		}
	})
}

// A link is good unchanged alone, and no other secret of ours is one.
func TestSignInLinksAreSealed(t *testing.T) {
	s := serve(t)
	r := newRig(t, "")
	r.Reconfigure(Config{NextHop: s.Addr().String(), URL: "https://mail.b.example", DigestFrom: "postmaster@b.example"})
	r.keep(t, Mail{ID: "m1", Recipients: []string{"ben@b.example"}, Raw: []byte(raw)})
	if err := r.MailSignIn(t.Context(), "ben@b.example", []string{"ben@b.example"}); err != nil {
		t.Fatal(err)
	}
	link := s.latestLink(t)
	b, _ := linkText.DecodeString(link)
	for i := range b {
		b[i] ^= 1
		if err := r.SignIn(t.Context(), linkText.EncodeToString(b)); !errors.Is(err, ErrSignIn) {
			t.Errorf("byte %d of it changed: %v", i, err)
		}
		b[i] ^= 1
	}
	c, err := r.Get(t.Context(), "m1", "ben@b.example")
	if err != nil {
		t.Fatal(err)
	}
	other, err := r.Link(&c)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "x", "%%", link[1:], link + "AAAA", other} {
		if err := r.SignIn(t.Context(), wrong); !errors.Is(err, ErrSignIn) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if _, err := r.Linked(t.Context(), link); !errors.Is(err, ErrNotFound) {
		t.Errorf("a link to sign in opens a copy: %v", err)
	}
	r.at = r.at.Add(time.Minute)
	if err := r.SignIn(t.Context(), link); err != nil {
		t.Error(err)
	}
}
