package measure

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rempart/message"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var groupKey = [32]byte{1, 2, 3}

func event(channel message.Channel, category message.Category, country string, network uint32, sender string, source byte) *message.Event {
	return &message.Event{Time: noon, Channel: channel, Direction: message.In, Door: "mx",
		Source:   message.Source{Address: netip.AddrFrom4([4]byte{192, 0, 2, source}), Country: country, Network: network, ID: sender},
		Verdicts: []message.Verdict{{Probability: 0.5, Category: category}},
		Outcomes: []message.Outcome{{Recipient: "a", Decision: message.Decision{Action: message.Tag}}}}
}

func drawEvent(t *rapid.T) *message.Event {
	e := event(message.Channel(rapid.IntRange(1, 2).Draw(t, "channel")), message.Category(rapid.IntRange(0, 3).Draw(t, "category")),
		rapid.SampledFrom([]string{"", "BF", "FR"}).Draw(t, "country"), uint32(rapid.IntRange(0, 700).Draw(t, "network")),
		rapid.SampledFrom([]string{"", "BANK", "+22670000001", "a.example"}).Draw(t, "sender"), byte(rapid.IntRange(0, 255).Draw(t, "source")))
	e.Time = noon.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "hour")) * time.Hour)
	if rapid.Bool().Draw(t, "routed") {
		e.Route = []message.Hop{{From: fmt.Sprint("r", rapid.IntRange(0, 3).Draw(t, "hop")), By: "mx", Trusted: true}}
	}
	return e
}

func drawLeaves(t *rapid.T) []*Leaf {
	var leaves []*Leaf
	for origin := range rapid.IntRange(1, 3).Draw(t, "origins") {
		key := groupKey
		key[31] = byte(rapid.IntRange(0, 1).Draw(t, "key"))
		tallies := New(fmt.Sprint("n", origin), noon, time.Hour, key, nil)
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			tallies.Fold(drawEvent(t))
		}
		for range rapid.IntRange(0, 3).Draw(t, "complaints") {
			tallies.Complained(noon)
		}
		leaves = append(leaves, tallies.Leaves(noon, noon.Add(24*time.Hour))...)
	}
	return leaves
}

func record(t interface{ Fatal(...any) }, total *Total) []byte {
	b, err := total.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestComplaints(t *testing.T) {
	tallies := New("n1", noon, time.Hour, groupKey, nil)
	tallies.Complained(noon)
	before := tallies.Total(noon, noon.Add(time.Hour))
	tallies.Complained(noon.Add(time.Minute))
	tallies.Complained(noon.Add(time.Hour))
	for hours, want := range map[int]uint64{1: 2, 2: 3} {
		if got := tallies.Total(noon, noon.Add(time.Duration(hours)*time.Hour)).Complaints(); got != want {
			t.Errorf("%d hours: %d, want %d", hours, got, want)
		}
	}
	if before.Complaints() != 1 {
		t.Errorf("a total changed to %d", before.Complaints())
	}
}

// Merging is a union of leaves: its bytes do not depend on order or repetition, nor on a way through the wire.
func TestMergeIsAUnion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves := drawLeaves(t)
		want := record(t, Merge(leaves))
		shuffled := rapid.Permutation(append(leaves, leaves[0])).Draw(t, "order")
		var read []*Leaf
		for _, l := range shuffled {
			b, _ := l.AppendBinary(nil)
			var again Leaf
			if err := again.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			b2, _ := again.AppendBinary(nil)
			if !bytes.Equal(b, b2) {
				t.Fatal("a leaf changed on its way through bytes")
			}
			read = append(read, &again)
		}
		if !bytes.Equal(want, record(t, Merge(read))) {
			t.Fatal("the bytes of the merge depend on order or repetition")
		}
	})
}

func TestLatestRevisionCounts(t *testing.T) {
	tallies := New("n", noon, time.Hour, groupKey, nil)
	tallies.Fold(event(message.Email, message.Phishing, "BF", 64512, "a.example", 1))
	early := tallies.Leaves(noon, noon.Add(time.Hour))
	tallies.Fold(event(message.Email, message.Phishing, "BF", 64512, "a.example", 1))
	late := tallies.Leaves(noon, noon.Add(time.Hour))
	if n := Merge(append(late, early...)).Messages(Select{}); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
}

