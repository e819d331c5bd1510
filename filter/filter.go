// Package filter decides what is spam: message in, judgement out. It is the only package that does.
//
// [Filter.Judge] gathers the facts that have to be asked elsewhere (DNS, reputation, what was taught), reads the signals of
// the channel and direction from the message and the facts, and lets the combiner add them to the learners' scores. It
// holds no protocol and decides on no action. [Filter.Lesson] and [Filter.Apply] are the way back: what a teacher says of
// a message becomes a lesson, and lessons are applied in the order of the journal.
package filter

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"rempart/campaign"
	"rempart/filter/auth"
	"rempart/filter/base"
	"rempart/filter/behaviour"
	"rempart/filter/clamav"
	"rempart/filter/guise"
	"rempart/filter/learn"
	"rempart/filter/reputation"
	"rempart/geo"
	"rempart/message"
)

// Filter judges. Any number of goroutines may judge while one applies lessons.
type Filter struct {
	model          *learn.Model
	base           *base.Weights // nil from scratch
	book           atomic.Pointer[campaign.Book]
	known          atomic.Pointer[reputation.Table]
	asks           atomic.Pointer[Asks]
	calls          *behaviour.Callers
	accounts       *behaviour.Accounts
	correspondents *behaviour.Correspondents
	colleagues     *behaviour.Colleagues
	languages      *behaviour.Languages
	flows          *behaviour.Flows
	greylist       *behaviour.Greylist
	domains        *behaviour.Domains
	tables         map[tableKey]*table
	pool           sync.Pool // *[]message.Result, as long as the longest table
}

type tableKey struct {
	channel   message.Channel
	direction message.Direction
}

// table is the signals of one channel and direction, and their combiner.
type table struct {
	rows     []signal
	combiner *learn.Combiner
}

// Options of a filter.
type Options struct {
	// Scratch leaves the shipped weights out and makes every prior zero: what such a filter knows it was taught. For
	// measuring learners.
	Scratch bool
	// Only lets a part of the filter judge alone. For measuring what each is worth.
	Only Part

	// Base is judged with in place of the shipped weights. For measuring weights.
	Base *base.Weights
}

// Part is a part of the filter; the zero value is the whole.
type Part uint8

// The parts. Near copies of what was taught, and what was taught of the source, are signals.
const (
	Whole Part = iota
	Learners
	SignalTables
)

// Asks is where facts come from that are not in the message; the zero value asks nobody.
type Asks struct {
	Auth    *auth.Checker     // asks DNS
	Scanner *clamav.Scanner   // looks for malware in mail
	Places  *geo.Places       // places addresses and reads numbers
	Unused  *behaviour.Unused // numbers that make no calls

	Executives *guise.Roll // people whose names others may take
}

// New returns an untaught filter.
func New(o Options) *Filter {
	f := &Filter{base: baseOf(o), calls: behaviour.NewCallers(), accounts: behaviour.NewAccounts(),
		correspondents: behaviour.NewCorrespondents(), colleagues: behaviour.NewColleagues(), languages: behaviour.NewLanguages(),
		flows: behaviour.NewFlows(), greylist: behaviour.NewGreylist(), domains: behaviour.NewDomains(), tables: map[tableKey]*table{}}
	f.model = learn.New(o.Scratch, f.baseID())
	f.book.Store(campaign.NewBook())
	f.known.Store(reputation.New())
	f.Ask(Asks{})
	if o.Only == SignalTables {
		f.model.Silence()
	}
	longest := 0
	for _, t := range signalTables {
		if o.Only == Learners {
			t.rows = nil
		}
		for _, d := range t.directions {
			shipped := shippedFor(f.base, t.channel, d)
			rows := make([]learn.Signal, len(t.rows))
			for i, r := range t.rows {
				rows[i] = learn.Signal{Name: r.name, Method: r.method, Prior: priorWith(shipped, r), Fades: strings.HasPrefix(r.name, basePrefix)}
			}
			f.tables[tableKey{t.channel, d}] = &table{t.rows, f.model.Combiner(t.channel, d, biasWith(shipped), rows)}
		}
		longest = max(longest, len(t.rows))
	}
	f.pool.New = func() any { r := make([]message.Result, longest); return &r }
	return f
}

func baseOf(o Options) *base.Weights {
	switch {
	case o.Scratch:
		return nil
	case o.Base != nil:
		return o.Base
	}
	return base.Shipped()
}

// baseID is the id of the shipped weights that the filter judges with; empty from scratch.
func (f *Filter) baseID() string {
	if f.base == nil {
		return ""
	}
	return f.base.ID
}

// shippedFor is the shipped weights where they count: for mail that comes in, of which they were made; nil elsewhere.
func shippedFor(w *base.Weights, c message.Channel, d message.Direction) *base.Weights {
	if c != message.Email || d == message.Out {
		return nil
	}
	return w
}

