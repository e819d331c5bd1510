package campaign

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rempart/message"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// judged is an event as the node records it.
func judged(id string, channel message.Channel, category message.Category, text string, hosts ...string) *message.Event {
	e := &message.Event{ID: id, Time: noon, Channel: channel, Direction: message.In, Door: "mx", LinkHosts: hosts,
		Source:   message.Source{ID: "sender.example", Country: "XA", Network: 64512},
		Verdicts: []message.Verdict{{Category: category}}, Outcomes: []message.Outcome{{Decision: message.Decision{Action: message.Accept}}}}
	if category != message.CategoryNone {
		e.Outcomes[0].Decision.Action = message.Tag
	}
	if d, ok := Sum(text); ok {
		e.Digest = d.Bytes()
	}
	return e
}

func numbered(i int) string { return fmt.Sprintf("%04d", i) }

func TestWatchGathersNearCopiesAndInfrastructure(t *testing.T) {
	w := NewWatch()
	mail := w.Add(judged("m1", message.Email, message.Phishing, offer, "www.parcel-fee.test"))
	if mail != "m1" {
		t.Fatalf("the first message is of campaign %q", mail)
	}
	for _, tt := range []struct {
		what string
		e    *message.Event
		want string
	}{
		{"a near copy", judged("m2", message.Email, message.Phishing, strings.Replace(offer, "4471", "9921", 1)), mail},
		{"a text that leads to the same domain", judged("t1", message.SMS, message.Phishing, "Your parcel is held: pay now", "track.parcel-fee.test"), mail},
		{"honest mail that leads there", judged("h1", message.Email, message.CategoryNone, letter, "parcel-fee.test"), "h1"},
		{"other spam", judged("s1", message.Email, message.Scam, "I am a barrister and write to you about the estate of the late Mr Cole, who left no heir.", "fee.test"), "s1"},
	} {
		if got := w.Add(tt.e); got != tt.want {
			t.Errorf("%s is of campaign %q, want %q", tt.what, got, tt.want)
		}
	}
	for i := range sureSpam {
		w.Add(judged("m3"+numbered(i), message.Email, message.Phishing, offer, "www.parcel-fee.test"))
	}
	if got := w.Add(judged("t9", message.SMS, message.CategoryNone, "Parcel: a short text that was missed", "parcel-fee.test")); got != mail {
		t.Errorf("a text that was missed and leads to a host known for spam is of campaign %q", got)
	}
	call := judged("c1", message.Call, message.Phishing, "")
	call.Source.ID, call.Time = "+447700900123", noon.Add(time.Minute)
	vishing := w.Add(call)
	text := judged("t2", message.SMS, message.Phishing, "Bank: a new device was added to your account, call us now", "parcel-fee.test")
	text.Source.ID = "+447700900123"
	if got := w.Add(text); got != mail {
		t.Errorf("a text from a caller's number that leads to the parcel host is of %q", got)
	}
	c, ok := w.Get(vishing)
	if !ok || c.ID != mail || c.Messages != 6+sureSpam || c.Spam != 5+sureSpam || c.Stopped != 5+sureSpam {
		t.Fatalf("the campaigns did not become one: %+v", c)
	}
	if c.Channels[message.Email] != 2+sureSpam || c.Channels[message.SMS] != 3 || c.Channels[message.Call] != 1 || c.Category() != message.Phishing {
		t.Errorf("channels %v, category %v", c.Channels, c.Category())
	}
	if c.Name() != "parcel-fee.test" || c.Hosts[0].Messages != 4+sureSpam {
		t.Errorf("name %q, hosts %v", c.Name(), c.Hosts)
	}
	list := w.List(noon, 2, 10)
	if len(list) != 1 || list[0].ID != mail {
		t.Errorf("of at least two messages: %+v", list)
	}
}

// A host that everybody links to brings nothing together.
func TestCommonHostsAreNoInfrastructure(t *testing.T) {
	w := NewWatch()
	for i := range 30 {
		w.Add(judged("h"+numbered(i), message.Email, message.CategoryNone, fmt.Sprintf("%s %d", letter, i), "video.example"))
	}
	w.Add(judged("s1", message.Email, message.Scam, offer, "video.example"))
	if got := w.Add(judged("s2", message.Email, message.Scam, "Win a voyage round the world with our lottery of the month, dear friend of the sea", "video.example")); got != "s2" {
		t.Errorf("spam that links to a common host is of campaign %q", got)
	}
}

// Events read from the index again, in their order, make the same campaigns.
func TestWatchMadeAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := []string{offer, letter, "Win a voyage round the world with our lottery of the month, dear friend of the sea"}
		var events []*message.Event
		first := NewWatch()
		for i := range rapid.IntRange(1, 30).Draw(t, "events") {
			e := judged(numbered(i), message.Email, message.Category(rapid.IntRange(0, 3).Draw(t, "category")), rapid.SampledFrom(texts).Draw(t, "text"),
				rapid.SampledFrom([]string{"a.test", "b.test", "c.test"}).Draw(t, "host"))
			e.Campaign = first.Add(e)
			events = append(events, e)
		}
		again := NewWatch()
		for _, e := range events {
			again.Add(e)
		}
		want, got := first.List(noon, 1, 100), again.List(noon, 1, 100)
		if fmt.Sprintf("%+v", want) != fmt.Sprintf("%+v", got) {
			t.Fatalf("made again:\n%+v\nwant\n%+v", got, want)
		}
	})
}

func TestWatchIsBounded(t *testing.T) {
	w := NewWatch()
	rng := rand.New(rand.NewPCG(1, 2))
	big := ""
	for i := range 3 * WatchCapacity {
		e := judged(numbered(i), message.Email, message.Scam, "", fmt.Sprintf("host%d.test", i))
		d := Digest{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64()}
		e.Digest, e.Time = d.Bytes(), noon.Add(time.Duration(i)*time.Second)
		id := w.Add(e)
		if i < 3 {
			big = w.Add(e)
			_ = id
		}
	}
	if len(w.live) > WatchCapacity || len(w.accounts) > WatchCapacity+maxAlso || len(w.infra) > WatchCapacity || len(w.places)-len(w.free) > WatchCapacity {
		t.Errorf("%d campaigns, %d ids, %d hosts, %d digests", len(w.live), len(w.accounts), len(w.infra), len(w.places)-len(w.free))
	}
	if _, ok := w.Get(big); !ok {
		t.Error("a campaign of several messages was forgotten before single ones")
	}
}

func BenchmarkWatchAdd(b *testing.B) {
	w := NewWatch()
	rng := rand.New(rand.NewPCG(1, 2))
	var events []*message.Event
	for i := range 4096 {
		e := judged(numbered(i), message.Email, message.Scam, "", fmt.Sprintf("host%d.test", i%600))
		d := Digest{rng.Uint64N(500), 1, 2, 3}
		e.Digest = d.Bytes()
		events = append(events, e)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w.Add(events[i%len(events)])
		i++
	}
}
