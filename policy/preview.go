package policy

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"rempart/message"
)

// Preview is what a policy would have done with recorded messages, beside what was decided. Only what an event records can be asked:
// [Preview.Unseen] says what of a policy that leaves out. Modes are left out of it too: both sides say what a decision asks for.
type Preview struct {
	Messages   int       `json:"messages"`
	Recipients int       `json:"recipients"`
	From       time.Time `json:"from"` // of the oldest event; zero if there is none
	To         time.Time `json:"to"`   // of the newest
	Before     Counts    `json:"before"`
	After      Counts    `json:"after"`
	Changes    []*Change `json:"changes"` // the most frequent first, once [Preview.Sort] was called
	Skipped    int       `json:"skipped"` // recipients for whom a rule took too long or failed, and was left out

	Keep int `json:"-"` // examples of each change; 0: three

	apart bool // mail for several is among them whose decisions were not united, so that no record says whether they would have to be
}

// Counts are recipients by action.
type Counts map[message.Action]int

// Change is recipients whose message would have been treated otherwise.
type Change struct {
	Before   message.Action `json:"before"`
	After    message.Action `json:"after"`
	Count    int            `json:"count"`
	Examples []Example      `json:"examples"` // the first few
}

// Example is one of them.
type Example struct {
	ID          string    `json:"id"`
	Time        time.Time `json:"time"`
	Sender      string    `json:"sender"`
	Recipient   string    `json:"recipient"`
	Probability float64   `json:"probability"`
	Before      string    `json:"before"` // which rule decided
	After       string    `json:"after"`
}

const maxExamples = 3

// Add counts one event and what r decides about it, beside what was decided; m is its [Recorded] message.
func (p *Preview) Add(e *message.Event, m *message.Message, r *Rules) {
	before := make([]message.Decision, len(e.Outcomes))
	for i := range e.Outcomes {
		before[i] = e.Outcomes[i].Decision
	}
	p.add(e, m, before, r.Again(e, m))
}

// AddChange counts one event and what changed decides about it, beside what r does: what else the policy was changed by since then is
// no part of the difference.
func (p *Preview) AddChange(e *message.Event, m *message.Message, r, changed *Rules) {
	p.add(e, m, r.Again(e, m), changed.Again(e, m))
}

func (p *Preview) add(e *message.Event, m *message.Message, before, after []message.Decision) {
	if len(e.Outcomes) == 0 {
		return // a damaged one
	}
	if p.Before == nil {
		p.Before, p.After = Counts{}, Counts{}
	}
	if p.From.IsZero() || e.Time.Before(p.From) {
		p.From = e.Time
	}
	if e.Time.After(p.To) {
		p.To = e.Time
	}
	p.Messages++
	p.apart = p.apart || len(e.Outcomes) > 1 && !m.OneAnswer
	for i, d := range after {
		o, was := &e.Outcomes[i], &before[i]
		p.Recipients++
		p.Before[was.Action]++
		p.After[d.Action]++
		if len(d.Skipped) > 0 {
			p.Skipped++
		}
		if d.Action == was.Action {
			continue
		}
		c := p.change(was.Action, d.Action)
		if c.Count++; len(c.Examples) < cmp.Or(p.Keep, maxExamples) {
			c.Examples = append(c.Examples, Example{ID: e.ID, Time: e.Time, Sender: cmp.Or(e.From, e.MailFrom), Recipient: o.Recipient,
				Probability: e.Verdicts[o.Verdict].Probability, Before: was.Rule, After: d.Rule})
		}
	}
}

func (p *Preview) change(before, after message.Action) *Change {
	for _, c := range p.Changes {
		if c.Before == before && c.After == after {
			return c
		}
	}
	c := &Change{Before: before, After: after}
	p.Changes = append(p.Changes, c)
	return c
}

// Sort puts the most frequent changes first.
func (p *Preview) Sort() {
	slices.SortStableFunc(p.Changes, func(a, b *Change) int { return cmp.Compare(b.Count, a.Count) })
}

// Actions are those that either side has, mildest first.
func (p *Preview) Actions() []message.Action {
	all := maps.Clone(p.Before)
	maps.Copy(all, p.After)
	return slices.Sorted(maps.Keys(all))
}