// priorWith is the prior of a signal before any lesson: that of the weights where they have seen enough of it, or else the
// table's. From scratch the model makes it zero.
func priorWith(w *base.Weights, r signal) message.LogOdds {
	if w != nil {
		if odds, ok := w.Priors[r.name]; ok {
			return odds
		}
	}
	return message.Odds(r.prior)
}

// biasWith is the score before anything was seen or taught.
func biasWith(w *base.Weights) message.LogOdds {
	if w != nil {
		return w.Bias
	}
	return priorBias
}

// priorBias: one message in eight is spam as long as nothing speaks for it.
const priorBias = -2 * message.One

// Ask says where facts come from, from the next message on.
func (f *Filter) Ask(a Asks) { f.asks.Store(&a) }

// Judge gives a verdict for each recipient, or one if there is none. It writes m.Facts and completes m.Source. It never
// fails and returns soon after ctx ends: what was not known by then is an unknown signal.
func (f *Filter) Judge(ctx context.Context, m *message.Message, recipients []message.Recipient) message.Judgement {
	t := f.tableOf(m)
	f.gather(ctx, m)
	results := f.pool.Get().(*[]message.Result)
	defer f.pool.Put(results)
	verdicts := f.model.Judge(t.combiner, m, t.read(*results, m), scopesOf(m, recipients))
	for i, v := range verdicts {
		if i == 0 || v != verdicts[i-1] {
			v.Category = t.category(v, m.Facts.Campaign.Category)
		}
	}
	return message.Judgement{Verdicts: verdicts}
}

// Lesson makes the lesson that m is of that label. The message is judged as it stands now: its features and signals are
// what is learned. The caller gives it an id and a time, and appends it to the journal.
func (f *Filter) Lesson(ctx context.Context, m *message.Message, label message.Label, scope message.Scope, teacher string) *message.Lesson {
	f.gather(ctx, m)
	l := f.Draft(m)
	l.Label, l.Scope, l.Teacher = label, scope, teacher
	return l
}

// Draft is a lesson on a message that was judged, without label, scope and teacher: all that must be kept of a message to
// teach it later.
func (f *Filter) Draft(m *message.Message) *message.Lesson {
	t := f.tableOf(m)
	results := f.pool.Get().(*[]message.Result)
	defer f.pool.Put(results)
	l := &message.Lesson{Message: m.Key(), Digest: m.Facts.Digest, Source: reputation.Key(m), Base: f.baseID()}
	t.combiner.Observe(l, m, t.read(*results, m))
	return l
}

// Apply learns one lesson. Lessons come in the order of the journal, from one goroutine. What is remembered of sources and of
// near copies speaks to all recipients, so one user's or domain's lessons stay out of it.
func (f *Filter) Apply(l *message.Lesson) {
	l = folded(l)
	stood, again := f.model.Apply(l)
	if l.Scope.Narrow() {
		return
	}
	d, ok := campaign.FromBytes(l.Digest)
	if l.Label == message.Forget {
		f.known.Load().Forget(l.Source, stood)
		if ok {
			f.book.Load().Forget(d, l.Scope.Tenant, stood)
		}
		return
	}
	if !again {
		f.known.Load().Teach(l.Source, l.Label, stood == l.Label.Opposite())
	}
	if ok {
		f.book.Load().Teach(d, l.Scope.Tenant, l.Message, l.Label, l.Category, stood)
	}
}

// Taught is the label of the lesson on the very m that stands in that scope; message.Forget if there is none.
func (f *Filter) Taught(m *message.Message, scope message.Scope) message.Label {
	return f.Standing(scope, m.Key())
}

// Standing is the label of the lesson that stands in that scope on the message with that key; message.Forget if there is none.
func (f *Filter) Standing(scope message.Scope, key string) message.Label {
	return f.model.Taught(scope.Folded(), key)
}

// folded is the lesson with its scope as [message.Message.ScopeOf] says it.
func folded(l *message.Lesson) *message.Lesson {
	c := *l
	c.Scope = l.Scope.Folded()
	return &c
}

// Stands reports whether the very lesson that m is of that label stands in that scope, and no later one on a text like it
// says otherwise: to teach it again would only repeat it.
func (f *Filter) Stands(m *message.Message, label message.Label, scope message.Scope) bool {
	scope = scope.Folded()
	if f.Taught(m, scope) != label {
		return false
	}
	if scope.Narrow() {
		return true
	}
	d, ok := campaign.Sum(m.Subject, m.VisibleText())
	return !ok || f.book.Load().Nearest(d, scope.Tenant).Label == label
}

// Reconsider judges a lesson's message anew from what the lesson holds of it: features and signals as they stood, and
// what was taught since of near copies and of its source.
func (f *Filter) Reconsider(l *message.Lesson) *message.Verdict {
	l = folded(l)
	m := &message.Message{Channel: l.Channel, Direction: l.Direction}
	m.Facts.Reputation = f.known.Load().Of(l.Source)
	if d, ok := campaign.FromBytes(l.Digest); ok {
		m.Facts.Campaign = f.book.Load().Nearest(d, l.Scope.Tenant)
	}
	return f.model.Reconsider(f.tableOf(m).combiner, l, map[string]message.Result{
		nearSpamName: nearSpam(m), "near_ham": nearHam(m),
		"source_spam": reputation.SourceSpam(m), "source_ham": reputation.SourceHam(m)})
}

