package aggregate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rempart/message"
	"rempart/message/email"
	"rempart/message/feedback"
	"rempart/nexthop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a store with a clock, and with other organisations as takes says.
type rig struct {
	*Store
	t     *testing.T
	dir   string
	at    time.Time
	hop   *server
	takes map[string]string // by host: "no", "down", or the rua to take instead
	said  func(line string) // is called with each line of the log

	mu      sync.Mutex
	done    []string
	leftOut uint64
}

type lines func(string)

func (l lines) Write(b []byte) (int, error) {
	l(string(b))
	return len(b), nil
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), at: noon, hop: serve(t), takes: map[string]string{}, said: func(string) {}}
	r.open()
	t.Cleanup(func() { r.Close() })
	return r
}

func (r *rig) open() {
	r.t.Helper()
	var err error
	r.Store, err = Open(r.t.Context(), r.dir, Config{From: "Reports <dmarc@b.example>", Send: true, Exclude: []string{"Excluded.example."}}, r.hop.Addr().String(), nexthop.Access{}, Options{
		Node: "mx-1", Version: "1.0", Log: slog.New(slog.NewTextHandler(lines(func(line string) { r.said(line) }), nil)), Now: func() time.Time { return r.at },
		Takes: func(_ context.Context, domain, host string) (bool, string, error) {
			switch what := r.takes[host]; what {
			case "no":
				return false, "", nil
			case "down":
				return false, "", errors.New("no answer")
			default:
				return true, what, nil
			}
		},
		Sign:    func(mail []byte) []byte { return append([]byte("DKIM-Signature: here\r\n"), mail...) },
		Done:    func(o Outcome) { r.mu.Lock(); r.done = append(r.done, string(o)); r.mu.Unlock() },
		LeftOut: func(n uint64) { r.mu.Lock(); r.leftOut += n; r.mu.Unlock() },
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// count counts a mail of a domain that asks for reports by rua.
func (r *rig) count(domain, rua string, change ...func(*message.Message)) {
	m := judged(change...)
	m.From.Domain, m.Facts.Auth.Record.Domain, m.Facts.Auth.Record.Reports = domain, domain, rua
	r.Count(m, decide(message.Reject))
}

// nextDay is when all reports are due.
func (r *rig) nextDay() {
	r.t.Helper()
	if err := r.flush(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.at = noon.Add(day)
}

func (r *rig) send() {
	r.t.Helper()
	if err := r.sendDue(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) waiting() (text string) {
	r.t.Helper()
	list, err := r.Waiting(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, w := range list {
		text += fmt.Sprintf("%s %s %d/%d ", w.Day.Format(time.DateOnly), w.Domain, w.Rows, w.Mails)
	}
	return strings.TrimSpace(text)
}

func (r *rig) outcomes() string {
	slices.Sort(r.done)
	defer func() { r.done = nil }()
	return strings.Join(r.done, " ")
}

// server is a mail server that keeps mails, refuses for good who is named never, for now who is named later, hangs up on gone, and calls
// when a client that has heard that its mail was taken takes leave.
type server struct {
	net.Listener
	mu    sync.Mutex
	mails []string // "sender recipient\n" and the mail
	took  func()
}

func serve(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: l, took: func() {}}
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
	say := func(line string) { fmt.Fprint(conn, line+"\r\n") }
	say("220 hop")
	envelope := ""
	for {
		line, err := in.ReadString('\n')
		switch {
		case err != nil:
			return
		case strings.HasPrefix(line, "RCPT TO:<never"):
			say("550 no such user")
		case strings.HasPrefix(line, "RCPT TO:<later"):
			say("451 come again")
		case strings.HasPrefix(line, "RCPT TO:<gone"):
			return
		case strings.HasPrefix(line, "DATA"):
			say("354 go on")
			mail := envelope + "\n"
			for {
				if line, err = in.ReadString('\n'); err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				mail += strings.TrimPrefix(line, ".")
			}
			s.mu.Lock()
			s.mails = append(s.mails, mail)
			s.mu.Unlock()
			say("250 taken")
		case strings.HasPrefix(line, "QUIT"):
			s.took()
			say("221 bye")
		case strings.HasPrefix(line, "MAIL FROM:"):
			from, _, _ := strings.Cut(line[len("MAIL FROM:<"):], ">")
			envelope = from
			say("250 ok")
		case strings.HasPrefix(line, "RCPT TO:"):
			to, _, _ := strings.Cut(line[len("RCPT TO:<"):], ">")
			envelope += " " + to
			say("250 ok")
		default:
			say("250 ok")
		}
	}
}

// taken are the reports that the next hop took since the last call, by recipient.
func (s *server) taken(t *testing.T) map[string][]feedback.Aggregate {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]feedback.Aggregate{}
	for _, mail := range s.mails {
		envelope, raw, _ := strings.Cut(mail, "\n")
		from, to, _ := strings.Cut(envelope, " ")
		found, err := feedback.Read([]byte(raw))
		m := email.ParseBytes([]byte(raw))
		if err != nil || len(found.Aggregates) != 1 || from != "dmarc@b.example" || m.To[0].String() != to || !strings.HasPrefix(raw, "DKIM-Signature: here\r\n") ||
			!strings.Contains(m.Text, "in the name of "+found.Aggregates[0].Policy.Domain+" on "+yesterday+" (UTC)") {
			t.Errorf("from %s to %s: %v\n%s", from, to, err, raw)
			continue
		}
		out[to] = append(out[to], found.Aggregates[0])
	}
	s.mails = nil
	return out
}

// A day's mails become one report, which is sent once, the next day, and deleted. It survives a restart.
func TestReport(t *testing.T) {
	r := newRig(t)
	for range 3 {
		r.count("a.example", "mailto:d@a.example")
	}
	r.count("a.example", "mailto:d@a.example,mailto:e@a.example", func(m *message.Message) { m.Facts.Auth.SPF = "softfail"; m.Facts.Auth.Record.Testing = true })
	r.count("c.example", "https://c.example/reports")
	r.count("sub.excluded.example", "mailto:d@excluded.example")
	r.count("d.example", "mailto:d@excluded.example")
	if err := r.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.count("a.example", "mailto:d@a.example,mailto:e@a.example", func(m *message.Message) { m.Facts.Auth.Record.Missing = "none" })
	if got := r.waiting(); got != yesterday+" a.example 2/5 "+yesterday+" d.example 1/1" {
		t.Errorf("waiting: %s", got)
	}
	r.at = noon.Add(12*time.Hour + 19*time.Minute)
	r.send()
	if got := r.hop.taken(t); len(got) != 0 {
		t.Errorf("sent at once: %+v", got)
	}
	r.Close()
	r.open()
	shown, err := r.Report(t.Context(), "A.example", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	r.nextDay()
	r.count("a.example", "mailto:d@a.example") // of a day that is over
	r.count("e.example", "https://e.example/reports")
	if r.leftOut != 1 {
		t.Errorf("%d mails that came too late were left out", r.leftOut)
	}
	r.send()
	got := r.hop.taken(t)
	if len(got) != 2 || len(got["d@a.example"]) != 1 || !reflect.DeepEqual(got["d@a.example"], got["e@a.example"]) {
		t.Fatalf("%+v", got)
	}
	a := got["d@a.example"][0]
	a.Errors = nil
	if !reflect.DeepEqual(&a, shown) {
		t.Errorf("sent  %+v\nshown %+v", a, shown)
	}
	counts := a.Rows[0].Count + a.Rows[1].Count
	if a.Organisation != "b.example" || a.Email != "dmarc@b.example" || a.Generator != "Rempart 1.0" || !strings.HasPrefix(a.ID, "20261128mx1") || counts != 5 ||
		a.Begin.Format(time.RFC3339) != yesterday+"T00:00:00Z" || a.End.Format(time.RFC3339) != yesterday+"T23:59:59Z" ||
		a.Policy != (feedback.Policy{Domain: "a.example", ADKIM: "r", ASPF: "r", P: "reject", SP: "reject", NP: "none", FO: "0", Testing: "n", Discovery: "treewalk"}) {
		t.Errorf("%+v", a)
	}
	r.send()
	if got := r.hop.taken(t); len(got) != 0 || r.waiting() != "" || r.outcomes() != "sent sent" {
		t.Errorf("again: %+v %s", got, r.waiting())
	}
	var left int
	if err := r.db.QueryRow("SELECT (SELECT count(*) FROM rows) + (SELECT count(*) FROM done)").Scan(&left); err != nil || left > 0 {
		t.Errorf("%d left, %v", left, err)
	}
	if _, err := r.Report(t.Context(), "a.example", noon.Truncate(day)); !errors.Is(err, ErrNone) {
		t.Errorf("after it was sent: %v", err)
	}
}

func BenchmarkCount(b *testing.B) {
	s := &Store{log: slog.New(slog.NewTextHandler(io.Discard, nil)), now: func() time.Time { return noon }, pending: newPending()}
	s.Reconfigure(Config{From: "dmarc@b.example"}, "", nexthop.Access{})
	m, decisions := judged(), decide(message.Reject)
	b.ReportAllocs()
	for b.Loop() {
		s.Count(m, decisions)
	}
}
