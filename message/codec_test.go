package message

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 123, time.UTC)

func sampleEvent() *Event {
	return &Event{
		ID: "01", Time: noon, Node: "n1", Door: "mx", Channel: Email, Direction: In, Tenant: "t", Account: "a",
		QueueID: "4F2", MessageID: "x@a.example",
		Source:   Source{Address: netip.MustParseAddr("2001:db8::1"), Name: "mx.a.example", Country: "BF", Network: 64512, ID: "a.example", Trusted: true, Line: Mobile},
		MailFrom: "b@a.example", From: "c@a.example", Subject: "hello", Size: 4096,
		Verified:  Verified{SPF: "a.example", DKIM: []string{"a.example", "esp.example"}, ARC: "list.example"},
		Route:     []Hop{{From: "a", Address: netip.MustParseAddr("192.0.2.1"), Network: 64513, By: "b", With: "ESMTPS", At: noon, Trusted: true}, {}},
		LinkHosts: []string{"bad.example"}, Digest: []byte{1, 2, 3},
		Verdicts: []Verdict{{Score: -3 * One, Probability: 0.25, Category: Phishing, Calibration: Identity, Model: "1/7",
			Contributions: []Contribution{
				{Name: "date_ahead", Method: Characteristic, State: StatePresent, Input: FixedOne, Coefficient: One, Args: []any{int64(0), "", int64(-26)}},
				{Name: "spf_fail", Method: SourceAnalysis, State: StateUnknown, Input: 0, Coefficient: -1},
			}}},
		Outcomes: []Outcome{{Recipient: "d@b.example", Decision: Decision{Action: 77, Rule: "threshold", Mode: ModeShadow, Text: "no",
			Thresholds: []Threshold{{Tag, 0.9}, {Reject, 0.99}},
			Matches:    []Match{{"trial", Reject, ModeShadow}, {"deny:bad.example", Hold, ModeJudge}}, United: true, Skipped: []string{"rule:bomb"}}}},
		Took: 1500 * time.Microsecond, Campaign: "parcel", Incumbent: Incumbent{"spamassassin", Ham, -1.5}, Key: "6b", Taught: Spam,
	}
}

func TestEventRoundTrip(t *testing.T) {
	want := sampleEvent()
	b, err := want.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got Event
	if err := got.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&got, want) {
		t.Errorf("read back\n%+v\nwant\n%+v", got, *want)
	}
}

func TestLessonRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hashes := rapid.SliceOfDistinct(rapid.Uint32(), func(u uint32) uint32 { return u }).Draw(t, "hashes")
		slices.Sort(hashes)
		want := Lesson{ID: "l1", Time: noon, Message: "k", Channel: SMS, Direction: Out, Label: Spam, Category: Scam,
			Scope: Scope{"t", "d", "u"}, Teacher: "who", Replaces: "l0", Source: "s", Extractor: 3, Base: "b",
			Features: []FeatureSet{{"bytes", hashes}, {"tokens", []uint32{}}},
			Signals:  []SignalValue{{"date_ahead", StatePresent, FixedOne / 3}, {"spf", StateUnknown, 0}},
			Digest:   []byte{9}, Before: 0.25}
		b, _ := want.AppendBinary(nil)
		var got Lesson
		if err := got.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("read back\n%+v\nwant\n%+v", got, want)
		}
	})
}

// A newer build's record has tags this one does not know; an older journal must stay readable.
func TestUnknownTagIsSkipped(t *testing.T) {
	want := sampleEvent()
	b, _ := want.AppendBinary(nil)
	b = append(b, 99, 2, 'h', 'i')
	var got Event
	if err := got.UnmarshalBinary(b); err != nil || !reflect.DeepEqual(&got, want) {
		t.Errorf("err %v, %+v", err, got)
	}
}

func FuzzEvent(f *testing.F) {
	b, _ := sampleEvent().AppendBinary(nil)
	f.Add(b)
	f.Add([]byte{eventVersion, byte(eventOutcome), 2, byte(outcomeVerdict), 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e Event
		if e.UnmarshalBinary(b) != nil {
			return
		}
		e.Worst()
		again, _ := e.AppendBinary(nil)
		var e2 Event
		if err := e2.UnmarshalBinary(again); err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
	})
}

func FuzzLesson(f *testing.F) {
	l := Lesson{ID: "l1", Label: Ham, Features: []FeatureSet{{"bytes", []uint32{1, 5, 9}}}}
	b, _ := l.AppendBinary(nil)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var l Lesson
		if l.UnmarshalBinary(b) == nil {
			if _, err := l.AppendBinary(nil); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkEventAppend(b *testing.B) {
	e := sampleEvent()
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf, _ = e.AppendBinary(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}

func TestNamesKeepUnknownNumbers(t *testing.T) {
	var a Action
	if err := a.UnmarshalText([]byte("#200")); err != nil || a != 200 || a.String() != "#200" {
		t.Errorf("action %v, err %v", a, err)
	}
	if err := a.UnmarshalText([]byte("bounce")); err == nil {
		t.Error("an unknown word was taken for an action")
	}
}
