package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"rempart/message"
)

// Rules is a checked, immutable policy. The caller holds it behind an atomic pointer and swaps it whole.
type Rules struct {
	node   *scope
	out    *scope // what the node wants of messages going out; nil: nothing else
	scopes map[message.Scope]*scope
	order  []message.Scope // of the first scopes in the configuration
	own    []rule          // the operator's own, in their order
	limit  LimitConfig
	delay  time.Duration       // of greylisting
	plain  []message.Threshold // the node's own, for the many recipients that no scope names
}

// scope is what one tenant, domain, user or the node says; nil and empty mean nothing said.
type scope struct {
	mode       *message.Mode
	thresholds Thresholds
	malware    message.Action
	lists      []entry // allow, then deny
}

// entry is a compiled [Entry].
type entry struct {
	dkim    string // lower case; a leading dot means subdomains too
	spf     string // the same
	arc     string // the same
	from    string // lower case
	network netip.Prefix
	system  string
	sender  string
	match   message.Match
}

// New checks c, and reads its file of scopes. An error names every key that is wrong, as "policy.scope[1].thresholds.tag = 7: ...".
func New(c Config) (*Rules, error) {
	tag := DefaultTag
	if c.Thresholds.Tag == nil {
		c.Thresholds.Tag = &tag
	}
	if c.Malware == 0 {
		c.Malware = message.Reject
	}
	r := &Rules{limit: c.Limit, delay: c.Greylist.delay()}
	var errs [5]error
	r.own, errs[0] = compileRules(c.Rule)
	r.node, errs[1] = newScope("policy", &ScopeConfig{Mode: c.Mode, Thresholds: c.Thresholds, Malware: c.Malware, Allow: c.Allow, Deny: c.Deny})
	r.scopes, r.order, errs[2] = newScopes(c)
	errs[3] = errors.Join(c.Limit.check(), c.Greylist.check())
	if c.Outgoing != (Thresholds{}) {
		errs[4] = c.Outgoing.check("policy.outgoing")
		if c.Outgoing.Greylist != nil {
			errs[4] = errors.Join(errs[4], fmt.Errorf("policy.outgoing.greylist = %v: only mail coming in is greylisted", *c.Outgoing.Greylist))
		}
		r.out = &scope{thresholds: c.Outgoing}
	}
	r.plain = thresholds([]*scope{r.node})
	return r, errors.Join(errs[:]...)
}

// newScopes compiles what tenants, domains and users want.
func newScopes(c Config) (scopes map[message.Scope]*scope, order []message.Scope, err error) {
	list, keys, err := c.Scopes()
	errs := []error{err}
	scopes = make(map[message.Scope]*scope, len(list))
	for i := range list {
		who := message.Scope{Tenant: list[i].Tenant, Domain: list[i].Domain, User: list[i].User}.Folded()
		s, err := newScope(keys[i], &list[i])
		switch {
		case who == (message.Scope{}):
			err = errors.Join(err, fmt.Errorf("%s names nobody: give tenant, domain or user", keys[i]))
		case scopes[who] != nil:
			err = errors.Join(err, fmt.Errorf("%s: this tenant, domain and user stand in an earlier scope already", keys[i]))
		}
		scopes[who] = s
		if len(order) < maxSettings {
			order = append(order, who)
		}
		if err == nil {
			continue
		}
		if errs = append(errs, err); len(errs) > maxScopeErrors {
			break
		}
	}
	return scopes, order, errors.Join(errs...)
}

// maxSettings is how many scopes somebody may look through.
const maxSettings = 500

