package rspamd

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"rempart/catalogue"
	"rempart/gateway"
	"rempart/message"
)

// The actions of the protocol.
const (
	noAction       = "no action"
	greylist       = "greylist" // never said: rspamd, too, says soft reject of what is to come again
	addHeader      = "add header"
	rewriteSubject = "rewrite subject"
	softReject     = "soft reject"
	reject         = "reject"
)

var actions = []string{reject, softReject, rewriteSubject, addHeader, greylist, noAction}

// actionOf is what a client is told. There is no word for holding a mail or for removing one recipient: it is marked,
// with what was decided in X-Rempart-Action. There is none for throwing it away unseen: it is refused.
// docs/frontdoor-rspamd.md prints this table.
func actionOf(a message.Action) string {
	switch a {
	case message.Tag, message.Hold, message.Quarantine, message.Redirect, message.Remove:
		return addHeader
	case message.Rewrite:
		return rewriteSubject
	case message.Greylist, message.Tempfail, message.Throttle, message.Challenge:
		return softReject
	case message.Reject, message.Discard:
		return reject
	}
	return noAction
}

// reply is the answer to a mail.
type reply struct {
	Skipped   bool              `json:"is_skipped"`
	Score     float64           `json:"score"`
	Required  float64           `json:"required_score"`
	Action    string            `json:"action"`
	Subject   string            `json:"subject,omitempty"`
	Parts     []gateway.Part    `json:"-"` // the object "symbols"; their scores add up to Score exactly
	Messages  map[string]string `json:"messages"`
	URLs      []string          `json:"urls"` // hosts of links
	Emails    []string          `json:"emails"`
	MessageID string            `json:"message-id,omitempty"`
	Time      float64           `json:"time_real"` // seconds
	Signature string            `json:"dkim-signature,omitempty"`
	Milter    *milter           `json:"milter,omitempty"`
}

// milter is what a mail server is to change.
type milter struct {
	Remove map[string]int   `json:"remove_headers,omitempty"` // 0: all of that name
	Add    map[string]added `json:"add_headers,omitempty"`
}

type added struct {
	Value string `json:"value"`
	Order int    `json:"order"`
}

// renderV1 is the form of /check and /symbols, where symbols stand beside the score.
func (r *reply) renderV1(b []byte) []byte {
	metric := map[string]any{"is_spam": spam(r.Action), "is_skipped": r.Skipped, "score": r.Score,
		"required_score": r.Required, "action": r.Action}
	for i := range r.Parts {
		metric[r.Parts[i].Name] = symbolOf(&r.Parts[i])
	}
	if r.Subject != "" {
		metric["subject"] = r.Subject
	}
	return append(b, encoded(struct {
		Default   map[string]any    `json:"default"`
		Messages  map[string]string `json:"messages"`
		URLs      []string          `json:"urls"`
		Emails    []string          `json:"emails"`
		MessageID string            `json:"message-id,omitempty"`
		Time      float64           `json:"time_real"`
		Signature string            `json:"dkim-signature,omitempty"`
		Milter    *milter           `json:"milter,omitempty"`
	}{metric, r.Messages, r.URLs, r.Emails, r.MessageID, r.Time, r.Signature, r.Milter})...)
}

// answers are bytes of answers that were sent, for the next ones.
var answers = sync.Pool{New: func() any { return new([]byte) }}

// check answers a mail; render appends the answer's bytes.
func (f *Rspamd) check(render func(*reply, []byte) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start, cfg := time.Now(), f.cfg()
		b, err := read(r, cfg)
		if err != nil {
			f.refuse(w, statusOf(err), err)
			return
		}
		out := f.judge(r, b, cfg)
		took := time.Since(start)
		out.Time = took.Seconds()
		f.stat.scanned(out.Action, took)
		text := answers.Get().(*[]byte)
		defer answers.Put(text)
		*text = render(out, (*text)[:0])
		send(w, http.StatusOK, *text)
	}
}

