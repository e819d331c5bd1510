package node

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

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
		if got := s.note(held(tt.tenant, tt.account)); got != tt.tell {
			t.Errorf("%q's %s: told %v", tt.tenant, tt.account, got)
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
