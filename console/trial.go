package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart/config"
	"rempart/index"
	"rempart/message"
	"rempart/policy"
)

// trialForm is what the two forms were filled with.
type trialForm struct {
	Kind    string // "threshold" or "rule"; empty: nothing was asked
	Whose   string // node, tenant, domain or user
	Whom    string
	Action  message.Action
	From    string
	Name    string
	When    string
	Hours   int
	Windows []int
	Kinds   []string // of whose
	Actions []message.Action
	Rules   []message.Action
}

type trialPage struct {
	Trial   trialForm
	Wrong   string // what is wrong with it; empty: it was tried
	Place   string // the line of the condition that is wrong, and below it a mark
	TOML    string
	Nothing bool // there was no message to try it on
	Summary string
	Skipped string // of rules that took too long; empty: none did
	Changes []trialChange
	Unseen  []string
	Mails   table
}

// trialChange is how many recipients would be treated otherwise, and how.
type trialChange struct {
	Before, After message.Action
	Count         int
}

// A trial looks at so many messages of each quarter of the hours asked for, so that days and nights are among them, and for so long: a
// rule that takes its whole time for each would take ten seconds.
const (
	trialParts    = 4
	triedMessages = 500
	trialTime     = 2 * time.Second
	maxWhen       = 4 << 10 // bytes of a condition: it stands in the address
)

var (
	whoseKinds       = []string{"node", "tenant", "domain", "user"}
	thresholdActions = []message.Action{message.Greylist, message.Tag, message.Rewrite, message.Hold, message.Quarantine, message.Tempfail, message.Reject, message.Discard}
	ruleActions      = append([]message.Action{message.Accept}, thresholdActions[1:]...)
)

func newTrialForm(r *http.Request) trialForm {
	in := r.URL.Query()
	f := trialForm{Kind: in.Get("kind"), Whose: cmp.Or(in.Get("whose"), whoseKinds[0]), Whom: strings.TrimSpace(in.Get("whom")), From: strings.TrimSpace(in.Get("from")),
		Name: strings.TrimSpace(in.Get("name")), When: strings.TrimSpace(strings.ReplaceAll(in.Get("when"), "\r\n", "\n")), Hours: 7 * 24, Windows: windows,
		Kinds: whoseKinds, Actions: thresholdActions, Rules: ruleActions}
	if in.Get("hours") != "" {
		f.Hours = window(r)
	}
	f.Action.UnmarshalText([]byte(cmp.Or(in.Get("action"), message.Quarantine.String()))) // what cannot be read is refused with its trial
	return f
}

// trial is the change that the form asks for. wrong says what it lacks.
func (f trialForm) trial() (t policy.Trial, wrong string) {
	t.Action = f.Action
	if f.Kind == "rule" {
		t.Rule = &policy.RuleConfig{Name: f.Name, When: f.When, Action: f.Action}
		return t, ""
	}
	from, err := strconv.ParseFloat(strings.Replace(f.From, ",", ".", 1), 64)
	if err != nil {
		return t, "page.trial.no_number"
	}
	t.From = from
	switch f.Whose {
	case "tenant":
		t.Whom.Tenant = f.Whom
	case "domain":
		t.Whom.Domain = f.Whom
	case "user":
		t.Whom.User = f.Whom
	}
	if f.Whose != whoseKinds[0] && t.Whom == (message.Scope{}) {
		return t, "page.trial.nobody"
	}
	return t, ""
}

// query is the filled form, for the addresses of exports.
func (f trialForm) query() url.Values {
	q := url.Values{"kind": {f.Kind}, "action": {f.Action.String()}, "hours": {hoursText(f.Hours)}}
	if f.Kind == "rule" {
		q.Set("name", f.Name)
		q.Set("when", f.When)
		return q
	}
	q.Set("from", f.From)
	q.Set("whose", f.Whose)
	q.Set("whom", f.Whom)
	return q
}

// try shows what a change would have done to the newest mail. It changes nothing: what is in force stands in the file.
func (c *Console) try(w http.ResponseWriter, r *http.Request) error {
	page := trialPage{Trial: newTrialForm(r)}
	f := &page.Trial
	if len(f.When) > maxWhen || len(f.Whom) > maxQuery || len(f.Name) > maxQuery || f.Kind != "rule" && f.Kind != "threshold" {
		return errForm
	}
	t, wrong := f.trial()
	page.Mails = trialTable(f)
	if wrong != "" {
		page.Wrong = c.words.Say(wrong)
		return c.serveTable(w, r, page.Mails, "trial", page)
	}
	ctx, cancel := context.WithTimeout(r.Context(), trialTime)
	defer cancel()
	keep := pageRows
	if path.Ext(r.URL.Path) != "" {
		keep = exportRows
	}
	rules := c.Rules()
	changed, err := rules.Try(t)
	if err != nil {
		page.Wrong, page.Place = refusal(f.When, err)
		return c.serveTable(w, r, page.Mails, "trial", page)
	}
	found := policy.Preview{Keep: keep}
	if err := c.preview(ctx, &found, rules, changed, f.Hours); err != nil {
		return err
	}
	page.TOML = t.TOML()
	c.fillTrial(&page, found, found.Unseen(changed))
	return c.serveTable(w, r, page.Mails, "trial", page)
}

