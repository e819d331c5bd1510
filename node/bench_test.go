package node

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/corpus"
	"rempart/filter"
	"rempart/measure"
	"rempart/message"
	"rempart/message/sms"
	"rempart/policy"
)

// shared is the directory of the corpora, which only developers have.
func shared(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("REMPART_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("the corpora are not here: set REMPART_SHARED (%v)", err)
	}
	return dir
}

// path is the way of one message without sockets and disk: signals, learners, policy, event, tally.
type path struct {
	filter  *filter.Filter
	rules   *policy.Rules
	tallies *measure.Tallies
	record  []byte
}

func newPath(tb testing.TB) *path {
	tb.Helper()
	rules, err := policy.New(policy.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	return &path{filter: filter.New(filter.Options{}), rules: rules, tallies: measure.New("n1", time.Now(), time.Hour, [32]byte{1}, nil)}
}

func (p *path) judge(tb testing.TB, m *message.Message) *message.Event {
	j := p.filter.Judge(tb.Context(), m, m.Recipients)
	e := message.NewEvent(m, j, policy.Decide(j, m, p.rules))
	p.tallies.Fold(e)
	p.record, _ = e.AppendBinary(p.record[:0])
	return e
}

// readMails reads the SpamAssassin corpus as files are: bytes.
func readMails(tb testing.TB) (mails [][]byte, bytes int64) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(shared(tb), "data", "email", "spamassassin", "mail", "*.eml"))
	if err != nil || len(files) == 0 {
		tb.Skip("no mails of the SpamAssassin corpus here")
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		mails = append(mails, b)
		bytes += int64(len(b))
	}
	return mails, bytes
}

// BenchmarkMail is the whole path of a mail on one core, parsing included, after a thousand lessons. One operation is one
// mail; the bytes are the corpus's mean.
func BenchmarkMail(b *testing.B) {
	mails, bytes := readMails(b)
	p := newPath(b)
	for i := range 1000 {
		m := corpus.Mail(mails[i*len(mails)/1000])
		p.filter.Apply(p.filter.Lesson(b.Context(), m, message.Label(1+i%2), message.Scope{}, "bench"))
	}
	b.SetBytes(bytes / int64(len(mails)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		m := corpus.Mail(mails[i%len(mails)])
		m.Recipients = []message.Recipient{{Address: "ben@b.example"}}
		p.judge(b, m)
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

func readTexts(tb testing.TB) []string {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(shared(tb), "data", "sms", "sms-spam-collection.tsv"))
	if err != nil {
		tb.Skip(err)
	}
	var texts []string
	for line := range strings.Lines(string(b)) {
		if _, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// BenchmarkText is the whole path of a text on one core, decoding included, after a thousand lessons.
func BenchmarkText(b *testing.B) {
	texts := readTexts(b)
	p := newPath(b)
	inputs := make([]sms.Input, len(texts))
	for i, text := range texts {
		body, coding := sms.Encode(text)
		inputs[i] = sms.Input{Source: "+442079460001", SourceTON: 1, Destination: "+442079460002", ShortMessage: body, DataCoding: coding}
		if i%5 == 0 {
			m := sms.Parse(inputs[i])
			m.Direction = message.In
			p.filter.Apply(p.filter.Lesson(b.Context(), m, message.Label(1+i%2), message.Scope{}, "bench"))
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		m := sms.Parse(inputs[i%len(inputs)])
		m.Direction = message.In
		p.judge(b, m)
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "texts/s")
}

// BenchmarkSHA256 is one core's SHA-256: what the figures of other machines are scaled by.
func BenchmarkSHA256(b *testing.B) {
	block := make([]byte, 1<<20)
	b.SetBytes(int64(len(block)))
	for b.Loop() {
		sha256.Sum256(block)
	}
}
