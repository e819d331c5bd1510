package quarantine

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rempart/config"
	"rempart/keyring"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var begun = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// rig is a quarantine with a clock of its own.
type rig struct {
	*Store
	dir  string
	keys *keyring.Ring
	at   time.Time
}

func newRig(t *testing.T, nextHop string) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir(), at: begun}
	var err error
	if r.keys, err = keyring.Open(filepath.Join(r.dir, "keys")); err != nil {
		t.Fatal(err)
	}
	r.open(t, nextHop)
	t.Cleanup(func() { r.Close() })
	return r
}

func (r *rig) open(t *testing.T, nextHop string) {
	t.Helper()
	var err error
	if r.Store, err = Open(t.Context(), r.dir, Config{NextHop: nextHop, Keep: config.Duration(48 * time.Hour)}, r.keys, slog.New(slog.DiscardHandler),
		func() time.Time { return r.at }); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) keep(t *testing.T, m Mail) {
	t.Helper()
	m.Time = r.at
	if err := r.Keep(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) list(t *testing.T, q Query) string {
	t.Helper()
	p, err := r.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range p.Copies {
		fmt.Fprintf(&b, "%s %s ", c.ID, c.Recipient)
	}
	return b.String() + p.Next
}

// server takes one mail after another; it refuses recipients whose name begins with no or never.
type server struct {
	net.Listener
	mu    sync.Mutex
	mails []string // MAIL, RCPT and the lines of the data as they came
}

func serve(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: l}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.talk(conn)
		}
	})
	t.Cleanup(func() { l.Close(); group.Wait() })
	return s
}

func (s *server) talk(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	fmt.Fprint(conn, "220 next.example\r\n")
	mail, data := "", false
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch {
		case data && line == ".\r\n":
			s.mu.Lock()
			s.mails = append(s.mails, mail)
			s.mu.Unlock()
			mail, data = "", false
			fmt.Fprint(conn, "250 taken\r\n")
		case data:
			mail += line
		case strings.HasPrefix(line, "DATA"):
			data = true
			fmt.Fprint(conn, "354 go on\r\n")
		case strings.HasPrefix(line, "RCPT TO:<never"):
			fmt.Fprint(conn, "550 5.1.1 never\r\n")
		case strings.HasPrefix(line, "RCPT TO:<no"):
			fmt.Fprint(conn, "450 4.2.0 not now\r\n")
		case strings.HasPrefix(line, "MAIL"), strings.HasPrefix(line, "RCPT"):
			mail += line
			fmt.Fprint(conn, "250 fine\r\n")
		default:
			fmt.Fprint(conn, "250 fine\r\n")
		}
	}
}

const raw = "From: a@a.example\r\nSubject: hi\r\n\r\n.one dot\r\n..two\r\n.\r\nna\xefve \x00 end\r\n"

