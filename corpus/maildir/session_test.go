package maildir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rempart/message"
)

// pupil knows the mails that it was taught, and thinks of all others what it thinks of their kind after ten lessons.
type pupil struct {
	taught map[string]message.Label
	twice  int
	stop   func() // called after so many lessons
	after  int
}

func (p *pupil) judge(_ context.Context, batch []Mail) ([]float64, error) {
	all := make([]float64, len(batch))
	for i, m := range batch {
		if all[i] = 0.5; len(p.taught) >= 10 {
			all[i] = map[message.Label]float64{message.Spam: 0.99, message.Ham: 0.01}[m.Label]
		}
	}
	return all, nil
}

func (p *pupil) learn(ctx context.Context, batch []Mail) ([]float64, error) {
	all, err := p.judge(ctx, batch)
	for _, m := range batch {
		if p.taught[m.Name] == m.Label {
			p.twice++
		}
		if !strings.Contains(string(m.Raw), "mail") {
			return nil, fmt.Errorf("%s has not its own text", m.Path)
		}
		p.taught[m.Name] = m.Label
	}
	if p.stop != nil && len(p.taught) >= p.after {
		p.stop()
	}
	return all, err
}

func TestSession(t *testing.T) {
	dir := t.TempDir()
	for i := range 200 {
		deliver(t, dir, ".Junk", "cur", i, fmt.Sprint("s", i), "S")
		deliver(t, dir, ".Kept", "cur", i, fmt.Sprint("h", i), "S")
	}
	if err := os.WriteFile(filepath.Join(dir, ".Junk/cur/1700000000.empty.mx:2,S"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, root := list(t, dir)
	p := &pupil{taught: map[string]message.Label{}, after: 128}
	s := &Session{Root: root, Memory: filepath.Join(t.TempDir(), "memory"), Judge: p.judge, Learn: p.learn}
	ctx, cancel := context.WithCancel(t.Context())
	p.stop = cancel
	r, err := s.Run(ctx, l.Entries, 0.9)
	if !errors.Is(err, context.Canceled) || r.Spam+r.Ham != 128 {
		t.Fatalf("broken off: %+v, %v", r, err)
	}
	p.stop = nil
	if r, err = s.Run(t.Context(), l.Entries, 0.9); err != nil || r.Known != 128 || r.Spam+r.Ham != 400-128 || p.twice != 0 {
		t.Fatalf("gone on: %+v, %v, %d taught twice", r, err, p.twice)
	}
	if r.Broken != 1 || len(r.Named) != 1 || !strings.HasSuffix(r.Named[0], "empty.mx:2,S: empty") {
		t.Errorf("broken: %d %q", r.Broken, r.Named)
	}
	if r.Before.Spam < 19 || r.Before.Missed != r.Before.Spam || r.After.Missed != 0 || r.After.Spam != r.Before.Spam || r.After.Ham != 20 {
		t.Errorf("before %+v, after %+v", r.Before, r.After)
	}

	deliver(t, dir, ".Junk", "cur", 0, "late", "S")
	if err := os.Rename(find(t, dir, "h7.mx"), filepath.Join(dir, ".Junk/cur", "1700000000.moved.mx:2,S")); err != nil {
		t.Fatal(err)
	}
	l, _ = list(t, dir)
	if r, err = s.Run(t.Context(), l.Entries, 0.9); err != nil || r.Spam != 2 || r.Ham != 0 {
		t.Errorf("what is new: %+v, %v", r, err)
	}
	deliver(t, dir, ".Junk", "cur", 8, "h8", "S") // the same name as the honest one: moved there
	if err := os.Remove(find(t, filepath.Join(dir, ".Kept"), "h8.mx")); err != nil {
		t.Fatal(err)
	}
	l, _ = list(t, dir)
	if r, err = s.Run(t.Context(), l.Entries, 0.9); err != nil || r.Spam != 1 || r.Ham != 0 {
		t.Errorf("what has moved to Junk: %+v, %v", r, err)
	}
}

// A run broken off while it judges the last tenth goes on with the same tenth, and judges no mail of it twice.
func TestBrokenOffInJudging(t *testing.T) {
	dir := t.TempDir()
	for i := range 400 {
		deliver(t, dir, ".Junk", "cur", i, fmt.Sprint("s", i), "S")
		deliver(t, dir, ".Kept", "cur", i, fmt.Sprint("h", i), "S")
	}
	l, root := list(t, dir)
	p := &pupil{taught: map[string]message.Label{}}
	ctx, cancel := context.WithCancel(t.Context())
	judged, done, total := 0, 0, 0
	s := &Session{Root: root, Memory: filepath.Join(t.TempDir(), "memory"), Learn: p.learn,
		Judge: func(ctx context.Context, batch []Mail) ([]float64, error) {
			cancel()
			judged += len(batch)
			return p.judge(ctx, batch)
		},
		Progress: func(n, of int) { done, total = n, of }}
	if _, err := s.Run(ctx, l.Entries, 0.9); !errors.Is(err, context.Canceled) || judged != batchMails || len(p.taught) != 0 {
		t.Fatalf("broken off: %d judged, %d taught, %v", judged, len(p.taught), err)
	}
	r, err := s.Run(t.Context(), l.Entries, 0.9)
	if err != nil || judged != 80 || r.Before != (Tally{Spam: 40, Ham: 40, Missed: 40}) || r.After != (Tally{Spam: 40, Ham: 40}) {
		t.Errorf("gone on: %d judged, before %+v, after %+v, %v", judged, r.Before, r.After, err)
	}
	if done != total || total != 800+80-batchMails {
		t.Errorf("%d of %d done", done, total)
	}
}

func find(t *testing.T, dir, part string) string {
	t.Helper()
	for _, pattern := range []string{"cur/*." + part + "*", ".*/cur/*." + part + "*"} {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) > 0 {
			return found[0]
		}
	}
	t.Fatalf("no %s", part)
	return ""
}

func TestOneKind(t *testing.T) {
	dir := t.TempDir()
	deliver(t, dir, "", "cur", 50, "a", "S")
	l, root := list(t, dir)
	s := &Session{Root: root, Memory: filepath.Join(t.TempDir(), "memory")}
	if _, err := s.Run(t.Context(), l.Entries, 0.9); !errors.Is(err, ErrOneKind) {
		t.Errorf("error %v", err)
	}
}

// Whatever stands in the file, a line that is not ours is passed over.
func FuzzMemory(f *testing.F) {
	f.Add("spam 0123456789abcdef 0.5\nheld 0123456789abcdef\nbefore 0123456789abcdef 1\ndone\nham 01")
	f.Fuzz(func(t *testing.T, content string) {
		m := &memory{taught: map[string]memo{}, held: map[string]bool{}, before: map[string]float64{}}
		for line := range strings.Lines(content) {
			m.read(strings.TrimSuffix(line, "\n"))
		}
		for id, p := range m.before {
			if len(id) != idLength || p < 0 || p > 1 || !m.held[id] {
				t.Fatalf("%q: %v", id, p)
			}
		}
	})
}
