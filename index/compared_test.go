package index

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rempart/message"
)

// comparedEvent is one of a mail that another filter saw: every fourth each agreement, each with a key of its own.
func comparedEvent(i int) *message.Event {
	e := event(i, message.Accept)
	e.Tenant, e.Key = "t", fmt.Sprint("key", i)
	e.Incumbent = message.Incumbent{Filter: "rspamd", Label: message.Ham}
	if i%4 == 1 || i%4 == 3 {
		e.Incumbent.Label = message.Spam
	}
	if i%4 >= 2 {
		e.Outcomes[0].Decision.Action = message.Tag
	}
	e.Verdicts[0].Contributions = []message.Contribution{{Name: "odd", State: message.StateUnknown}, {Name: fmt.Sprint("signal", i%3), State: message.StatePresent}}
	return e
}

func addAll(t testing.TB, x *Index, events ...*message.Event) {
	t.Helper()
	for _, e := range events {
		x.Add(e, nil)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := x.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestCompare(t *testing.T) {
	ctx, x := context.Background(), mustOpen(t, t.TempDir(), Config{})
	none := event(40, message.Reject)
	none.Incumbent = message.Incumbent{Filter: "rspamd"}
	events := []*message.Event{none}
	for i := range 40 {
		events = append(events, comparedEvent(i))
	}
	addAll(t, x, events...)
	check := func(from time.Time, want ...Comparable) {
		t.Helper()
		got, err := x.Compare(ctx, from)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			if w.Agreement = message.Agreements[i]; got.Kinds[i] != w {
				t.Errorf("%+v, want %+v", got.Kinds[i], w)
			}
		}
	}
	check(start, Comparable{Mails: 10}, Comparable{Mails: 10}, Comparable{Mails: 10}, Comparable{Mails: 10})
	check(start.Add(time.Hour), Comparable{}, Comparable{}, Comparable{}, Comparable{})
	for _, l := range []struct {
		key, tenant string
		label       message.Label
	}{{"key1", "t", message.Spam}, {"key5", "", message.Ham}, {"key5", "", message.Spam}, {"key9", "t", message.Ham}, {"key9", "t", message.Forget},
		{"key13", "other", message.Spam}, {"key2", "t", message.Ham}, {"nothing", "t", message.Ham}} {
		if err := x.Taught(ctx, l.key, message.Scope{Tenant: l.tenant}, l.label); err != nil {
			t.Fatal(err)
		}
	}
	check(start, Comparable{Mails: 10}, Comparable{Mails: 10, TaughtSpam: 2}, Comparable{Mails: 10, TaughtHam: 1}, Comparable{Mails: 10})
	if e, err := x.Get(ctx, "m5"); err != nil || e.Taught != message.Spam || e.Key != "key5" {
		t.Errorf("%+v %v", e, err)
	}
	for _, tt := range []struct {
		q    Query
		want int
	}{
		{Query{Agreement: message.OnlyIncumbent}, 10},
		{Query{Agreement: message.OnlyHere, Text: "user0@example.org"}, 3},
		{Query{Agreement: message.OnlyIncumbent, Signal: "signal0"}, 3},
		{Query{Signal: "odd"}, 0}, // it was not known
	} {
		if p, err := x.Search(ctx, tt.q); err != nil || len(p.Events) != tt.want || p.Next != 0 {
			t.Errorf("%+v: %d events, next %d, %v", tt.q, len(p.Events), p.Next, err)
		}
	}
	if n, err := x.Erase(ctx, "192.0.2.7"); err != nil || n != 31 {
		t.Errorf("%d erased, %v", n, err)
	}
	check(start, Comparable{Mails: 0}, Comparable{Mails: 0}, Comparable{Mails: 0}, Comparable{Mails: 10}) // texts came from elsewhere
	var left int
	if err := x.read.QueryRow("SELECT (SELECT count(*) FROM terms WHERE seq NOT IN (SELECT seq FROM events)) + (SELECT count(*) FROM agreements) - 1").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d terms and counts are left of erased events, %v", left, err)
	}
}

// A page that is searched for a signal looks through so many events and leads on.
func TestSearchForSignalIsBounded(t *testing.T) {
	ctx, x := context.Background(), mustOpen(t, t.TempDir(), Config{})
	var events []*message.Event
	for i := range maxLooked + 10 {
		e := comparedEvent(i)
		e.Verdicts[0].Contributions = nil
		if i < 5 {
			e.Verdicts[0].Contributions = []message.Contribution{{Name: "rare", State: message.StatePresent}}
		}
		events = append(events, e)
	}
	addAll(t, x, events...)
	p, err := x.Search(ctx, Query{Signal: "rare"})
	if err != nil || len(p.Events) != 0 || p.Next == 0 {
		t.Fatalf("%d events, next %d, %v", len(p.Events), p.Next, err)
	}
	if p, err = x.Search(ctx, Query{Signal: "rare", Cursor: p.Next}); err != nil || len(p.Events) != 5 || p.Next != 0 {
		t.Errorf("%d events, next %d, %v", len(p.Events), p.Next, err)
	}
}

// What a sender writes into a Message-ID is no term of ours: it neither counts as compared nor ties a mail to another's lesson.
func TestForgedTerms(t *testing.T) {
	ctx, x := context.Background(), mustOpen(t, t.TempDir(), Config{})
	forged := event(1, message.Accept)
	forged.MessageID = agreementTerm(message.OnlyIncumbent, message.Forget)
	forged.QueueID = keyPrefix + "key0"
	addAll(t, x, comparedEvent(0), forged)
	if err := x.Taught(ctx, "key0", message.Scope{}, message.Spam); err != nil {
		t.Fatal(err)
	}
	c, err := x.Compare(ctx, start)
	if err != nil {
		t.Fatal(err)
	}
	if all, _ := c.Mails(); all != 1 {
		t.Errorf("%d mails were compared, want 1", all)
	}
	if e, err := x.Get(ctx, forged.ID); err != nil || e.Taught != message.Forget {
		t.Errorf("taught as %v %v", e.Taught, err)
	}
}

// What one person taught is noted for mail that the person got.
func TestTaughtForWhom(t *testing.T) {
	for _, tt := range []struct {
		scope message.Scope
		want  message.Label
	}{
		{message.Scope{}, message.Spam}, {message.Scope{Tenant: "t"}, message.Spam}, {message.Scope{Tenant: "other"}, message.Forget},
		{message.Scope{User: "user0@EXAMPLE.org"}, message.Spam}, {message.Scope{User: "ann@example.org", Domain: "example.org"}, message.Forget},
		{message.Scope{Domain: "example.org"}, message.Spam}, {message.Scope{Domain: "example.net"}, message.Forget},
	} {
		ctx, x := context.Background(), mustOpen(t, t.TempDir(), Config{})
		addAll(t, x, comparedEvent(0))
		if err := x.Taught(ctx, "key0", tt.scope, message.Spam); err != nil {
			t.Fatal(err)
		}
		if e, err := x.Get(ctx, "m0"); err != nil || e.Taught != tt.want {
			t.Errorf("%+v: %v %v", tt.scope, e.Taught, err)
		}
	}
}

// A lesson that is learned again at a start is listed once.
func TestLessonOnce(t *testing.T) {
	ctx, x := context.Background(), mustOpen(t, t.TempDir(), Config{})
	for range 3 {
		if err := x.AddLesson(ctx, Lesson{ID: "l1", Time: start, Seq: 7, Record: []byte("sealed")}); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := x.Lessons(ctx, start, 10); err != nil || len(list) != 1 {
		t.Errorf("%d lessons, %v", len(list), err)
	}
}