// A released copy is delivered as it came and once, unless the postmaster asks again; what the next hop does not take waits on.
func TestRelease(t *testing.T) {
	s := serve(t)
	r := newRig(t, s.Addr().String())
	r.keep(t, Mail{ID: "m1", MailFrom: "a@a.example", Recipients: []string{"ben@b.example", "no@b.example"}, Probability: 0.9, Raw: []byte(raw)})
	r.keep(t, Mail{ID: "m2", Recipients: []string{"ben@b.example"}, Malware: true, Raw: []byte(raw)})
	for _, tt := range []struct {
		id, to     string
		postmaster bool
		want       error
	}{
		{"m1", "carl@b.example", true, ErrNotFound},
		{"m9", "ben@b.example", true, ErrNotFound},
		{"m2", "ben@b.example", false, ErrMalware},
		{"m1", "ben@b.example", false, nil},
		{"m1", "ben@b.example", false, ErrReleased},
		{"m1", "ben@b.example", true, nil},
		{"m2", "ben@b.example", true, nil},
	} {
		got, err := r.Release(t.Context(), tt.id, tt.to, "who", tt.postmaster)
		if !errors.Is(err, tt.want) || err == nil && string(got) != raw {
			t.Errorf("%s for %s, postmaster %v: %q %v", tt.id, tt.to, tt.postmaster, got, err)
		}
	}
	if _, err := r.Release(t.Context(), "m1", "no@b.example", "who", true); !errors.Is(err, ErrNotDelivered) || !strings.Contains(err.Error(), "450") {
		t.Errorf("refused by the next hop: %v", err)
	}
	if c, err := r.Get(t.Context(), "m1", "no@b.example"); err != nil || !c.Released.IsZero() {
		t.Errorf("refused by the next hop: %+v %v", c, err)
	}
	if c, err := r.Get(t.Context(), "m1", "ben@b.example"); err != nil || !c.Released.Equal(begun) || c.ReleasedBy != "who" {
		t.Errorf("released: %+v %v", c, err)
	}
	stuffed := strings.ReplaceAll(raw, "\r\n.", "\r\n..") // RFC 5321 section 4.5.2
	want := "MAIL FROM:<a@a.example>\r\nRCPT TO:<ben@b.example>\r\n" + stuffed
	if len(s.mails) != 3 || s.mails[0] != want || s.mails[1] != want || !strings.HasPrefix(s.mails[2], "MAIL FROM:<>\r\n") {
		t.Errorf("the next hop got %q", s.mails)
	}
	s.Close()
	if _, err := r.Release(t.Context(), "m2", "ben@b.example", "who", true); !errors.Is(err, ErrNotDelivered) {
		t.Error("released to a next hop that is down")
	}
}

// Who presses twice gets the mail once.
func TestReleaseAtOnce(t *testing.T) {
	s := serve(t)
	r := newRig(t, s.Addr().String())
	r.keep(t, Mail{ID: "m1", MailFrom: "a@a.example", Recipients: []string{"ben@b.example"}, Raw: []byte(raw)})
	var all sync.WaitGroup
	var done, before atomic.Int64
	for range 8 {
		all.Go(func() {
			switch _, err := r.Release(t.Context(), "m1", "ben@b.example", "recipient", false); {
			case err == nil:
				done.Add(1)
			case errors.Is(err, ErrReleased):
				before.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 || before.Load() != 7 || len(s.mails) != 1 {
		t.Errorf("%d released it, %d came too late, %d mails", done.Load(), before.Load(), len(s.mails))
	}
}

// What was kept is there after a restart, in pages, newest first, until it is deleted, erased or too old.
func TestKept(t *testing.T) {
	r := newRig(t, "")
	if r.On() {
		t.Error("without a next hop it keeps")
	}
	r.Close()
	r.open(t, "127.0.0.1:1")
	if !r.On() {
		t.Error("with a next hop it does not keep")
	}
	r.keep(t, Mail{ID: "m1", MailFrom: "a@a.example", Recipients: []string{"ben@b.example", "carl@b.example"}, Raw: []byte(raw)})
	r.at = r.at.Add(time.Hour)
	r.keep(t, Mail{ID: "m2", MailFrom: "x_y@a.example", Recipients: []string{"ben@b.example"}, Raw: []byte("two")})
	r.Close()
	r.open(t, "127.0.0.1:1")

	for _, tt := range []struct {
		q    Query
		want string
	}{
		{Query{}, "m2 ben@b.example m1 carl@b.example m1 ben@b.example "},
		{Query{Limit: 2}, "m2 ben@b.example m1 carl@b.example m1 carl@b.example"},
		{Query{Limit: 2, Cursor: "m1 carl@b.example"}, "m1 ben@b.example "},
		{Query{Recipient: "ben@b.example"}, "m2 ben@b.example m1 ben@b.example "},
		{Query{Text: "x_y"}, "m2 ben@b.example "},
		{Query{Text: "%"}, ""},
		{Query{Text: "m1"}, "m1 carl@b.example m1 ben@b.example "},
		{Query{Waiting: true, Text: "A.EXAMPLE"}, "m2 ben@b.example m1 carl@b.example m1 ben@b.example "},
	} {
		if got := r.list(t, tt.q); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.q, got, tt.want)
		}
	}
	if n, err := r.Waiting(t.Context()); n != 3 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}

	if err := r.Delete(t.Context(), "m1", "carl@b.example"); err != nil {
		t.Fatal(err)
	}
	if b, err := r.Raw(t.Context(), "m1"); string(b) != raw || err != nil {
		t.Errorf("with one copy deleted: %q %v", b, err)
	}
	if err := r.Delete(t.Context(), "m1", "carl@b.example"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	isBen := func(a string) bool { return a == "ben@b.example" }
	r.keep(t, Mail{ID: "m0", Recipients: []string{"sales@b.example", "carl@b.example"}, Raw: []byte(raw), Mailboxes: map[string]string{"sales@b.example": "ben@b.example"}})
	if n, err := r.Count(t.Context(), isBen); n != 3 || err != nil {
		t.Errorf("%d of ben, %v", n, err)
	}
	if n, err := r.Erase(t.Context(), isBen); n != 3 || err != nil {
		t.Errorf("%d erased, %v", n, err)
	}
	if got := r.list(t, Query{}); got != "m0 carl@b.example " {
		t.Errorf("left: %q", got)
	}
	for _, id := range []string{"m1", "m2", "../keys/x"} {
		if _, err := r.Raw(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s after its last copy: %v", id, err)
		}
	}

	r.keep(t, Mail{ID: "m3", Recipients: []string{"ben@b.example"}, Raw: []byte(raw)})
	r.at = r.at.Add(48 * time.Hour)
	if got := r.list(t, Query{}); got != "" {
		t.Errorf("too old: %q", got)
	}
	if _, err := r.Get(t.Context(), "m3", "ben@b.example"); !errors.Is(err, ErrNotFound) {
		t.Errorf("too old: %v", err)
	}
}

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{}, ""},
		{Config{NextHop: "unix:/run/next"}, ""},
		{Config{NextHop: "[::1]:25"}, ""},
		{Config{NextHop: "next.example"}, "quarantine.next_hop"},
		{Config{NextHop: "unix:"}, "quarantine.next_hop"},
		{Config{Keep: -1}, "quarantine.keep"},
	} {
		if err := tt.c.Check(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.c, err)
		}
	}
}

