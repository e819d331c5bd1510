package train

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"

	"rempart/corpus"
	"rempart/eval"
	"rempart/filter"
	"rempart/filter/base"
	"rempart/message"
	"rempart/policy"
)

// Share is how many of some mails were acted upon.
type Share struct{ Hit, Of int }

// Percent is the share in percent; 0 of none.
func (s Share) Percent() float64 {
	if s.Of == 0 {
		return 0
	}
	return 100 * float64(s.Hit) / float64(s.Of)
}

func (s *Share) count(hit bool) {
	s.Of++
	if hit {
		s.Hit++
	}
}

func (s *Share) add(o Share) { s.Hit, s.Of = s.Hit+o.Hit, s.Of+o.Of }

// Report is how weights did on mail that they were not made from, with the shipped default policy: a mail is hit or caught
// if the action is neither accept nor greylist.
type Report struct {
	Ham, Spam []Share // by index
	Rewrapped []Share // by form of the control: honest mail of the first index
	Phishing  Share   // of the mails that are never trained on
	Unseen    Share   // of them, the half that was not looked at when the method was made
	Plain     Share   // of them, as plain text with a header of 2002
}

// Add pools another fold's report with r.
func (r *Report) Add(o Report) {
	for i := range o.Ham {
		if i == len(r.Ham) {
			r.Ham, r.Spam = append(r.Ham, Share{}), append(r.Spam, Share{})
		}
		r.Ham[i].add(o.Ham[i])
		r.Spam[i].add(o.Spam[i])
	}
	for i := range o.Rewrapped {
		if i == len(r.Rewrapped) {
			r.Rewrapped = append(r.Rewrapped, Share{})
		}
		r.Rewrapped[i].add(o.Rewrapped[i])
	}
	r.Phishing.add(o.Phishing)
	r.Unseen.add(o.Unseen)
	r.Plain.add(o.Plain)
}

// Measure judges the mails of a fold, and phishing, with weights.
func (s *Study) Measure(ctx context.Context, w *base.Weights, fold int, phishing []Mail) (r Report, err error) {
	acts, err := newJudge(w)
	if err != nil {
		return r, err
	}
	r.Rewrapped = make([]Share, len(controlForms))
	for i := range s.mails {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if m := &s.mails[i]; m.Fold == fold {
			r.held(ctx, m, acts)
		}
	}
	for i := range phishing {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		r.never(ctx, &phishing[i], acts)
	}
	return r, nil
}

type actsOn func(context.Context, []byte) bool

// held counts a mail of the fold that was left out.
func (r *Report) held(ctx context.Context, m *Mail, acts actsOn) {
	for len(r.Ham) <= m.Age {
		r.Ham, r.Spam = append(r.Ham, Share{}), append(r.Spam, Share{})
	}
	if m.Spam {
		r.Spam[m.Age].count(acts(ctx, m.Raw))
		return
	}
	r.Ham[m.Age].count(acts(ctx, m.Raw))
	if m.Age == 0 {
		for k, form := range controlForms {
			r.Rewrapped[k].count(acts(ctx, Modern(m.Raw, form, drawOf(m.Raw, 'c'))))
		}
	}
}

// never counts a mail that is never trained on.
func (r *Report) never(ctx context.Context, m *Mail, acts actsOn) {
	hit := acts(ctx, m.Raw)
	r.Phishing.count(hit)
	if !developed(m.Path) {
		r.Unseen.count(hit)
	}
	r.Plain.count(acts(ctx, Plain(m.Raw, false)))
}

// ReadPhishing reads a directory of mails that are all spam and never trained on, masked.
func ReadPhishing(dir string) (mails []Mail, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		raw, err := corpus.ReadRaw(path)
		if err != nil {
			return nil, err
		}
		mails = append(mails, Mail{Path: path, Raw: corpus.Mask(raw), Spam: true})
	}
	if len(mails) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, eval.ErrEmpty)
	}
	return mails, nil
}

// developed reports a file of the half that may be looked at when the method is changed.
func developed(path string) bool {
	sum := sha256.Sum256([]byte(filepath.Base(path)))
	return sum[0]%2 == 0
}

// newJudge says of mails whether the default policy would act on them.
func newJudge(w *base.Weights) (actsOn, error) {
	f := filter.New(filter.Options{Base: w})
	rules, err := policy.New(policy.Config{})
	return func(ctx context.Context, raw []byte) bool {
		m := corpus.Mail(raw)
		action := policy.Decide(f.Judge(ctx, m, nil), m, rules)[0].Action
		return action != message.Accept && action != message.Greylist
	}, err
}