// Forget drops what is kept in the name of a user so that their lessons could be taken back, and what they did as a caller or sender;
// the weights stay.
func (f *Filter) Forget(isUser func(string) bool) {
	f.model.Forget(isUser)
	f.calls.Forget(isUser)
	f.accounts.Forget(isUser)
	f.correspondents.Clear()
	f.colleagues.Clear()
	f.languages.Clear()
	f.flows.Clear()
	f.greylist.Clear()
}

// Lessons is how many lessons were applied.
func (f *Filter) Lessons() uint64 { return f.model.Lessons() }

// gather asks for the facts.
func (f *Filter) gather(ctx context.Context, m *message.Message) {
	asks := f.asks.Load()
	defer asks.scan(ctx, m)()
	if asks.Auth != nil && !m.Stored {
		asks.Auth.Check(ctx, m)
	}
	if asks.Places != nil {
		place(m, asks.Places)
	}
	f.gatherCall(m, asks)
	if m.Channel == message.Email && m.Direction == message.Out {
		m.Facts.Sending = f.accounts.Of(m)
	}
	if m.Channel == message.Email && m.Direction == message.In {
		f.gatherCorrespondence(m)
		f.gatherNamesake(m, asks)
		f.gatherLanguage(m)
	}
	if m.Channel != message.Call {
		guise.Gather(m)
	}
	f.gatherArriving(m)
	if w := shippedFor(f.base, m.Channel, m.Direction); w != nil {
		s := w.Score(m)
		m.Facts.Base = message.Base{Words: s.Words, Form: s.Form, Telling: s.Telling}
	}
	m.Facts.Reputation = f.known.Load().Of(reputation.Key(m))
	if d, ok := campaign.Sum(m.Subject, m.VisibleText()); ok {
		m.Facts.Digest = d.Bytes()
		m.Facts.Campaign = f.book.Load().Nearest(d, m.ScopeOf(nil).Tenant)
	}
}

// scan has the scanner look at a mail beside all else, and returns what waits for it.
func (a *Asks) scan(ctx context.Context, m *message.Message) (wait func()) {
	if a.Scanner == nil || m.Channel != message.Email || m.Stored {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Scanner.Check(ctx, m)
	}()
	return func() { <-done }
}

// tableOf finds the table of m's channel and direction; a message without them is read as e-mail coming in.
func (f *Filter) tableOf(m *message.Message) *table {
	if t := f.tables[tableKey{m.Channel, m.Direction}]; t != nil {
		return t
	}
	if t := f.tables[tableKey{m.Channel, message.In}]; t != nil {
		return t
	}
	return f.tables[tableKey{message.Email, message.In}]
}

// read runs the signals in the table's order.
func (t *table) read(results []message.Result, m *message.Message) []message.Result {
	results = results[:len(t.rows)]
	for i := range t.rows {
		results[i] = t.rows[i].read(m)
	}
	return results
}

// category says what a spam is for: what the signals with a purpose say most strongly. A near copy of a taught spam speaks
// for the purpose that it was taught with.
func (t *table) category(v *message.Verdict, near message.Category) message.Category {
	if v.Probability < 0.5 {
		return message.CategoryNone
	}
	var weights [message.OtherSpam + 1]message.LogOdds
	row := 0
	for _, c := range v.Contributions {
		for row < len(t.rows) && t.rows[row].name != c.Name {
			row++ // contributions stand in the table's order
		}
		if row == len(t.rows) {
			row = 0 // bias and learners have no row
			continue
		}
		w, purpose := c.Weight(), t.rows[row].category
		if c.Name == nearSpamName {
			purpose = near
		}
		if w > 0 {
			weights[min(purpose, message.OtherSpam)] += w
		}
	}
	best := message.CategoryUnknown
	for c := message.Commercial; c <= message.OtherSpam; c++ {
		if weights[c] > 0 && (best == message.CategoryUnknown || weights[c] > weights[best]) {
			best = c
		}
	}
	return best
}

// scopesOf says for whom the verdicts are: each recipient, or the message's own account or tenant.
func scopesOf(m *message.Message, recipients []message.Recipient) []message.Scope {
	if len(recipients) == 0 {
		return []message.Scope{m.ScopeOf(nil)}
	}
	scopes := make([]message.Scope, len(recipients))
	for i := range recipients {
		scopes[i] = m.ScopeOf(&recipients[i])
	}
	return scopes
}

// Version is the algorithm's version: nodes of one version make the same weights from the same lessons.
func Version() string { return strconv.Itoa(learn.Extractor) }
