package smtp

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"rempart/gateway"
	"rempart/message"
)

// BenchmarkProxy is mails a second through client, proxy and next hop in one process over loopback, each parsed and judged by a
// judge that always accepts, over eight connections at a time.
func BenchmarkProxy(b *testing.B) {
	const clients = 8
	for _, size := range []int{5_000, 200_000} {
		for _, hop := range []string{"BDAT", "DATA"} {
			b.Run(fmt.Sprintf("%dkB/%s", size/1000, hop), func(b *testing.B) {
				r := newRig(b, always, nil)
				r.hop.quiet = true
				if hop == "DATA" {
					r.hop.lacks("CHUNKING")
				}
				mail := "Subject: hello\r\nFrom: a@example.com\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", size/72) + ".\r\n"
				group := "MAIL FROM:<a@example.com>\r\nRCPT TO:<accept@example.net>\r\nDATA\r\n"
				b.SetBytes(int64(len(mail)))
				b.ReportAllocs()
				b.ResetTimer()
				var wg sync.WaitGroup
				for i := range clients {
					d := r.hello()
					wg.Go(func() {
						for range (b.N + clients - 1 - i) / clients {
							d.write(group)
							for range 3 {
								d.read()
							}
							d.write(mail)
							if got := d.read(); !strings.HasPrefix(got, "250") {
								b.Errorf("answered %q", got)
								return
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
			})
		}
	}
}

// BenchmarkContent is the reading of content alone: what the protocol costs beside the copy.
func BenchmarkContent(b *testing.B) {
	mail := []byte(strings.Repeat(strings.Repeat("x", 70)+"\r\n", 1<<20/72) + ".\r\n")
	b.SetBytes(int64(len(mail)))
	b.ReportAllocs()
	for b.Loop() {
		c := &content{limit: 1 << 30, held: &memory{limit: 1 << 30}}
		for at := 0; at < len(mail); {
			n, _ := c.feed(mail[at:min(len(mail), at+clientBuffer)])
			at += n
		}
	}
}

func always(context.Context, *message.Message) gateway.Answer {
	return gateway.Answer{Decisions: []message.Decision{{Action: message.Accept}}}
}
