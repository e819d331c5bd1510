//go:build soak

package node

import (
	"runtime"
	"testing"

	"rempart/corpus"
	"rempart/message"
	"rempart/message/sms"
)

// TestSoak passes ten million texts and 200,000 mails through the whole path and holds the memory in use against that
// after the first tenth: it is bounded by configuration, not by traffic.
func TestSoak(t *testing.T) {
	texts := readTexts(t)
	mails, _ := readMails(t)
	p := newPath(t)
	inUse := func() uint64 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapInuse
	}
	run := func(name string, total int, judge func(i int)) {
		var first uint64
		for i := range total {
			judge(i)
			if i%(total/10) == total/10-1 {
				now := inUse()
				t.Logf("%d %s: %d MiB in use", i+1, name, now>>20)
				if first == 0 {
					first = now
				}
				if now > first+first/5+16<<20 {
					t.Fatalf("memory grew from %d to %d MiB", first>>20, now>>20)
				}
			}
		}
	}
	run("texts", 10_000_000, func(i int) {
		body, coding := sms.Encode(texts[i%len(texts)])
		m := sms.Parse(sms.Input{Source: "+44207946" + string(rune('0'+i%10)), ShortMessage: body, DataCoding: coding})
		m.Direction = message.In
		p.judge(t, m)
	})
	run("mails", 200_000, func(i int) { p.judge(t, corpus.Mail(mails[i%len(mails)])) })
}
