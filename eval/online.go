// Package eval measures the filter on labelled corpora: by the TREC Spam Track's online protocol (each message judged,
// then taught with its label), with lessons as life gives them, and by folds.
//
// A run starts from scratch: no shipped weights, every prior zero, no state but what it taught itself.
package eval

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rempart/corpus"
	"rempart/filter"
	"rempart/message"
)

// Lessons says how lessons come. The zero value teaches nothing; [Immediate] is the TREC protocol's.
type Lessons struct {
	Delay     int     // a lesson comes that many messages late
	TeachSpam float64 // share of spam that is ever taught, 0 to 1
	TeachHam  float64 // share of ham that is ever taught
	Wrong     float64 // share of lessons with the wrong label
	Seed      uint64  // of the choices above
}

// Immediate teaches every message at once with its true label.
var Immediate = Lessons{TeachSpam: 1, TeachHam: 1}

// Setup is what is measured.
type Setup struct {
	Lessons Lessons
	Only    filter.Part // judges alone; the zero value is the whole filter
	Mask    bool        // recipients' and collectors' marks are masked ([corpus.Marks])
}

// Online runs the online protocol over an index in TREC format: "spam|ham PATH" a line, paths relative to the index.
// Progress, if not nil, is called after each message.
func Online(ctx context.Context, index string, setup Setup, progress func(done, of int)) (Figures, []Result, error) {
	entries, err := ReadIndex(index)
	if err != nil {
		return Figures{}, nil, err
	}
	start := time.Now()
	f := filter.New(filter.Options{Scratch: true, Only: setup.Only})
	school := newSchool(f, setup.Lessons)
	results := make([]Result, 0, len(entries))
	for i, e := range entries {
		if err := ctx.Err(); err != nil {
			return Figures{}, nil, err
		}
		m, err := corpus.ReadMail(e.Path)
		if err != nil {
			return Figures{}, nil, err
		}
		if setup.Mask {
			m = corpus.Mail(corpus.Mask(m.Raw))
		}
		results = append(results, judge(ctx, f, m, e.Path, e.Spam))
		school.teach(ctx, m, e.Spam)
		if progress != nil {
			progress(i+1, len(entries))
		}
	}
	figures := Measure(results)
	figures.Corpus, figures.Protocol = index, "online"
	figures.MessagesPerSecond = float64(len(entries)) / time.Since(start).Seconds()
	return figures, results, nil
}

func judge(ctx context.Context, f *filter.Filter, m *message.Message, name string, spam bool) Result {
	v := f.Judge(ctx, m, nil).Verdicts[0]
	return Result{Name: name, Digest: m.Facts.Digest, Score: v.Score.Float(), Probability: v.Probability, Spam: spam}
}

// school gives lessons as configured.
type school struct {
	filter  *filter.Filter
	lessons Lessons
	random  *rand.Rand
	waiting []*message.Lesson
}

func newSchool(f *filter.Filter, l Lessons) *school {
	return &school{filter: f, lessons: l, random: rand.New(rand.NewPCG(l.Seed, 0))}
}

// teach queues the lesson of one message, or a gap where none comes, and applies what is due.
func (s *school) teach(ctx context.Context, m *message.Message, spam bool) {
	share := s.lessons.TeachHam
	label := message.Ham
	if spam {
		share, label = s.lessons.TeachSpam, message.Spam
	}
	var lesson *message.Lesson
	if share >= 1 || s.random.Float64() < share {
		if s.lessons.Wrong > 0 && s.random.Float64() < s.lessons.Wrong {
			label = label.Opposite()
		}
		lesson = s.filter.Lesson(ctx, m, label, message.Scope{}, "eval")
	}
	s.waiting = append(s.waiting, lesson)
	if len(s.waiting) <= s.lessons.Delay {
		return
	}
	if due := s.waiting[0]; due != nil {
		s.filter.Apply(due)
	}
	s.waiting = s.waiting[1:]
}

// Entry is one line of an index.
type Entry struct {
	Path string
	Spam bool
}

// ReadIndex reads an index in TREC format: "spam|ham PATH" a line, paths relative to the index.
func ReadIndex(index string) ([]Entry, error) {
	file, err := os.Open(index)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var entries []Entry
	scan := bufio.NewScanner(file)
	for line := 1; scan.Scan(); line++ {
		label, path, ok := strings.Cut(strings.TrimSpace(scan.Text()), " ")
		if label == "" && !ok {
			continue
		}
		if !ok || label != "spam" && label != "ham" {
			return nil, fmt.Errorf("%s:%d: want \"spam PATH\" or \"ham PATH\"", index, line)
		}
		entries = append(entries, Entry{filepath.Join(filepath.Dir(index), path), label == "spam"})
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", index, err)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s: %w", index, ErrEmpty)
	}
	return entries, nil
}

// ErrEmpty is an index or corpus without messages.
var ErrEmpty = errors.New("no messages in it")