func TestQuestions(t *testing.T) {
	tallies := New("n", noon, time.Hour, groupKey, nil)
	for i := range 10 {
		tallies.Fold(event(message.Email, message.Phishing, "BF", 64512, "a.example", byte(i)))
	}
	for i := range 3 {
		tallies.Fold(event(message.SMS, message.CategoryNone, "", 0, "+22670123456", byte(i)))
	}
	many := event(message.Email, message.CategoryNone, "FR", 64513, "b.example", 1)
	many.Outcomes = append(many.Outcomes, many.Outcomes[0], many.Outcomes[0])
	tallies.Fold(many)
	total := tallies.Total(noon, noon.Add(time.Hour))
	yes := true
	spam := Select{Spam: &yes}
	if n := total.Messages(spam); n != 10 {
		t.Errorf("%d spams, want 10", n)
	}
	if low, high := total.Sources(spam); low != 10 || high != 10 {
		t.Errorf("%d to %d sources, want 10", low, high)
	}
	check := func(what string, got []Count, want ...Count) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	check("countries", total.Countries(Select{}, 2), Count{"BF", 10, 0}, Count{Unknown, 3, 0})
	check("networks", total.Networks(Select{Channel: message.SMS}, 5), Count{Unknown, 3, 0})
	check("senders", total.Senders(Select{Channel: message.SMS}, 5), Count{"+2267012…", 3, 0})
	if e := total.Edges(spam, 5); len(e) != 1 || e[0].Edge != (Edge{"AS64512", "mx", true}) {
		t.Errorf("edges: %v", e)
	}
	for _, v := range total.Volumes() {
		if v.Channel == message.Email && v.Category == message.CategoryNone && v.Volume != (Volume{1, 3}) {
			t.Errorf("a message to three counts as %+v", v.Volume)
		}
	}
}

func TestSketchesOfUnlikeKeysGiveARange(t *testing.T) {
	other := New("m", noon, time.Hour, [32]byte{9}, nil)
	tallies := New("n", noon, time.Hour, groupKey, nil)
	for i := range 10 {
		e := event(message.Email, message.Phishing, "BF", 64512, "a.example", byte(i))
		tallies.Fold(e)
		other.Fold(e)
	}
	total := Merge(append(tallies.Leaves(noon, noon.Add(time.Hour)), other.Leaves(noon, noon.Add(time.Hour))...))
	if low, high := total.Sources(Select{}); low != 10 || high != 20 {
		t.Errorf("%d to %d, want 10 to 20", low, high)
	}
}

func TestCheckpointAndRestore(t *testing.T) {
	tallies := New("n", noon, 24*time.Hour, groupKey, nil)
	saved := map[string][]byte{}
	save := func(id string, b []byte) error { saved[id] = b; return nil }
	tallies.Fold(event(message.Email, message.Phishing, "BF", 64512, "a.example", 1))
	full := errors.New("full")
	if err := tallies.Checkpoint(func(string, []byte) error { return full }); !errors.Is(err, full) {
		t.Fatalf("a failing save gives %v", err)
	}
	for range 2 {
		if err := tallies.Checkpoint(save); err != nil {
			t.Fatal(err)
		}
	}
	if len(saved) != 1 {
		t.Errorf("%d records for one state of one leaf", len(saved))
	}
	tallies.Fold(event(message.Email, message.Phishing, "BF", 64512, "a.example", 2))
	if err := tallies.Checkpoint(save); err != nil {
		t.Fatal(err)
	}
	next := New("n", noon.Add(time.Minute), 24*time.Hour, groupKey, nil)
	next.Fold(event(message.Email, message.Phishing, "BF", 64512, "a.example", 3))
	for _, b := range saved {
		var l Leaf
		if err := l.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		next.Restore(&l)
	}
	if n := next.Total(noon, noon.Add(time.Hour)).Messages(Select{}); n != 3 {
		t.Errorf("%d messages after the restart, want 3", n)
	}
}

func FuzzLeaf(f *testing.F) {
	tallies := New("n", noon, time.Hour, groupKey, nil)
	tallies.Fold(event(message.Email, message.Phishing, "BF", 64512, "a.example", 1))
	for _, l := range tallies.Leaves(noon, noon.Add(time.Hour)) {
		b, _ := l.AppendBinary(nil)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var l Leaf
		if l.UnmarshalBinary(b) != nil {
			return
		}
		total := Merge([]*Leaf{&l})
		total.Sources(Select{})
		if len(total.Networks(Select{}, 10)) > 10 {
			t.Fatal("more items than asked for")
		}
	})
}

func BenchmarkFold(b *testing.B) {
	tallies := New("n", noon, time.Hour, groupKey, nil)
	var events []*message.Event
	for i := range 4096 {
		events = append(events, event(message.Email, message.Category(i%4), "BF", uint32(i*7919%3000), fmt.Sprintf("s%d.example", i*31%2000), byte(i)))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		tallies.Fold(events[i%len(events)])
		i++
	}
}