func (f *Rspamd) judge(r *http.Request, b body, cfg *settings) *reply {
	if flag(r.Header, "skip") {
		return unjudged(message.Accept) // the client's own exemption
	}
	m := b.message(r.Header, cfg)
	early, relayed := *m, gateway.Contains(cfg.relays, giver(r.Header)) // m is the judge's if it overruns
	ans, err := f.host.Ask(r.Context(), &cfg.Door, m)
	if err != nil {
		f.host.Metrics.Message(cfg.Name, cfg.OnError.Action())
		out := unjudged(cfg.OnError.Action())
		if out.Action == noAction {
			if cfg.Mode == message.ModeJudge {
				out.Milter = changes(&early, nil, message.Decision{Action: message.Accept}, relayed)
			}
			f.sign(out, &early, cfg)
		}
		return out
	}
	return f.render(m, ans, relayed, cfg)
}

// unjudged is the answer where there is no decision.
func unjudged(a message.Action) *reply {
	out := &reply{Skipped: true, Required: scale.Score(scale.Refuse), Action: actionOf(a),
		Messages: map[string]string{}, URLs: []string{}, Emails: []string{}}
	if out.Action == softReject {
		out.Messages["smtp_message"] = catalogue.English().Say("answer.tempfail")
	}
	return out
}

// render is the answer for the recipient whose verdict is the worst; policy gave all the same action.
func (f *Rspamd) render(m *message.Message, ans gateway.Answer, relayed bool, cfg *settings) *reply {
	v, d := ans.Worst()
	f.host.Metrics.Message(cfg.Name, d.Effective())
	out := unjudged(d.Effective())
	out.Skipped = false
	total := scale.Bounded(scale.Points(v.Calibration.Odds(v.Score).Float(), d.Thresholds), d, reactions[out.Action])
	out.Score, out.Parts = scale.Score(total), scale.Parts(v, total)
	out.MessageID = m.MessageID
	out.URLs, out.Emails = found(m)
	if d.Text != "" && (out.Action == reject || out.Action == softReject) {
		out.Messages["smtp_message"] = d.Text
	}
	if out.Action == reject || out.Action == softReject {
		return out
	}
	if d.Mode != message.ModeJudge {
		f.sign(out, m, cfg) // the node is in shadow, or the recipients are: nothing else of the mail changes
		return out
	}
	out.Milter = changes(m, v, d, relayed)
	if out.Action == rewriteSubject {
		out.Subject = mime.QEncoding.Encode("utf-8", cfg.RewriteSubject+m.Subject)
		f.sign(out, m, cfg, gateway.HeaderField{Name: "Subject", Value: out.Subject})
	} else {
		f.sign(out, m, cfg)
	}
	return out
}

// changes are the headers to add, and to remove those by which a sender would speak in our name; a relay of the operator's
// may have added its own.
func changes(m *message.Message, v *message.Verdict, d message.Decision, relayed bool) *milter {
	out := &milter{}
	if !relayed {
		for _, h := range m.Header {
			if i := slices.IndexFunc(gateway.Headers, func(n string) bool { return strings.EqualFold(n, h.Name) }); i >= 0 {
				if out.Remove == nil {
					out.Remove = map[string]int{}
				}
				out.Remove[gateway.Headers[i]] = 0
			}
		}
	}
	if action := actionOf(d.Action); action == addHeader || action == rewriteSubject {
		out.Add = map[string]added{}
		for _, h := range gateway.Mark(m, v, d.Action, d.United) {
			out.Add[h.Name] = added{Value: h.Value}
		}
	}
	if out.Remove == nil && out.Add == nil {
		return nil
	}
	return out
}

// maxFound bounds the hosts and addresses of an answer.
const maxFound = 200

// found are the hosts and the addresses that links of the mail lead to, each once.
func found(m *message.Message) (hosts, addresses []string) {
	hosts, addresses = []string{}, []string{}
	seen := map[string]bool{}
	for i := range m.Links {
		l := &m.Links[i]
		list, what := &hosts, l.Host
		if l.Scheme == "mailto" {
			what, _, _ = strings.Cut(l.URL[min(len("mailto:"), len(l.URL)):], "?")
			list = &addresses
		}
		if what = catalogue.Seen(what); what == "" || seen[what] || len(seen) == maxFound {
			continue
		}
		seen[what] = true
		*list = append(*list, what)
	}
	return hosts, addresses
}