// preview decides by both policies about the newest messages of each part of the last hours, as far back as there are events, until ctx
// ends.
func (c *Console) preview(ctx context.Context, p *policy.Preview, rules, changed *policy.Rules, hours int) error {
	stats, err := c.Events.Stats(ctx)
	if err != nil {
		return err
	}
	from, to := c.since(hours), c.Now()
	if stats.Oldest.After(from) {
		from = stats.Oldest
	}
	part := to.Sub(from)/trialParts + time.Microsecond // the last part ends behind from
	for range trialParts {
		found, err := c.Events.Search(ctx, index.Query{From: to.Add(-part), To: to, Limit: triedMessages})
		if err != nil && ctx.Err() == nil {
			return err
		}
		for _, e := range found.Events {
			if ctx.Err() != nil {
				break
			}
			p.AddChange(e, c.recorded(ctx, e), rules, changed)
		}
		to = to.Add(-part)
	}
	p.Sort()
	return nil
}

func trialTable(f *trialForm) table {
	return table{Name: "trial", Path: withQuery("/rules/try", f.query()), Empty: "empty.trial", Columns: []column{{"time", false, false}, {"from", false, false}, {"to", false, false},
		{"probability", true, false}, {"was", false, false}, {"would_be", false, false}, {"decided_by", false, false}, {"id", false, true}}}
}

func (c *Console) fillTrial(page *trialPage, found policy.Preview, unseen []string) {
	if page.Nothing = found.Messages == 0; page.Nothing {
		return
	}
	changed := 0
	type row struct {
		policy.Example
		*policy.Change
	}
	var rows []row
	for _, k := range found.Changes {
		changed += k.Count
		page.Changes = append(page.Changes, trialChange{k.Before, k.After, k.Count})
		for _, x := range k.Examples {
			rows = append(rows, row{x, k})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return b.Time.Compare(a.Time) })
	for _, x := range rows {
		link := "/messages/" + url.PathEscape(x.ID)
		page.Mails.Rows = append(page.Mails.Rows, []cell{{Text: x.Time.UTC().Format("2006-01-02 15:04:05"), Value: x.Time.UTC(), Link: link},
			{Text: seen(x.Sender), Value: x.Sender, Mark: "code"}, {Text: orDash(seen(x.Recipient)), Value: x.Recipient, Mark: "code"},
			{Text: c.numbers().percent(x.Probability), Value: round(x.Probability*1e6) / 1e6},
			{Text: c.words.Say("action." + x.Change.Before.String()), Value: x.Change.Before.String()},
			{Text: c.words.Say("action." + x.Change.After.String()), Value: x.Change.After.String()},
			{Text: ruleText(c.words, x.Example.After), Value: x.Example.After}, {Text: x.ID}})
	}
	page.Summary = c.words.Say("page.trial.summary", changed, found.Recipients, found.Messages, stamp(found.From), stamp(found.To))
	if found.Skipped > 0 {
		page.Skipped = c.words.Say("page.trial.skipped", found.Skipped)
	}
	for _, why := range unseen {
		page.Unseen = append(page.Unseen, seen(why))
	}
}

// refusal is what is wrong with a trial; of a condition with line and column, the line, and a mark below the place.
func refusal(when string, err error) (wrong, place string) {
	wrong = err.Error()
	if _, rest, ok := strings.Cut(wrong, "policy.rule[0]."); ok {
		wrong = rest
	}
	var inside *config.TextError
	if !errors.As(err, &inside) {
		return seen(wrong), ""
	}
	line, column, text := position(when, inside.Rune)
	mark := strings.Repeat(" ", column-1) + "^"
	return seen(strconv.Itoa(line) + ":" + strconv.Itoa(column) + ": " + wrong), seen(text) + "\n" + mark
}

// position is where the n-th letter of a text stands, both from 1, and its line.
func position(text string, n int) (line, column int, of string) {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		letters := len([]rune(l))
		if n <= letters || i == len(lines)-1 {
			return i + 1, min(n, letters) + 1, l
		}
		n -= letters + 1
	}
	return 1, 1, text
}
