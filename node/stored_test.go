package node

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"rempart/message"
)

// storedMails are two kinds of mail, each number of its own.
func storedMails(from, n int) (mails []StoredMail) {
	for i := range n {
		s := StoredMail{Label: message.Ham, Raw: fmt.Appendf(nil, "From: ann@a.example\nMessage-ID: <%d@a.example>\nSubject: choir %d\n\nThe choir meets on day %d, bring the scores.\n", from+i, i, from+i)}
		if i%2 == 0 {
			s = StoredMail{Label: message.Spam, Raw: fmt.Appendf(nil, "From: win@b.example\nMessage-ID: <%d@b.example>\nSubject: prize %d\n\nClaim prize number %d and pay the fee at https://fee.b.example/\n", from+i, i, from+i)}
		}
		mails = append(mails, s)
	}
	return mails
}

// A store is taught in batches by the control socket: each mail is judged as the filter was before its batch, and what was
// learned is the journal's.
func TestLearnStored(t *testing.T) {
	path, _ := configuration(t, "")
	n, stop := serve(t, path)
	data := filepath.Join(filepath.Dir(path), "data")
	client, err := Dial(data)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	scope := message.Scope{User: "ben@b.example"}
	right := func(probabilities []float64) (n int) {
		for i, p := range probabilities {
			if (p >= 0.5) == (i%2 == 0) {
				n++
			}
		}
		return n
	}
	untaught, err := client.JudgeStored(t.Context(), storedMails(0, 64), scope)
	if err != nil {
		t.Fatal(err)
	}
	first, err := client.LearnStored(t.Context(), storedMails(0, 64), scope)
	if err != nil || len(first) != 64 || !slices.Equal(first, untaught) {
		t.Fatalf("%d of the first batch are judged by what it teaches itself: %v", len(first), err)
	}
	second, err := client.LearnStored(t.Context(), storedMails(64, 64), scope)
	if err != nil || right(second) < 60 {
		t.Errorf("after one batch %d of 64 are right: %v", right(second), err)
	}
	judged, err := client.JudgeStored(t.Context(), storedMails(128, 64), scope)
	if err != nil || right(judged) < 60 || n.filter.Lessons() != 128 {
		t.Errorf("judged alone %d of 64 are right, %d lessons: %v", right(judged), n.filter.Lessons(), err)
	}
	want := n.filter.Snapshot()
	stop()
	n, stop = serve(t, path)
	defer stop()
	if !bytes.Equal(want, n.filter.Snapshot()) {
		t.Error("after a restart the node knows something else")
	}
}

// BenchmarkLearnStored teaches a running node mail by its control socket, 64 in a batch: read by JSON, parsed, judged,
// sealed, synced in the journal and applied. One operation is a batch. Labels come in turns, whatever the mail is: the learners
// are never sure, which costs most.
func BenchmarkLearnStored(b *testing.B) {
	mails, _ := readMails(b)
	path, _ := configuration(b, "")
	_, stop := serve(b, path)
	defer stop()
	client, err := Dial(filepath.Join(filepath.Dir(path), "data"))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	i, bytes := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		batch := make([]StoredMail, 64)
		for k := range batch {
			raw := fmt.Appendf(nil, "X-Number: %d\n", i) // another mail to the journal's eye, not to the learners
			raw = append(raw, mails[i%len(mails)]...)
			batch[k] = StoredMail{Label: message.Label(1 + i%2), Raw: raw}
			bytes += len(raw)
			i++
		}
		if _, err := client.LearnStored(b.Context(), batch, message.Scope{}); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(bytes / b.N))
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "mails/s")
}
