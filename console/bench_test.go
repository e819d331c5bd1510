package console

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"rempart/message"
)

// BenchmarkPages asks for the pages that read the index, which holds a week of a busy site's mail.
func BenchmarkPages(b *testing.B) {
	const events, batch = 200_000, 4096
	s := newStand(b)
	random := rand.New(rand.NewPCG(1, 2))
	ended, cancel := context.WithCancel(b.Context())
	cancel()
	for i := range events {
		e := made(random, now.Add(-time.Duration(events-i)*3*time.Second))
		e.ID, e.Key = fmt.Sprint("bench", i), fmt.Sprint("key", i)
		if i%1000 == 0 {
			e.Taught = message.Spam
		}
		s.Events.Add(e, nil)
		if i%batch == batch-1 || i == events-1 {
			if err := s.Events.Run(ended); err != nil {
				b.Fatal(err)
			}
		}
	}
	v := s.admin(b)
	for _, path := range []string{"/messages", "/disagreements?hours=168", "/disagreements?hours=168&q=shop7.example.com", "/disagreements?hours=168&signal=nothing",
		"/disagreements/both_honest?hours=168", "/rules", tryThreshold, tryRule, "/learning", "/messages/" + hostileID} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				if status, _ := v.get(path); status != 200 {
					b.Fatal(status)
				}
			}
		})
	}
}
