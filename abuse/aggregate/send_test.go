package aggregate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"rempart/message"
	"rempart/nexthop"
)

// Who gets a report, and who does not.
func TestRecipients(t *testing.T) {
	r := newRig(t)
	for host, what := range map[string]string{"no.example": "no", "moved.example": "mailto:other@moved.example!1m", "elsewhere.example": "mailto:victim@c.example",
		"nothing.example": "https://nothing.example/"} {
		r.takes[host] = what
	}
	r.count("a.example", "mailto:d@no.example,mailto:d@moved.example!1,mailto:d@elsewhere.example,mailto:d@nothing.example,mailto:d@a.example!1k")
	r.count("c.example", "mailto:never@c.example,mailto:d@c.example!10k")
	r.nextDay()
	r.send()
	got := r.hop.taken(t)
	if len(got) != 2 || len(got["other@moved.example"]) != 1 || len(got["d@c.example"]) != 1 {
		t.Errorf("%+v", got)
	}
	if o := r.outcomes(); o != "refused sent sent too_large unverified unverified unverified" || r.waiting() != "" {
		t.Errorf("%s, waiting %s", o, r.waiting())
	}
}

// What cannot be sent now is tried again for a day, for those alone who have not got it, and then given up.
func TestLater(t *testing.T) {
	r := newRig(t)
	r.takes["down.example"] = "down"
	r.count("a.example", "mailto:d@a.example,mailto:later@a.example,mailto:later2@a.example,mailto:d@down.example")
	r.nextDay()
	r.send()
	if got := r.hop.taken(t); len(got) != 1 || len(got["d@a.example"]) != 1 {
		t.Errorf("%+v", got)
	}
	r.at = r.at.Add(59 * time.Minute)
	r.takes["down.example"] = ""
	r.send()
	if got := r.hop.taken(t); len(got) != 0 {
		t.Errorf("too early: %+v", got)
	}
	r.at = r.at.Add(time.Minute)
	r.send()
	if got := r.hop.taken(t); len(got) != 1 || len(got["d@down.example"]) != 1 {
		t.Errorf("%+v", got)
	}
	r.at = noon.Truncate(day).Add(keepFor - time.Minute)
	r.send()
	if r.waiting() == "" || r.outcomes() != "sent sent" {
		t.Error("given up too early")
	}
	r.at = r.at.Add(time.Minute)
	r.send()
	if r.waiting() != "" || r.outcomes() != "given_up given_up" || len(r.hop.taken(t)) != 0 {
		t.Error("not given up")
	}
}

// A crash after the next hop took a report, and before that is marked: it comes again, as the same report.
func TestCrashBeforeTheMark(t *testing.T) {
	r := newRig(t)
	r.count("a.example", "mailto:d@a.example,mailto:e@a.example")
	r.nextDay()
	ctx, crash := context.WithCancel(t.Context())
	r.hop.took = func() { r.Close(); crash() }
	if err := r.sendDue(ctx); err == nil {
		t.Error("marked after all")
	}
	r.hop.took = func() {}
	r.open()
	r.send()
	got := r.hop.taken(t)
	if d := got["d@a.example"]; len(d) != 2 || !reflect.DeepEqual(d[0], d[1]) || len(got["e@a.example"]) != 1 {
		t.Errorf("%+v", got)
	}
}

// A mark that the disk does not take is tried until it does: nothing is sent again.
func TestMarkIsTriedAgain(t *testing.T) {
	r := newRig(t)
	r.count("a.example", "mailto:d@a.example,mailto:e@a.example")
	r.nextDay()
	run := func(statement string) {
		if _, err := r.db.Exec(statement); err != nil {
			t.Error(err)
		}
	}
	run("CREATE TRIGGER disk BEFORE INSERT ON done BEGIN SELECT RAISE(ABORT, 'disk full'); END")
	failed := 0
	r.said = func(line string) {
		if strings.Contains(line, "disk full") {
			failed++
			run("DROP TRIGGER disk")
		}
	}
	r.send()
	r.send()
	got := r.hop.taken(t)
	if failed != 1 || len(got["d@a.example"]) != 1 || len(got["e@a.example"]) != 1 || r.outcomes() != "sent sent" || r.waiting() != "" {
		t.Errorf("failed %d times: %+v, waiting %s", failed, got, r.waiting())
	}
}

// A report that the next hop hangs up on waits an hour, and holds up no other; several in a row say that it is the next hop.
func TestBrokenOff(t *testing.T) {
	r := newRig(t)
	r.count("a.example", "mailto:gone@a.example,mailto:d@a.example")
	const others = 10
	for i := range others {
		r.count(fmt.Sprintf("c%d.example", i), "mailto:d@c.example")
	}
	r.nextDay()
	r.send()
	if got := r.hop.taken(t); len(got["d@c.example"]) != others || len(got["d@a.example"]) != 1 || r.waiting() != yesterday+" a.example 1/1" {
		t.Errorf("%+v, waiting %s", got, r.waiting())
	}
	for i := range others {
		r.count(fmt.Sprintf("d%d.example", i), "mailto:gone@d.example", func(m *message.Message) { m.Arrived = r.at })
	}
	r.nextDay()
	r.at = r.at.Add(day)
	err := r.sendDue(t.Context())
	var putOff int
	if err := r.db.QueryRow("SELECT count(*) FROM reports WHERE due > ?", r.at.Unix()).Scan(&putOff); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, errBrokenOff) || putOff != maxBrokenOff || len(r.hop.taken(t)) != 0 {
		t.Errorf("%d are put off, %v", putOff, err)
	}
}

// A next hop that is away is away for all; nothing is lost or counted as done.
func TestNextHopAway(t *testing.T) {
	r := newRig(t)
	r.count("a.example", "mailto:d@a.example")
	r.nextDay()
	r.Reconfigure(*r.config.Load(), "127.0.0.1:1", nexthop.Access{})
	if err := r.sendDue(t.Context()); err == nil || r.outcomes() != "" {
		t.Errorf("%v", err)
	}
	off := *r.config.Load()
	off.Send = false
	r.Reconfigure(off, r.hop.Addr().String(), nexthop.Access{})
	r.send()
	if got := r.hop.taken(t); len(got) != 0 || r.waiting() == "" {
		t.Errorf("sent while that is off: %+v", got)
	}
	r.at = r.at.Add(keepFor)
	r.send()
	if r.waiting() != "" || r.outcomes() != "" {
		t.Error("what nobody sends is not deleted, or counted")
	}
}
