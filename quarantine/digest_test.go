package quarantine

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"rempart/message/email"
)

func TestDigestMoment(t *testing.T) {
	for _, tt := range []struct{ now, want string }{
		{"2026-11-28T05:00:00Z", "2026-11-28T05:00:00Z"},
		{"2026-11-28T04:59:59Z", "2026-11-27T05:00:00Z"},
		{"2026-11-28T23:00:00Z", "2026-11-28T05:00:00Z"},
	} {
		now, _ := time.Parse(time.RFC3339, tt.now)
		if got := digestMoment(now, 5*time.Hour).Format(time.RFC3339); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.now, got, tt.want)
		}
	}
}

// Each recipient is told once a day at most, of what is new, waits and may be released; a digest that was not taken comes later.
func TestDigests(t *testing.T) {
	s := serve(t)
	r := newRig(t, s.Addr().String())
	c := Config{NextHop: s.Addr().String(), URL: "https://mail.b.example/", DigestFrom: "Mail quarantine <postmaster@b.example>"}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	spam := []byte("From: \"Prize <b>Office</b>\" <a@a.example>\r\nSubject: =?utf-8?q?W=C3=B6n?=\r\n\r\nhi\r\n")
	r.keep(t, Mail{ID: "m1", Recipients: []string{"ben@b.example", "not.now@a.b.example", "never@b.example"}, Raw: spam})
	r.keep(t, Mail{ID: "m2", Recipients: []string{"carl@b.example"}, Malware: true, Raw: spam})
	r.keep(t, Mail{ID: "m3", Recipients: []string{"eve@else.example"}, Outgoing: true, Raw: spam})
	r.Reconfigure(c)
	tell := func(want int) {
		t.Helper()
		if err := r.tell(t.Context()); err != nil && !strings.Contains(err.Error(), "put off 1 of") {
			t.Fatal(err)
		}
		if len(s.mails) != want {
			t.Errorf("at %s %d digests were sent, want %d", r.at, len(s.mails), want)
		}
	}
	tell(0) // what came at noon waits for the next morning
	r.at = begun.Add(17 * time.Hour)
	tell(1)
	tell(1)
	r.Close()
	r.open(t, "")
	r.Reconfigure(c)
	tell(1) // nor after a restart

	// The sender of the first tries again, which is no news; another mail is.
	r.keep(t, Mail{ID: "m1again", Recipients: []string{"ben@b.example"}, Raw: spam})
	r.keep(t, Mail{ID: "m4", Recipients: []string{"ben@b.example"}, Raw: append(spam, "PS\r\n"...)})
	r.at = r.at.Add(23 * time.Hour)
	tell(1) // one a day
	r.at = r.at.Add(time.Hour)
	tell(2)
	r.at = r.at.Add(24 * time.Hour)
	tell(2) // nothing new

	if len(s.mails) == 0 {
		t.FailNow()
	}
	told := func() (n int) {
		if err := r.db.QueryRow("SELECT count(*) FROM digests").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := r.Erase(t.Context(), func(a string) bool { return a == "ben@b.example" }); err != nil || told() != 1 {
		t.Errorf("after ben was erased the table has %d, %v", told(), err)
	}
	r.at = r.at.Add(72 * time.Hour)
	if err := r.sweep(t.Context()); err != nil || told() != 0 {
		t.Errorf("days later the table has %d, %v", told(), err)
	}
	first := s.mails[0]
	if !strings.HasPrefix(first, "MAIL FROM:<>\r\nRCPT TO:<ben@b.example>\r\n") {
		t.Errorf("sent as %.80q", first)
	}
	m, err := mail.ReadMessage(strings.NewReader(strings.SplitN(first, "\r\n", 3)[2]))
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if m.Header.Get("Auto-Submitted") != "auto-generated" || subject != "1 mail for you waits in quarantine" {
		t.Errorf("header %v", m.Header)
	}
	_, params, _ := mime.ParseMediaType(m.Header.Get("Content-Type"))
	parts := multipart.NewReader(m.Body, params["boundary"])
	var links []string
	for _, want := range []string{`Prize <b>Office</b> <a@a.example>`, `Prize &lt;b&gt;Office&lt;/b&gt; &lt;a@a.example&gt;`} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(p)
		if !bytes.Contains(b, []byte(want)) || !bytes.Contains(b, []byte("Wön")) {
			t.Errorf("a part lacks %q:\n%s", want, b)
		}
		links = append(links, regexp.MustCompile(`https://mail\.b\.example`+LinkPath+`([\w-]+)`).FindStringSubmatch(string(b))...)
	}
	if len(links) != 4 || links[1] != links[3] {
		t.Fatalf("links %q", links)
	}
	if k, err := r.Linked(t.Context(), links[1]); err == nil {
		t.Errorf("a link of what is too old: %+v", k)
	}
}

// A link is good for its copy alone, whatever of it is changed.
func TestLinks(t *testing.T) {
	r := newRig(t, "")
	r.keep(t, Mail{ID: "m1", Tenant: "t1", Recipients: []string{"ben@b.example", "carl@b.example"}, Raw: []byte(raw)})
	c, err := r.Get(t.Context(), "m1", "ben@b.example")
	if err != nil {
		t.Fatal(err)
	}
	link, err := r.Link(&c)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := r.Linked(t.Context(), link); err != nil || k != c {
		t.Errorf("%+v %v", k, err)
	}
	for i := range 600 { // each is another
		again, err := r.Link(&Copy{ID: "m1", Recipient: strings.Repeat("b", 1+i%3) + "@b.example"})
		text := "Subject: x\r\n\r\nhttps://mail.b.example" + LinkPath + again + "\r\n"
		if found := email.ParseBytes([]byte(text)).Links; err != nil || len(found) != 1 || !strings.HasSuffix(found[0].URL, again) {
			t.Fatalf("of the link %s a reader takes %+v, %v", again, found, err)
		}
	}
	b, _ := linkText.DecodeString(link)
	for i := range b {
		b[i] ^= 1
		if k, err := r.Linked(t.Context(), linkText.EncodeToString(b)); err == nil {
			t.Errorf("byte %d of it changed: %+v", i, k)
		}
		b[i] ^= 1
	}
	for _, other := range []string{"", "x", "%%", link[1:], link + "AAAA"} {
		if k, err := r.Linked(t.Context(), other); err == nil {
			t.Errorf("%q: %+v", other, k)
		}
	}
}
