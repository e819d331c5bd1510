package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far long work is, on a terminal; in a pipe it shows nothing.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(e *env, what string) *progress {
	if !e.terminal {
		return &progress{}
	}
	return &progress{progressbar.NewOptions(-1, progressbar.OptionSetWriter(e.stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())}
}

// set says that done of so many are done. A bar that cannot be drawn is no failure of the work.
func (p *progress) set(done, of int) {
	if p.bar != nil {
		p.bar.ChangeMax(of)
		_ = p.bar.Set(done)
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
