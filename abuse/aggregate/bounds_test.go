package aggregate

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"rempart/message"
)

// However much comes in, so much is kept.
func TestBounds(t *testing.T) {
	r := newRig(t)
	from := func(i int) func(*message.Message) {
		return func(m *message.Message) { m.From.Domain = "x"; m.Facts.Auth.SPFDomain = fmt.Sprintf("d%d.example", i) }
	}
	for i := range maxDomainRows + 10 {
		r.count("a.example", "mailto:d@a.example", from(i))
	}
	if got := r.waiting(); got != fmt.Sprintf("%s a.example %d/%d", yesterday, maxDomainRows, maxDomainRows) || r.leftOut != 10 {
		t.Errorf("%s, left out %d", got, r.leftOut)
	}
	r.leftOut = 0
	const many = 40_000
	for i := range many {
		r.count("c.example", "mailto:d@c.example", from(i))
	}
	beyond := r.leftOut
	if beyond == 0 || r.pending.bytes > maxPending || r.pending.bytes < maxPending-1000 {
		t.Errorf("left out %d, pending %d bytes", beyond, r.pending.bytes)
	}
	if err := r.flush(t.Context()); err != nil || r.leftOut != many-maxDomainRows {
		t.Errorf("left out %d, %v", r.leftOut, err)
	}
	r.nextDay()
	r.send()
	if got := r.hop.taken(t)["d@a.example"]; len(got) != 1 || len(got[0].Rows) != maxDomainRows {
		t.Errorf("the largest report: %d", len(got))
	}
}

// Whoever sends in the name of ever new domains makes no flush last until the next is due, and a day takes so many.
func TestManyDomains(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute with the race detector")
	}
	r := newRig(t)
	rua := "mailto:d@a.example," + strings.Repeat("x", 1000)
	const beyond = 1000
	for i := range maxDomains + beyond {
		r.count(fmt.Sprintf("d%d.example", i), rua)
		if (i+1)%beyond > 0 {
			continue
		}
		begin := time.Now()
		if err := r.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > flushEvery {
			t.Fatalf("%d new domains took %s at %d", beyond, took, i)
		}
	}
	list, err := r.Waiting(t.Context())
	if err != nil || len(list) != maxDomains || r.leftOut != beyond {
		t.Errorf("%d reports, %d mails left out, %v", len(list), r.leftOut, err)
	}
}

// What waits in memory is bounded by all that others bring, not by its rows alone.
func TestPendingBounds(t *testing.T) {
	r := newRig(t)
	long := func(n int) string { return "mailto:d@a.example," + strings.Repeat("x", n) }
	r.count("a.example", long(60_000))
	if len(r.pending.reports) != 0 || r.leftOut != 0 {
		t.Errorf("a tag that is too long to be one is kept: %d bytes", r.pending.bytes)
	}
	const many = 5000
	for i := range many {
		r.count(fmt.Sprintf("d%d.example", i), "mailto:d@a.example", func(m *message.Message) { m.Facts.Auth.Record.Failures = strings.Repeat("1:", 30_000) })
	}
	for i := range many {
		r.count(fmt.Sprintf("d%d.example", i), long(1900)) // of a record that has grown
	}
	kept := 0
	for key, p := range r.pending.reports {
		kept += len(key.domain) + len(p.latest.policy) + len(p.latest.rua)
		for row := range p.counts {
			kept += len(row)
		}
	}
	if len(r.pending.reports) != many || r.leftOut == 0 || kept > maxPending || kept < maxPending-5000 || kept != r.pending.bytes {
		t.Errorf("%d reports of %d bytes are kept, taken for %d; left out %d", len(r.pending.reports), kept, r.pending.bytes, r.leftOut)
	}
}

// What cannot be written is counted on, and written by Run when it ends.
func TestRunWrites(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	r.count("a.example", "mailto:d@a.example")
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	r.count("a.example", "mailto:d@a.example")
	r.Close()
	if err := r.flush(t.Context()); err == nil || r.pending.bytes == 0 {
		t.Errorf("%v, %d bytes", err, r.pending.bytes)
	}
	counted := r.pending
	r.open()
	if got := r.waiting(); got != yesterday+" a.example 1/1" {
		t.Errorf("%s", got)
	}
	r.pending = counted
	if got := r.waiting(); got != yesterday+" a.example 1/2" {
		t.Errorf("%s", got)
	}
}
