package rspamd

import (
	"errors"
	"fmt"
	"net/http"

	"rempart/catalogue"
	"rempart/gateway"
	"rempart/message"
)

type success struct {
	Success bool `json:"success"`
}

var errEmpty = errors.New("empty body: send the mail")

// learnAs teaches. Only the very lesson that stands is not learned again; a correction always is.
func (f *Rspamd) learnAs(label message.Label) taught {
	return func(w http.ResponseWriter, r *http.Request, teacher string) {
		l := gateway.Lesson{Label: label, Teacher: teacher}
		learned, ok := f.teach(w, r, &l)
		switch {
		case !ok:
		case !learned:
			answer(w, http.StatusAlreadyReported,
				failure{Error: fmt.Sprintf("<%s> has been already learned as %s, ignore it", catalogue.Seen(l.Message.MessageID), label)})
		default:
			answer(w, http.StatusOK, success{true})
		}
	}
}

// fuzzyAdd teaches too: every lesson has the mail's digest, which finds near copies.
func (f *Rspamd) fuzzyAdd(w http.ResponseWriter, r *http.Request, teacher string) {
	l := gateway.Lesson{Label: labelOf(r.Header.Get("Flag")), Teacher: teacher}
	if _, ok := f.teach(w, r, &l); ok {
		answer(w, http.StatusOK, success{true})
	}
}

// fuzzyDel takes back what fuzzyAdd with that flag taught.
func (f *Rspamd) fuzzyDel(w http.ResponseWriter, r *http.Request, teacher string) {
	taught := labelOf(r.Header.Get("Flag"))
	l := gateway.Lesson{Label: taught.Opposite(), TakesBack: true, Teacher: teacher}
	learned, ok := f.teach(w, r, &l)
	switch {
	case !ok:
	case !learned:
		answer(w, http.StatusNotFound,
			failure{Error: fmt.Sprintf("<%s> was not taught as %s: nothing to take back", catalogue.Seen(l.Message.MessageID), taught)})
	default:
		answer(w, http.StatusOK, success{true})
	}
}

// labelOf is what a digest with that flag stands for in rspamd's own configuration: 1 denied, 2 probable, 3 white.
func labelOf(flag string) message.Label {
	if flag == "3" {
		return message.Ham
	}
	return message.Spam
}

// teach reads the mail into l and learns it; where that fails it has answered.
func (f *Rspamd) teach(w http.ResponseWriter, r *http.Request, l *gateway.Lesson) (learned, ok bool) {
	cfg := f.cfg()
	b, err := read(r, cfg)
	if err == nil && len(b.raw) == 0 {
		err = errEmpty
	}
	if err != nil {
		f.refuse(w, statusOf(err), err)
		return false, false
	}
	r.Header.Del("User") // who sent it is not known of a mail that comes back
	kept := gateway.Unmarked(b.raw)
	l.Message = body{kept, b.size - len(b.raw) + len(kept)}.message(r.Header, cfg)
	if learned, err = f.learn(r.Context(), *l); err != nil {
		f.host.Metrics.Error(cfg.Name, "learn")
		f.host.Log.Error("learn", "door", cfg.Name, "teacher", l.Teacher, "error", err)
		answer(w, http.StatusServiceUnavailable, failure{Error: "the lesson could not be kept; try again later"})
		return false, false
	}
	if learned {
		f.stat.taught()
	}
	return learned, true
}