// Recorded is the message of an event as far as the event has it, without mailboxes of its recipients.
func Recorded(e *message.Event) *message.Message {
	m := &message.Message{ID: e.ID, Arrived: e.Time, Channel: e.Channel, Direction: e.Direction, Door: e.Door, Tenant: e.Tenant,
		Account: e.Account, Source: e.Source, Route: e.Route, MailFrom: e.MailFrom, MessageID: e.MessageID, Subject: e.Subject, Size: e.Size}
	m.From.Local = e.From
	if at := strings.LastIndexByte(e.From, '@'); at >= 0 {
		m.From.Local, m.From.Domain = e.From[:at], e.From[at+1:]
	}
	for _, host := range e.LinkHosts {
		m.Links = append(m.Links, message.Link{Host: host})
	}
	for i := range e.Outcomes {
		if o := &e.Outcomes[i]; o.Recipient != "" || len(e.Outcomes) > 1 {
			m.Recipients = append(m.Recipients, message.Recipient{Address: o.Recipient})
		}
		m.OneAnswer = m.OneAnswer || e.Outcomes[i].Decision.United
	}
	m.Facts.Auth = e.Verified.Authentication()
	for i := range e.Verdicts {
		for _, c := range e.Verdicts[i].Contributions {
			if c.Name == "malware" && c.State == message.StatePresent {
				m.Facts.Scan = message.Scan{State: message.StatePresent, Guess: c.Input < message.FixedOne}
			}
		}
	}
	m.Facts.Arriving, m.Facts.Greylist = came(e)
	return m
}

// came makes counts that are beyond the limits that the mail was beyond, and below all others; and what was greylisted, or would have
// been had its probability been in between, comes for the first time.
func came(e *message.Event) (a message.Arriving, g message.Greylisting) {
	a.Mailboxes = make([]message.Flow, len(e.Outcomes))
	g.Waited = make([]time.Duration, len(e.Outcomes))
	for i := range e.Outcomes {
		d := &e.Outcomes[i].Decision
		for _, match := range d.Matches {
			switch match.Rule {
			case RuleLimitNetwork:
				a.Network.Hour = math.MaxUint32
			case RuleLimitSender:
				a.Sender.Hour = math.MaxUint32
			case RuleLimitRecipient:
				a.Mailboxes[i].Hour = math.MaxUint32
			}
		}
		if len(d.Thresholds) == 0 || d.Thresholds[0].Action != message.Greylist {
			g.Waited[i] = math.MaxInt64
		}
	}
	return a, g
}

// Again decides about a recorded message anew; m is what [Recorded] makes of it, with the mailboxes of its recipients. What events do
// not record is taken as it was found then.
func (r *Rules) Again(e *message.Event, m *message.Message) []message.Decision {
	var j message.Judgement
	for _, o := range e.Outcomes {
		j.Verdicts = append(j.Verdicts, &e.Verdicts[o.Verdict])
	}
	return r.decide(j, m, e)
}

// AgainFor is what [Rules.Again] decides for the outcome at place i alone, and asks no rule about the others unless all have one answer.
func (r *Rules) AgainFor(i int, e *message.Event, m *message.Message) message.Decision {
	if m.OneAnswer {
		return r.Again(e, m)[i]
	}
	o := &e.Outcomes[i]
	h := newHearing(r.own, m)
	h.was = o
	return r.decideFor(i, m, &h, &e.Verdicts[o.Verdict])
}

// Unseen names what of policy r the figures cannot show, in sentences.
func (p *Preview) Unseen(r *Rules) (why []string) {
	if p.apart {
		why = append(why, "mail for several recipients counts as if each had an answer of its own, where its decisions were not united before")
	}
	for i := range r.own {
		if needs := r.own[i].needs; len(needs) > 0 {
			why = append(why, fmt.Sprintf("%s asks %s, which events do not record: it counts where a rule of that name fitted before",
				r.own[i].match.Rule, strings.Join(needs, ", ")))
		}
	}
	for _, s := range append([]*scope{r.node}, slices.Collect(maps.Values(r.scopes))...) {
		for i := range s.lists {
			if s.lists[i].system != "" {
				why = append(why, fmt.Sprintf("%s names a system_id, which events do not record: it counts where an entry of that name fitted before", s.lists[i].match.Rule))
			}
		}
	}
	if r.limit != (LimitConfig{}) {
		why = append(why, "limits count where the mail was beyond one of that name before")
	}
	if r.greylists() {
		why = append(why, "greylisting counts where it was turned on before and the host was unknown")
	}
	slices.Sort(why)
	return slices.Compact(why)
}

func (r *Rules) greylists() bool {
	for _, s := range append([]*scope{r.node}, slices.Collect(maps.Values(r.scopes))...) {
		if g := s.thresholds.Greylist; g != nil && *g > 0 {
			return true
		}
	}
	return false
}

// recalled reports whether a list entry or rule of that name fitted a recorded message.
func recalled(was *message.Outcome, name string) bool {
	return was != nil && slices.ContainsFunc(was.Decision.Matches, func(m message.Match) bool { return m.Rule == name })
}
