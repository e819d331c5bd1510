package index

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/config"
	"rempart/message"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func event(i int, action message.Action) *message.Event {
	e := &message.Event{
		ID: fmt.Sprintf("m%d", i), Time: start.Add(time.Duration(i/2) * time.Second), // two of each second
		Channel: message.Email, Direction: message.In, QueueID: fmt.Sprintf("4Q%dX", i), MessageID: fmt.Sprintf("<%d@Mail.example.org>", i),
		Source:   message.Source{Address: netip.MustParseAddr("192.0.2.7")},
		MailFrom: "Sales@shop.example", Subject: fmt.Sprintf("Günstige Uhren, Nr. %d", i),
		Verdicts: []message.Verdict{{Score: message.LogOdds(i), Probability: 0.2}},
		Outcomes: []message.Outcome{{Recipient: fmt.Sprintf("user%d@example.org", i%3), Decision: message.Decision{Action: action}}},
	}
	if i%4 == 3 {
		e.Channel, e.Source = message.SMS, message.Source{ID: "+44 7700 900123"}
	}
	return e
}

func mustOpen(t *testing.T, dir string, c Config) *Index {
	t.Helper()
	x, err := Open(context.Background(), dir, c, discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func fill(t *testing.T, x *Index, n int) {
	t.Helper()
	for i := range n {
		action := message.Accept
		if i%5 == 0 {
			action = message.Reject
		}
		x.Add(event(i, action), nil)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := x.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestSearch(t *testing.T) {
	dir := t.TempDir()
	x := mustOpen(t, dir, Config{})
	fill(t, x, 40)
	x.Close()
	x = mustOpen(t, dir, Config{})
	for _, tt := range []struct {
		q    Query
		want int
	}{
		{Query{}, 40},
		{Query{Text: "sales@SHOP.example"}, 40},
		{Query{Text: "shop.example"}, 40},
		{Query{Text: "user1@example.org"}, 13},
		{Query{Text: "user1@example.org günstige"}, 13},
		{Query{Text: "user1@example.org user2@example.org"}, 0},
		{Query{Text: "<7@mail.example.org>"}, 1},
		{Query{Text: "4q12x"}, 1},
		{Query{Text: "192.0.2.7"}, 30},
		{Query{Text: "+447700900123"}, 10},
		{Query{Text: "00447700900123"}, 10},
		{Query{Text: "uhren 17"}, 1},
		{Query{Text: "nothing"}, 0},
		{Query{Text: "%' OR 1=1 --"}, 0},
		{Query{Channel: message.SMS}, 10},
		{Query{Action: message.Reject}, 8},
		{Query{Action: message.Reject, Channel: message.SMS}, 2},
		{Query{Text: "uhren", Action: message.Reject}, 8},
		{Query{From: start.Add(10 * time.Second)}, 20},
		{Query{From: start.Add(10 * time.Second), To: start.Add(12 * time.Second)}, 4},
	} {
		seen := make(map[string]bool)
		last := time.Now().AddDate(100, 0, 0)
		q := tt.q
		q.Limit = 7
		for {
			p, err := x.Search(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range p.Events {
				if seen[e.ID] || e.Time.After(last) {
					t.Errorf("%+v: %s again or out of order", tt.q, e.ID)
				}
				seen[e.ID], last = true, e.Time
			}
			if q.Cursor = p.Next; p.Next == 0 {
				break
			}
		}
		if len(seen) != tt.want {
			t.Errorf("%+v: %d events, want %d", tt.q, len(seen), tt.want)
		}
	}
	e, err := x.Get(context.Background(), "m11")
	if err != nil || e.Subject != "Günstige Uhren, Nr. 11" || e.Outcomes[0].Recipient != "user2@example.org" {
		t.Errorf("Get: %+v, %v", e, err)
	}
	if _, err := x.Get(context.Background(), "m99"); err != ErrNotFound {
		t.Errorf("Get of none: %v", err)
	}
}

// TestPlans holds what makes a page fast on ten million rows: each walks one index, in its order, without sorting.
func TestPlans(t *testing.T) {
	x := mustOpen(t, t.TempDir(), Config{})
	to := time.Unix(1, 0)
	for _, tt := range []struct {
		q     Query
		words []string
		want  string
	}{
		{Query{}, nil, "SCAN e"},
		{Query{Cursor: 5}, nil, "SEARCH e USING INTEGER PRIMARY KEY (rowid<?)"},
		{Query{Cursor: 5, From: to}, nil, "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{Query{Channel: 1, To: to}, nil, "SEARCH e USING INDEX events_channel (channel=? AND rowid<?)"},
		{Query{Action: 1, To: to}, nil, "SEARCH e USING INDEX events_action (action=? AND rowid<?)"},
		{Query{Channel: 1, Action: 1}, nil, "SEARCH e USING INDEX events_channel_action (channel=? AND action=?)"},
		{Query{Cursor: 5}, []string{"a"}, "SEARCH t USING PRIMARY KEY (term=? AND seq<?)"},
		{Query{Channel: 1, Action: 2}, []string{"a", "b"}, "SEARCH t USING PRIMARY KEY (term=?)"},
	} {
		query, args := tt.q.sql(tt.words)
		rows, err := x.read.Query("EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		rows.Close()
		all := strings.Join(plan, "; ")
		if strings.ReplaceAll(plan[0], "seq", "rowid") != strings.ReplaceAll(tt.want, "seq", "rowid") || strings.Contains(all, "TEMP B-TREE") {
			t.Errorf("%+v %v: %s", tt.q, tt.words, all)
		}
	}
}

func TestEraseLeavesNoTrace(t *testing.T) {
	dir := t.TempDir()
	x := mustOpen(t, dir, Config{})
	fill(t, x, 30)
	n, err := x.Erase(context.Background(), "USER1@example.org")
	if err != nil || n != 10 {
		t.Fatalf("Erase: %d, %v", n, err)
	}
	if p, _ := x.Search(context.Background(), Query{}); len(p.Events) != 20 {
		t.Errorf("%d events left", len(p.Events))
	}
	x.Close()
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, f := range files {
		if b, _ := os.ReadFile(f); strings.Contains(string(b), "user1@example.org") {
			t.Errorf("%s still names the person", f)
		}
	}
}

func TestSweepByAgeAndSize(t *testing.T) {
	x := mustOpen(t, t.TempDir(), Config{MaxAge: config.Duration(time.Hour), MaxBytes: 200_000})
	fill(t, x, 1000)
	if err := x.Sweep(context.Background(), start.Add(time.Hour+250*time.Second)); err != nil {
		t.Fatal(err)
	}
	s, err := x.Stats(context.Background())
	if err != nil || s.Oldest.Before(start.Add(250*time.Second)) || s.Bytes > 200_000 || s.Written != 1000 {
		t.Errorf("%+v, %v", s, err)
	}
	var orphans int
	if err := x.read.QueryRow("SELECT count(*) FROM terms WHERE seq NOT IN (SELECT seq FROM events)").Scan(&orphans); err != nil || orphans != 0 {
		t.Errorf("%d terms without event, %v", orphans, err)
	}
}

func TestFullQueueKeepsSpam(t *testing.T) {
	x := mustOpen(t, t.TempDir(), Config{})
	for i := range queueLength {
		x.Add(event(i, message.Accept), nil)
	}
	half := len(x.queue)
	for i := range 1000 {
		x.Add(event(i, message.Reject), nil)
	}
	if got := len(x.queue) - half; got != 1000 || half > queueLength*6/10 {
		t.Errorf("of 1000 spam %d were queued behind %d others", got, half)
	}
	for i := range queueLength {
		x.Add(event(i, message.Reject), nil)
	}
	s, _ := x.Stats(context.Background())
	if s.Dropped == 0 || s.DroppedSpam == 0 || int(s.Dropped)+int(s.DroppedSpam)+s.Queued != 2*queueLength+1000 {
		t.Errorf("the books do not balance: %+v", s)
	}
}

func TestDiskTroubleCostsEventsOnly(t *testing.T) {
	x := mustOpen(t, t.TempDir(), Config{})
	fill(t, x, 10)
	if _, err := x.write.Exec("PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		x.Add(event(i, message.Reject), nil)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := x.Run(ctx); err != nil {
		t.Fatal(err)
	}
	s, err := x.Stats(context.Background())
	if err != nil || s.DroppedSpam == 0 || s.Error == "" || s.Written+s.DroppedSpam+s.Dropped != 2010 {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := x.write.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	fill(t, x, 10)
	if s, _ := x.Stats(context.Background()); s.Error != "" || s.Written < 20 {
		t.Errorf("did not recover: %+v", s)
	}
}

func TestStartsAnew(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "index.db")
	for _, spoil := range []func() error{
		func() error { return os.Remove(file) },
		func() error { return os.WriteFile(file, []byte(strings.Repeat("no database ", 1000)), 0o600) },
	} {
		x := mustOpen(t, dir, Config{})
		fill(t, x, 5)
		x.Close()
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		x = mustOpen(t, dir, Config{})
		if p, err := x.Search(context.Background(), Query{}); err != nil || len(p.Events) != 0 {
			t.Errorf("%d events, %v", len(p.Events), err)
		}
		fill(t, x, 5)
		x.Close()
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func BenchmarkAdd(b *testing.B) {
	x, err := Open(context.Background(), b.TempDir(), Config{}, discard())
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	batch := make([]entry, 0, maxBatch)
	i := 0
	for b.Loop() {
		i++
		if batch = append(batch, entry{event: event(i, message.Accept)}); len(batch) == maxBatch {
			if err := x.insert(context.Background(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}

func TestDrafts(t *testing.T) {
	x := mustOpen(t, t.TempDir(), Config{})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- x.Run(ctx) }()
	x.Add(event(1, message.Reject), []byte("sealed"))
	x.Add(event(2, message.Reject), nil)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if b, err := x.Draft(t.Context(), "m1"); err != nil || string(b) != "sealed" {
		t.Errorf("draft %q, %v", b, err)
	}
	if _, err := x.Draft(t.Context(), "m2"); !errors.Is(err, ErrNotFound) {
		t.Errorf("no draft gives %v", err)
	}
	if err := x.Sweep(t.Context(), start.Add(4*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Draft(t.Context(), "m1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an old draft gives %v", err)
	}
	if _, err := x.Get(t.Context(), "m1"); err != nil {
		t.Errorf("its event went too: %v", err)
	}
}

// Of a mail to more recipients than an event has terms, each is found and can be erased.
func TestPersonInACrowd(t *testing.T) {
	x := mustOpen(t, t.TempDir(), Config{})
	ctx := context.Background()
	e := event(1, message.Accept)
	for i := range 400 {
		e.Outcomes = append(e.Outcomes, message.Outcome{Recipient: fmt.Sprintf("member%d@list.example", i), Decision: e.Outcomes[0].Decision})
	}
	other := event(2, message.Accept)
	if err := x.insert(ctx, []entry{{e, nil}, {other, nil}}); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"member1@list.example", "MEMBER399@list.example"} {
		h, err := x.Holds(ctx, address, 5)
		if err != nil || h.Events != 1 || len(h.IDs) != 1 || h.IDs[0] != e.ID || !h.Oldest.Equal(h.Newest) {
			t.Errorf("%s: %+v, %v", address, h, err)
		}
	}
	if h, err := x.Holds(ctx, "nobody@list.example", 5); err != nil || h.Events != 0 {
		t.Errorf("nobody: %+v, %v", h, err)
	}
	if n, err := x.Erase(ctx, "member399@list.example"); err != nil || n != 1 {
		t.Errorf("erased %d, %v", n, err)
	}
	if p, err := x.Search(ctx, Query{}); err != nil || len(p.Events) != 1 || p.Events[0].ID != other.ID {
		t.Errorf("left %+v, %v", p, err)
	}
}

// When there is too much, all spam is wanted and a sample of the rest.
func TestWants(t *testing.T) {
	x := mustOpen(t, t.TempDir(), Config{})
	spam, honest := event(1, message.Tag), event(2, message.Accept)
	wanted := 0
	for range 10 * queueLength {
		if !x.Wants(spam) {
			t.Fatal("spam is not wanted")
		}
		if x.Wants(honest) {
			wanted++
		}
	}
	s, err := x.Stats(t.Context())
	if err != nil || wanted < restBurst || wanted > 2*restBurst || s.LeftOut != uint64(10*queueLength-wanted) {
		t.Errorf("%v: of %d honest ones %d were wanted, %d counted as left out", err, 10*queueLength, wanted, s.LeftOut)
	}
}