// newScope compiles one scope.
func newScope(key string, c *ScopeConfig) (*scope, error) {
	errs := []error{c.Thresholds.check(key + ".thresholds")}
	if c.Mode != nil && *c.Mode > message.ModeTap {
		errs = append(errs, fmt.Errorf("%s.mode = %q: use judge, shadow or tap", key, *c.Mode))
	}
	if m := c.Malware; m != 0 && m != message.Accept && (!thresholdAction(m) || m == message.Throttle) {
		errs = append(errs, fmt.Errorf("%s.malware = %q: use accept, tag, rewrite, hold, quarantine, tempfail, reject or discard", key, m))
	}
	s := &scope{mode: c.Mode, thresholds: c.Thresholds, malware: c.Malware}
	for _, list := range []struct {
		name    string
		entries []Entry
	}{{"allow", c.Allow}, {"deny", c.Deny}} {
		for i, e := range list.entries {
			x, err := e.compile(fmt.Sprintf("%s.%s[%d]", key, list.name, i), list.name == "allow")
			errs = append(errs, err)
			s.lists = append(s.lists, x)
		}
	}
	return s, errors.Join(errs...)
}

// chain is the scopes that speak for a recipient, narrowest first, the node last.
func (r *Rules) chain(m *message.Message, to *message.Recipient) []*scope {
	if len(r.scopes) == 0 && !r.outgoing(m) {
		return []*scope{r.node}
	}
	who := m.ScopeOf(to)
	chain := make([]*scope, 0, 4)
	add := func(s message.Scope) {
		if found := r.scopes[s]; found != nil && s != (message.Scope{}) {
			chain = append(chain, found)
		}
	}
	parts := [3]string{who.Tenant, who.Domain, who.User}
	// Bit i keeps part i: a user's with all it names first, the bare tenant last. Empty parts would meet a key twice.
	for bits := 7; bits > 0; bits-- {
		var s [3]string
		twice := false
		for i := range parts {
			if bits&(1<<i) != 0 {
				s[i] = parts[i]
				twice = twice || parts[i] == ""
			}
		}
		if !twice {
			add(message.Scope{Tenant: s[0], Domain: s[1], User: s[2]})
		}
	}
	if r.outgoing(m) {
		chain = append(chain, r.out)
	}
	return append(chain, r.node)
}

func (r *Rules) outgoing(m *message.Message) bool { return r.out != nil && m.Direction == message.Out }

// thresholds takes each action's threshold from the narrowest scope that names it, mildest action first.
func thresholds(chain []*scope) []message.Threshold {
	var out []message.Threshold
	var first = chain[0].thresholds.list()
	for i, l := range first {
		for _, s := range chain {
			from := *s.thresholds.list()[i].from
			if from == nil {
				continue
			}
			if *from > 0 {
				out = append(out, message.Threshold{Action: l.action, From: *from})
			}
			break
		}
	}
	return out
}

// fits reports whether all that the entry names is so.
func (e *entry) fits(m *message.Message) bool {
	if e.dkim != "" && !signedBy(m, e.dkim) {
		return false
	}
	if e.spf != "" && (m.Facts.Auth.SPF != "pass" || !within(m.Facts.Auth.SPFDomain, e.spf)) {
		return false
	}
	if e.arc != "" && (!m.Facts.Auth.ARC.Trusted || !within(m.Facts.Auth.ARC.Sealer, e.arc)) {
		return false
	}
	if e.from != "" && !strings.EqualFold(m.From.String(), e.from) {
		return false
	}
	if e.network.IsValid() && !e.network.Contains(m.Source.Address.Unmap()) {
		return false
	}
	if e.system != "" && (m.SMS == nil || m.SMS.SystemID != e.system) {
		return false
	}
	return e.sender == "" || m.SMS != nil && strings.EqualFold(m.MailFrom, e.sender)
}

func signedBy(m *message.Message, domain string) bool {
	for _, d := range m.Facts.Auth.DKIM {
		if d.Status == "pass" && within(d.Domain, domain) {
			return true
		}
	}
	return false
}

// within reports whether name is the domain of an entry, or below it where the entry begins with a dot.
func within(name, domain string) bool {
	name = strings.ToLower(name)
	return name == strings.TrimPrefix(domain, ".") || domain[0] == '.' && strings.HasSuffix(name, domain)
}
