package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"rempart/message"
)

// Mail is one mail of a batch.
type Mail struct {
	Entry
	Raw []byte
}

// Session teaches the mail of one store.
type Session struct {
	Root *os.Root
	// Memory is the path of the file that says what was taught already. One file serves one store and one scope.
	Memory string
	// Judge gives the probability of spam of each mail, Learn too and then teaches them.
	Judge, Learn func(context.Context, []Mail) ([]float64, error)
	// Progress, if not nil, is called after each batch.
	Progress func(done, of int)
}

// Report is what came of a session.
type Report struct {
	Spam, Ham int      // taught now
	Known     int      // taught by an earlier run
	Left      int      // not taught, see [Order]
	Broken    int      // could not be read, or too large
	Named     []string // the first of them, with the reason
	// Before and After say how the last tenth was judged before anything was taught, and when the others were.
	Before, After Tally
}

// Tally counts verdicts.
type Tally struct {
	Spam, Ham int // judged
	Missed    int // spam below the probability that is tagged
	Hit       int // honest mail at it or above
}

// Bounds of a batch, and of a mail.
const (
	batchMails = 64
	batchBytes = 16 << 20
	maxMail    = 16 << 20
	maxNamed   = 20
)

// ErrOneKind is a store in which all mail that says something is spam, or all is honest.
var ErrOneKind = errors.New("there is no spam or no honest mail to tell apart")

// Run teaches the entries in the order of [Plan], those of the last tenth last. When ctx ends it finishes the batch in hand and
// returns ctx's error; another Run with the same memory goes on. From tag on a mail counts as held for spam.
func (s *Session) Run(ctx context.Context, entries []Entry, tag float64) (r Report, err error) {
	mem, err := openMemory(s.Memory)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, mem.file.Close()) }()
	order, err := s.resume(mem, entries, &r)
	if err != nil {
		return r, err
	}
	if len(order.Taught)+len(order.Held)+r.Known == 0 {
		return r, ErrOneKind
	}
	unjudged := order.unjudged(mem)
	total, done := len(order.Taught)+len(order.Held)+len(unjudged), 0
	progress := func(n int) {
		if done += n; s.Progress != nil {
			s.Progress(done, total)
		}
	}
	if err := s.each(ctx, unjudged, &r, func(ctx context.Context, batch []Mail) error {
		p, err := s.Judge(ctx, batch)
		if err != nil {
			return err
		}
		progress(len(batch))
		return mem.write("before", batch, p)
	}); err != nil {
		return r, err
	}
	held := slices.DeleteFunc(order.Held, func(e Entry) bool { return !mem.judged(e) }) // without the broken, named already
	for _, part := range [][]Entry{order.Taught, held} {
		if err := s.each(ctx, part, &r, func(ctx context.Context, batch []Mail) error {
			p, err := s.Learn(ctx, batch)
			if err != nil {
				return err
			}
			progress(len(batch))
			r.taught(batch)
			return mem.write("", batch, p)
		}); err != nil {
			return r, err
		}
	}
	r.compare(mem, entries, tag)
	return r, mem.done()
}

// resume plans what is left to do. In a run that goes on the last tenth is what it was.
func (s *Session) resume(mem *memory, entries []Entry, r *Report) (order Order, err error) {
	plan := Plan(entries)
	r.Left = plan.Left
	for _, part := range [][]Entry{plan.Taught, plan.Held} {
		for _, e := range part {
			switch {
			case mem.knows(e):
				r.Known++
			case mem.held[idOf(e.Name)]:
				order.Held = append(order.Held, e)
			default:
				order.Taught = append(order.Taught, e)
			}
		}
	}
	if len(mem.held) == 0 && len(order.Taught) > 0 {
		fresh := Plan(order.Taught)
		if len(fresh.Held) > 0 && fresh.Left == 0 {
			order.Taught, order.Held = fresh.Taught, fresh.Held
			err = mem.hold(order.Held)
		}
	}
	return order, err
}

// unjudged is what of the last tenth was not yet judged.
func (o Order) unjudged(mem *memory) (entries []Entry) {
	for _, e := range o.Held {
		if !mem.judged(e) {
			entries = append(entries, e)
		}
	}
	return entries
}

// each reads the mails and hands them on in batches; a batch that was begun is finished.
func (s *Session) each(ctx context.Context, entries []Entry, r *Report, do func(context.Context, []Mail) error) error {
	var batch []Mail
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := do(context.WithoutCancel(ctx), batch)
		batch, size = batch[:0], 0
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw, err := s.read(e.Path)
		if err != nil {
			r.broken(e.Path, err)
			continue
		}
		if len(batch) == batchMails || size+len(raw) > batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		batch, size = append(batch, Mail{e, raw}), size+len(raw)
	}
	return flush()
}

var errTooLarge = fmt.Errorf("larger than %d MB", maxMail>>20)

func (s *Session) read(path string) ([]byte, error) {
	file, err := s.Root.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case info.Size() > maxMail:
		return nil, errTooLarge
	}
	raw, err := io.ReadAll(io.LimitReader(file, maxMail))
	if err == nil && len(raw) == 0 {
		err = errors.New("empty")
	}
	return raw, err
}

func (r *Report) broken(path string, err error) {
	if r.Broken++; len(r.Named) < maxNamed {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		r.Named = append(r.Named, path+": "+err.Error())
	}
}

func (r *Report) taught(batch []Mail) {
	for _, m := range batch {
		if m.Label == message.Spam {
			r.Spam++
		} else {
			r.Ham++
		}
	}
}

// compare counts the last tenth before and after.
func (r *Report) compare(mem *memory, entries []Entry, tag float64) {
	for _, e := range entries {
		before, held := mem.before[idOf(e.Name)]
		after := mem.taught[idOf(e.Name)]
		if held && after.label == e.Label {
			r.Before.add(e.Label, before, tag)
			r.After.add(e.Label, after.probability, tag)
		}
	}
}

func (t *Tally) add(label message.Label, probability, tag float64) {
	switch spam, held := label == message.Spam, probability >= tag; {
	case spam:
		t.Spam++
		if !held {
			t.Missed++
		}
	default:
		t.Ham++
		if held {
			t.Hit++
		}
	}
}
