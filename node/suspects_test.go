package node

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
	"rempart/message"
	"rempart/message/email"
)

// An account that sends to hundreds of people whom it never wrote to is held, and told about once: in the log, on the health
// page, to who scrapes. What comes in meanwhile passes.
func TestStolenAccountIsHeldAndTold(t *testing.T) {
	path, _ := configuration(t, "[policy.outgoing]\nhold = 0.8\n")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	now := time.Now()
	n, err := Open(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	actions := map[message.Action]int{}
	for i := range 200 {
		now = now.Add(time.Second)
		m := email.ParseBytes(fmt.Appendf(nil, "From: <name%d@home.example>\r\nTo: <b@else.example>\r\nSubject: tomorrow\r\nDate: %s\r\n\r\nAt ten, room %d.\r\n",
			i, now.Format(time.RFC1123Z), i))
		m.Direction, m.Account, m.Arrived, m.Mode = message.Out, "anna", now, message.ModeJudge
		m.Source = message.Source{Address: netip.MustParseAddr("192.0.2.1"), Trusted: true}
		m.Recipients = []message.Recipient{{Address: fmt.Sprintf("b%d@else.example", i), Domain: "else.example"}}
		actions[n.Judge(t.Context(), m).Decisions[0].Action]++
	}
	if actions[message.Accept] == 0 || actions[message.Hold] < 50 {
		t.Errorf("%v", actions)
	}
	if got := strings.Count(log.String(), "is it stolen? tell its owner\" account=anna"); got != 1 {
		t.Errorf("told %d times", got)
	}
	row := func() (found bool) {
		for _, r := range n.Health(t.Context()).Rows {
			found = found || r.Key == "health.accounts_suspected" && r.Args[1] == "anna"
		}
		return found
	}
	if !row() {
		t.Error("the health page does not name it")
	}
	now = now.Add(suspectFor + time.Hour)
	if row() {
		t.Error("the health page names it for ever")
	}
}

// An account whose mail is put off or marked is suspected; its owner is written to only of what did not go out.
func TestStopped(t *testing.T) {
	for action, write := range map[message.Action]bool{message.Tag: false, message.Rewrite: false, message.Redirect: false, message.Greylist: false,
		message.Throttle: false, message.Tempfail: false, message.Hold: true, message.Quarantine: true, message.Reject: true, message.Discard: true, message.Remove: true} {
		var s suspects
		e := &message.Event{Time: time.Now(), Direction: message.Out, Account: "anna@home.example", Verdicts: []message.Verdict{{}},
			Outcomes: []message.Outcome{{Decision: message.Decision{Action: action}}}}
		if tell, got := s.note(e); !tell || got != write {
			t.Errorf("%s: told %v, owner %v", action, tell, got)
		}
	}
}

// Two tenants may each have an account of one name: both are told about, and what is judged for one hides nothing of the other's.
func TestSuspectsOfTenants(t *testing.T) {
	var s suspects
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	held := func(tenant, account string) *message.Event {
		return &message.Event{Time: now, Direction: message.Out, Tenant: tenant, Account: account, Verdicts: []message.Verdict{{Probability: 1}},
			Outcomes: []message.Outcome{{Decision: message.Decision{Action: message.Hold}}}}
	}
	for _, tt := range []struct {
		tenant, account string
		tell            bool
	}{
		{"south", "anna@home.example", true},
		{"North", "anna@home.example", true},
		{"north", "Anna@home.example", false},
		{"", "anna@home.example", true},
		{"south", "ben@home.example", true},
	} {
		if got, write := s.note(held(tt.tenant, tt.account)); got != tt.tell || write != tt.tell {
			t.Errorf("%q's %s: told %v, owner %v", tt.tenant, tt.account, got, write)
		}
	}
	if got := len(s.list(now)); got != 4 {
		t.Errorf("%d suspects", got)
	}
	s.drop(func(name string) bool { return name == "anna@home.example" })
	if got := len(s.list(now)); got != 1 {
		t.Errorf("%d suspects when anna is forgotten in every tenant", got)
	}
}

// The owner of an account whose mail is held is told by mail, once a day, also after the next hop was away; of mail that would have been
// held, in shadow, nobody is told.
func TestOwnerIsToldByMail(t *testing.T) {
	inbox := postfix.NewSink(t)
	path, _ := configuration(t, fmt.Sprintf("[policy.outgoing]\nhold = 0.0001\n[quarantine]\nnext_hop = \"127.0.0.1:%d\"\n"+
		"url = \"https://mail.home.example\"\ndigest_from = \"postmaster@home.example\"\n", inbox.Port))
	var clock atomic.Int64
	clock.Store(time.Now().UnixNano())
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := serveClock(t, c, func() time.Time { return time.Unix(0, clock.Load()) })
	send := func(account string, mode message.Mode, later time.Duration) {
		t.Helper()
		now := time.Unix(0, clock.Add(int64(later)))
		m := email.ParseBytes([]byte("From: <anna@home.example>\r\nTo: <b@else.example>\r\nSubject: " + strings.Repeat("Prize ", 40) + "\r\n\r\nSecret text.\r\n"))
		m.Direction, m.Account, m.Arrived, m.Mode = message.Out, account, now, mode
		m.Source = message.Source{Address: netip.MustParseAddr("192.0.2.1"), Trusted: true}
		m.Recipients = []message.Recipient{{Address: "b@else.example"}, {Address: "c@else.example"}}
		if got := n.Judge(t.Context(), m).Decisions[0]; got.Action != message.Hold {
			t.Fatalf("%+v", got)
		}
	}
	send("anna@home.example", message.ModeShadow, 0)
	send("carl", message.ModeJudge, 0) // whose address nobody knows
	for range 5 {
		send("anna@home.example", message.ModeJudge, time.Minute)
	}
	got := inbox.Wait(t, "anna@home.example", 1, 20*time.Second)
	m := email.ParseBytes([]byte(got[0].Data))
	text := m.VisibleText()
	for _, want := range []string{"anna@home.example", "Recipients: 2", "Prize Prize"} {
		if !strings.Contains(text, want) {
			t.Errorf("the mail lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "answer") || strings.Contains(text, "spam") || strings.Contains(text, "Secret") || strings.Count(text, "Prize") > 20 || m.Header.Get("Auto-Submitted") != "auto-generated" || got[0].From != "" {
		t.Errorf("the mail from %q says too much:\n%s", got[0].From, got[0].Data)
	}
	send("anna@home.example", message.ModeJudge, 20*time.Hour)
	c.Quarantine.NextHop = "127.0.0.1:1"
	n.quarantine.Reconfigure(c.Quarantine)
	send("anna@home.example", message.ModeJudge, 4*time.Hour) // a day later, but the next hop is away
	waitUntil(t, func() bool {
		n.suspects.mu.Lock()
		defer n.suspects.mu.Unlock()
		at := n.suspects.latest[message.Scope{User: "anna@home.example"}].write
		return at.Sub(time.Unix(0, clock.Load())) <= writeAgain
	})
	c.Quarantine.NextHop = fmt.Sprintf("127.0.0.1:%d", inbox.Port)
	n.quarantine.Reconfigure(c.Quarantine)
	send("anna@home.example", message.ModeJudge, writeAgain-time.Minute)
	send("anna@home.example", message.ModeJudge, time.Minute)
	inbox.Wait(t, "anna@home.example", 2, 20*time.Second)
	if inbox.Count() != 2 {
		t.Errorf("%d mails were sent", inbox.Count())
	}
}

func waitUntil(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come")
		}
	}
}
