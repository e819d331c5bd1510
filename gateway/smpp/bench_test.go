package smpp

import (
	"strings"
	"testing"
	"time"

	"rempart/gateway/smpp/pdu"
	"rempart/message"
)

// BenchmarkProxy is texts a second through client, proxy and message centre in one process over loopback, each decoded
// and judged by a judge that always accepts, with 128 unanswered at a time.
func BenchmarkProxy(b *testing.B) {
	const window = 128
	r := newRig(b, always(message.Accept), nil)
	r.smsc.quiet = true
	c := r.bind()
	_ = c.conn.SetDeadline(time.Now().Add(5 * time.Minute))
	one := text(0, strings.Repeat("Your parcel is waiting. ", 5))
	b.SetBytes(int64(len(one)))
	b.ReportAllocs()
	b.ResetTimer()
	var batch []byte
	for sent := 0; sent < b.N; {
		batch = batch[:0]
		n := min(window, b.N-sent)
		for range n {
			sent++
			at := len(batch)
			batch = append(batch, one...)
			batch[at+12], batch[at+13], batch[at+14], batch[at+15] = byte(sent>>24)&0x7f, byte(sent>>16), byte(sent>>8), byte(sent)
		}
		c.send(batch)
		for range n {
			if u, err := c.r.Next(); err != nil || u.ID() != pdu.SubmitSM.Resp() || u.Status() != pdu.OK {
				b.Fatalf("%v", err)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "texts/s")
}
