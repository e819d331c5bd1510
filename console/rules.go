package console

import (
	"net/http"
	"path"
	"strconv"
	"strings"

	"rempart/message"
	"rempart/policy"
)

type rulesPage struct {
	Settings table
	Own      table
	More     string // how many scopes there are beside those shown; empty: none
	Trial    trialForm
}

type ruleTablePage struct{ Table table }

// shownScopes is how many tenants, domains and users stand on the page.
const shownScopes = 100

// rules is what decides what is done with mail: thresholds and the operator's rules, with the forms that try a change.
func (c *Console) rules(w http.ResponseWriter, r *http.Request) error {
	page := rulesPage{Own: c.ownTable(), Trial: newTrialForm(r)}
	var scopes int
	page.Settings, scopes = c.settingsTable()
	if scopes > shownScopes {
		page.More = c.words.Say("page.rules.more", scopes, shownScopes)
	}
	return c.render(w, r, "rules", page)
}

// ruleTable is one of the page's tables alone.
func (c *Console) ruleTable(w http.ResponseWriter, r *http.Request) error {
	var t table
	switch strings.TrimSuffix(r.PathValue("part"), path.Ext(r.URL.Path)) {
	case "settings":
		t, _ = c.settingsTable()
	case "own":
		t = c.ownTable()
	default:
		return errNoPage
	}
	return c.serveTable(w, r, t, "ruletable", ruleTablePage{t})
}

func (c *Console) settingsTable() (t table, scopes int) {
	t = table{Name: "settings", Path: "/rules/settings", Columns: []column{{"whose", false, false}, {"thresholds", false, false}, {"mode", false, false}, {"lists", true, false}}}
	list, scopes := c.Rules().Settings(shownScopes)
	for _, s := range list {
		row := []cell{c.whose(s), {Text: c.thresholds(s.Thresholds)}, {Text: "–", Value: ""}, c.count(uint64(s.Lists))}
		if s.Mode != nil {
			row[2] = cell{Text: c.words.Say("mode." + s.Mode.String()), Value: s.Mode.String()}
		}
		t.Rows = append(t.Rows, row)
	}
	return t, scopes
}

// whose says for whom a scope speaks.
func (c *Console) whose(s policy.Setting) cell {
	switch {
	case s.Outgoing:
		return cell{Text: c.words.Say("page.rules.outgoing"), Value: "outgoing"}
	case s.Whom == (message.Scope{}):
		return cell{Text: c.words.Say("page.rules.node"), Value: "node"}
	}
	return cell{Text: c.scopeText(s.Whom), Mark: "code"}
}

// thresholds is them as one line: "marked from 0.9, held from 0.98".
func (c *Console) thresholds(list []message.Threshold) string {
	var parts []string
	for _, t := range list {
		action := c.words.Say("action." + t.Action.String())
		if t.From == 0 {
			parts = append(parts, c.words.Say("page.rules.off", action))
		} else {
			parts = append(parts, c.words.Say("page.rules.from", action, strconv.FormatFloat(t.From, 'g', -1, 64)))
		}
	}
	return orDash(strings.Join(parts, ", "))
}

// ownTable is the operator's rules in the order they are asked.
func (c *Console) ownTable() table {
	t := table{Name: "own_rules", Path: "/rules/own", Empty: "empty.own_rules", Columns: []column{{"rule", false, false}, {"state", false, false}, {"action", false, false},
		{"when", false, false}, {"fitted", true, false}, {"left_out", true, false}}}
	for _, r := range c.Rules().Own() {
		fitted, skipped := c.RuleCounts(r.Name)
		state, left := cell{Text: c.words.Say("page.rules.acting"), Value: r.Mode.String(), Mark: "ok"}, c.count(skipped)
		if r.Mode != message.ModeJudge {
			state.Text, state.Mark = c.words.Say("page.rules.on_trial"), "warn"
		}
		if skipped > 0 {
			left.Mark = "bad"
		}
		t.Rows = append(t.Rows, []cell{{Text: r.Name, Mark: "code"}, state, {Text: c.words.Say("action." + r.Action.String()), Value: r.Action.String()},
			{Text: seen(r.When), Value: r.When, Mark: "code"}, c.count(fitted), left})
	}
	return t
}
