package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rempart/message"
)

// Trial is a change to a policy before it stands in the file: a threshold, or a rule.
type Trial struct {
	Whom   message.Scope  // whose threshold it is; empty: the node's
	Action message.Action // that the threshold asks for
	From   float64        // from this probability on; 0: it is off
	Rule   *RuleConfig    // whose mode is judge; nil: it is a threshold
}

// Try is r with the change. A rule takes the place of the one of that name, or else stands behind all others. An error names the key
// as it would stand in a file of this change alone; what is wrong within a condition is a [rempart/config.TextError].
func (r *Rules) Try(t Trial) (*Rules, error) {
	changed := *r
	if t.Rule != nil {
		own, err := compileRules([]RuleConfig{*t.Rule})
		if err != nil {
			return nil, err
		}
		changed.own = slices.Clone(r.own)
		if at := slices.IndexFunc(changed.own, func(x rule) bool { return x.match.Rule == own[0].match.Rule }); at >= 0 {
			changed.own[at] = own[0]
		} else {
			changed.own = append(changed.own, own[0])
		}
		return &changed, nil
	}
	var wanted Thresholds
	at := wanted.of(t.Action)
	if at == nil {
		return nil, fmt.Errorf("policy.thresholds: %s is no action of a threshold", t.Action)
	}
	*at = &t.From
	if err := wanted.check("policy.thresholds"); err != nil {
		return nil, err
	}
	who := t.Whom.Folded()
	s := &scope{}
	if who == (message.Scope{}) {
		s = r.node
	} else if there := r.scopes[who]; there != nil {
		s = there
	}
	own := *s
	*own.thresholds.of(t.Action) = &t.From
	if who == (message.Scope{}) {
		changed.node, changed.plain = &own, thresholds([]*scope{&own})
		return &changed, nil
	}
	if changed.scopes = maps.Clone(r.scopes); changed.scopes == nil {
		changed.scopes = map[message.Scope]*scope{}
	}
	changed.scopes[who] = &own
	return &changed, nil
}

// TOML is what is to be put into the configuration file; where its table stands there already, only the lines below its name.
func (t Trial) TOML() string {
	if t.Rule != nil {
		return fmt.Sprintf("[[policy.rule]]\nname = %s\nwhen = %s\naction = %q\n", quoted(t.Rule.Name), quoted(t.Rule.When), t.Rule.Action)
	}
	threshold := t.Action.String() + " = " + strconv.FormatFloat(t.From, 'g', -1, 64) + "\n"
	if t.Whom == (message.Scope{}) {
		return "[policy.thresholds]\n" + threshold
	}
	var b strings.Builder
	b.WriteString("[[policy.scope]]\n")
	for _, part := range [...]struct{ key, value string }{{"tenant", t.Whom.Tenant}, {"domain", t.Whom.Domain}, {"user", t.Whom.User}} {
		if part.value != "" {
			fmt.Fprintf(&b, "%s = %s\n", part.key, quoted(part.value))
		}
	}
	fmt.Fprintf(&b, "thresholds = {%s}\n", strings.TrimSpace(threshold))
	return b.String()
}

// quoted writes a TOML string: as it is between three quotes where it has lines, else with escapes.
func quoted(s string) string {
	if strings.Contains(s, "\n") && !strings.Contains(s, "'''") && !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && r != '\t' && (r < ' ' || r == 0x7f) }) {
		return "'''\n" + s + "'''"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Setting is what one scope of a policy says.
type Setting struct {
	Whom       message.Scope // empty: the node
	Outgoing   bool          // what the node says of mail going out
	Mode       *message.Mode // nil: that of the next wider scope
	Thresholds []message.Threshold
	Lists      int // entries of its lists
}

// Settings are those of the node and of at most limit scopes, in the order of the configuration, and how many scopes there are.
// A threshold that is turned off has From 0.
func (r *Rules) Settings(limit int) (list []Setting, scopes int) {
	list = append(list, r.node.setting(message.Scope{}))
	if r.out != nil {
		out := r.out.setting(message.Scope{})
		out.Outgoing = true
		list = append(list, out)
	}
	for _, who := range r.order[:min(limit, len(r.order))] {
		list = append(list, r.scopes[who].setting(who))
	}
	return list, len(r.scopes)
}

func (s *scope) setting(who message.Scope) Setting {
	out := Setting{Whom: who, Mode: s.mode, Lists: len(s.lists)}
	for _, l := range s.thresholds.list() {
		if from := *l.from; from != nil {
			out.Thresholds = append(out.Thresholds, message.Threshold{Action: l.action, From: *from})
		}
	}
	return out
}

// Own are the operator's own rules, in the order they are asked.
func (r *Rules) Own() (list []RuleConfig) {
	for i := range r.own {
		list = append(list, r.own[i].config)
	}
	return list
}