// A directory of version 1 is taken over: each copy of mail coming in is its recipient's own.
func TestFromVersion1(t *testing.T) {
	r := newRig(t, "")
	r.keep(t, Mail{ID: "m1", Recipients: []string{"Ben@b.example"}, Raw: []byte(raw)})
	r.keep(t, Mail{ID: "m2", Recipients: []string{"eve@else.example"}, Outgoing: true, Raw: []byte(raw)})
	r.undo(t, "DROP INDEX copies_digest", "ALTER TABLE copies DROP COLUMN digest", "DROP INDEX copies_mailbox", "DROP TABLE signins",
		"ALTER TABLE copies DROP COLUMN mailbox", "PRAGMA user_version = 1")
	if got := r.list(t, Query{Mailboxes: []string{"ben@b.example", "eve@else.example", ""}}); got != "m1 Ben@b.example " {
		t.Errorf("%q", got)
	}
	r.keep(t, Mail{ID: "m3", Recipients: []string{"carl@b.example"}, Raw: []byte(raw)})
	r.Close()
	r.open(t, "")
}

// A directory of version 2 is taken over: what it has is kept once more if it comes again, and from then on as ever.
func TestFromVersion2(t *testing.T) {
	r := newRig(t, "")
	again := func(id string) {
		t.Helper()
		r.keep(t, Mail{ID: id, Recipients: []string{"ben@b.example"}, Raw: []byte(raw)})
	}
	again("m1")
	r.undo(t, "DROP INDEX copies_digest", "ALTER TABLE copies DROP COLUMN digest", "PRAGMA user_version = 2")
	again("m2")
	again("m3")
	if got := r.list(t, Query{}); got != "m2 ben@b.example m1 ben@b.example " {
		t.Errorf("%q", got)
	}
}

// undo makes the file one of an older version and opens it.
func (r *rig) undo(t *testing.T, statements ...string) {
	t.Helper()
	for _, one := range statements {
		if _, err := r.db.Exec(one); err != nil {
			t.Fatal(err)
		}
	}
	r.Close()
	r.open(t, "")
}
