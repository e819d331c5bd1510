package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"rempart/message"
)

// Config is the operator's policy, table [policy]. Its zero value tags from probability 0.9 and does nothing else.
type Config struct {
	// Mode is a lid on everything: "judge" acts, "shadow" records what would have been done and lets all pass, "tap" is
	// the same for a fed copy. A front door in shadow stays in shadow whatever stands here. Default: judge.
	Mode *message.Mode `toml:"mode"`

	// Thresholds of the node, for whom no scope says otherwise.
	Thresholds Thresholds `toml:"thresholds"`

	// Outgoing are thresholds for what the operator's own accounts send, where no scope says otherwise; what is not named is
	// as in thresholds. hold = 0.9 stops an account that was stolen before the world sees its mail; your users tell
	// you sooner than theirs. Default: as thresholds.
	Outgoing Thresholds `toml:"outgoing"`

	// Malware is what is done with mail in which ClamAV found malware (table [clamav]), whatever its score is and
	// whoever sent it: lists are not asked. Tag, rewrite, hold, quarantine, tempfail, reject or discard; "accept" leaves it
	// to score and lists. What ClamAV only guesses (names that begin with Heuristics or PUA) is left to them too. Default: reject.
	Malware message.Action `toml:"malware"`

	// Greylist asks unknown hosts to come again (RFC 6647), where thresholds.greylist turns it on. A host that came again within a
	// day is not put off any more, until nothing was heard of it for 36 days; it is the domain for which SPF passed, or else a
	// network (/24 of IPv4, /48 of IPv6). Never put off are logged-in accounts, entries of allow, authors and lists that all
	// recipients know, answers to their mail, mail by way of relays and trusted forwarders, and verified senders of whose
	// network more honest mail than spam was taught or that stand on a DNS list with allow. Each node remembers its own.
	Greylist GreylistConfig `toml:"greylist"`

	// Limit bounds how many mails coming in are taken within an hour; what comes beyond is put off, so that a mail server tries again
	// later. Nobody is put off who stands on an allow list, who is known to all recipients, who answers a mail of theirs, or
	// who is logged in. Each node counts its own, for each tenant apart, and only what it took.
	Limit LimitConfig `toml:"limit"`

	// Allow lets messages of a verified identity pass whatever their score is. The first entry that matches decides;
	// a narrower scope's lists are asked before the node's, and in one scope allow before deny.
	Allow []Entry `toml:"allow"`

	// Deny treats messages of a verified identity by the entry's action whatever their score is.
	Deny []Entry `toml:"deny"`

	// Rule holds the operator's own rules, which are asked behind all lists. The first that fits decides, whatever the
	// score is. One that takes longer than 5 ms for a message is left out for it, counted and logged. At most 200.
	Rule []RuleConfig `toml:"rule"`

	// Scope holds what a tenant, a domain or a user wants differently.
	Scope []ScopeConfig `toml:"scope"`

	// ScopesFile is a file with more scopes, for settings in bulk: a JSON array of objects with the keys of [[policy.scope]], at most
	// 200,000, as `rempart policy export` writes it. A changed one is taken over as a changed configuration is. Default: none.
	ScopesFile string `toml:"scopes_file"`
}

// ScopeConfig is the policy of one tenant, domain or user, table [[policy.scope]]. What it leaves out comes from the
// next wider scope that names it: user, domain, tenant, node.
type ScopeConfig struct {
	// Tenant whose recipients this is for; a recipient must fit all of tenant, domain and user that are given, and at
	// least one is needed. Compared without regard to case. Default: any.
	Tenant string `toml:"tenant" json:"tenant,omitempty"`

	// Domain of the recipients this is for. Default: any.
	Domain string `toml:"domain" json:"domain,omitempty"`

	// User this is for: an address or an account's name. Default: any.
	User string `toml:"user" json:"user,omitempty"`

	// Mode as in [policy]. Default: that of the next wider scope.
	Mode *message.Mode `toml:"mode" json:"mode,omitempty"`

	// Thresholds as in [policy.thresholds].
	Thresholds Thresholds `toml:"thresholds" json:"thresholds,omitzero"`

	// Malware as in [policy]. Default: that of the next wider scope.
	Malware message.Action `toml:"malware" json:"malware,omitempty"`

	// Allow as in [[policy.allow]].
	Allow []Entry `toml:"allow" json:"allow,omitempty"`

	// Deny as in [[policy.deny]].
	Deny []Entry `toml:"deny" json:"deny,omitempty"`
}

// Thresholds ask for an action from a probability on. Of those reached the severest is taken (the order of the fields
// here). 0 turns one off where a wider scope turned it on; what is not named is inherited. Only tag is on by default.
type Thresholds struct {
	// Greylist asks the unknown host of a mail coming in to come again once, before anything else is done: for mail that is
	// neither surely honest nor reaches another threshold. 0.3 delays little and sorts out senders that never try twice; 0.0001
	// delays nearly all mail of unknown hosts. Default: off.
	Greylist *float64 `toml:"greylist" json:"greylist,omitempty"`

	// Tag marks the message (X-Rempart headers) from this probability on. Default: 0.9.
	Tag *float64 `toml:"tag" json:"tag,omitempty"`

	// Rewrite marks the message where the reader sees it: the subject of a mail, the sender ID of a text, as the front
	// door is configured. Default: off.
	Rewrite *float64 `toml:"rewrite" json:"rewrite,omitempty"`

	// Hold puts the mail into the mail server's own hold queue. Default: off.
	Hold *float64 `toml:"hold" json:"hold,omitempty"`

	// Quarantine keeps the message in our store. Default: off.
	Quarantine *float64 `toml:"quarantine" json:"quarantine,omitempty"`

	// Tempfail asks the sender to try again later. Default: off.
	Tempfail *float64 `toml:"tempfail" json:"tempfail,omitempty"`

	// Throttle tells the sender of texts to slow down (ESME_RTHROTTLED). Default: off.
	Throttle *float64 `toml:"throttle" json:"throttle,omitempty"`

	// Reject refuses the message. What the message says alone never rejects: at least one signal about its source must
	// speak against it, else the next milder threshold that is on decides. Where it is turned on, 0.999 or more is
	// advised: fewer than one honest mail in 4,000 reaches that, even taught from nothing. Default: off.
	Reject *float64 `toml:"reject" json:"reject,omitempty"`

	// Discard accepts the message and throws it away; the same rule as for reject. Default: off.
	Discard *float64 `toml:"discard" json:"discard,omitempty"`
}

// Entry is one line of an allow or deny list: a verified identity, never what a header claims. All that it names must
// fit.
type Entry struct {
	// Name of the rule as decisions and the console show it. Default: what the entry names.
	Name string `toml:"name" json:"name,omitempty"`

	// DKIM is the domain (d=) of a signature that passed; with a leading dot its subdomains too.
	DKIM string `toml:"dkim" json:"dkim,omitempty"`

	// SPF is the domain for whose envelope sender SPF passed; with a leading dot its subdomains too.
	SPF string `toml:"spf" json:"spf,omitempty"`

	// ARC is the domain of the trusted sealer ([auth] trusted_sealers) that vouches for a mail that was handed on; with a leading dot
	// its subdomains too. What it saw of DKIM and SPF counts for dkim and spf without it.
	ARC string `toml:"arc" json:"arc,omitempty"`

	// From is the author's address as the reader sees it. Anyone can write one: it counts only together with the dkim, spf or
	// arc that vouches for it.
	From string `toml:"from" json:"from,omitempty"`

	// Network is the client's address or network (192.0.2.0/24).
	Network string `toml:"network" json:"network,omitempty"`

	// SystemID is who submitted a text (SMPP bind).
	SystemID string `toml:"system_id" json:"system_id,omitempty"`

	// Sender is the sender ID of a text. Anyone can write one: to allow, name the system_id too.
	Sender string `toml:"sender" json:"sender,omitempty"`

	// Action of a deny entry: tag, rewrite, hold, quarantine, tempfail, throttle, reject or discard. Default: reject.
	Action message.Action `toml:"action" json:"action,omitempty"`

	// Mode "shadow" tries a rule out: a match is recorded, the decision is made without it. Default: judge.
	Mode message.Mode `toml:"mode" json:"mode,omitempty"`
}

// DefaultTag: from nine to one on, a reader is better served by a mark than by none.
const DefaultTag = 0.9

// SafeReject is the least probability at which rejecting is advised: `rempart eval --reliability` counts the honest messages
// that reach it.
const SafeReject = 0.999

// list names the thresholds, mildest first, and where each stands.
func (t *Thresholds) list() [9]struct {
	action message.Action
	from   **float64
} {
	return [9]struct {
		action message.Action
		from   **float64
	}{
		{message.Greylist, &t.Greylist}, {message.Tag, &t.Tag}, {message.Rewrite, &t.Rewrite}, {message.Hold, &t.Hold}, {message.Quarantine, &t.Quarantine},
		{message.Tempfail, &t.Tempfail}, {message.Throttle, &t.Throttle}, {message.Reject, &t.Reject}, {message.Discard, &t.Discard},
	}
}

// of is where the threshold for an action stands; nil: there is none for it.
func (t *Thresholds) of(a message.Action) **float64 {
	for _, l := range t.list() {
		if l.action == a {
			return l.from
		}
	}
	return nil
}

func (t Thresholds) check(key string) error {
	var errs []error
	for _, l := range t.list() {
		if from := *l.from; from != nil && !(*from >= 0 && *from <= 1) {
			errs = append(errs, fmt.Errorf("%s.%s = %v: use a probability above 0 up to 1, or 0 for off", key, l.action, *from))
		}
	}
	return errors.Join(errs...)
}

// compile checks an entry and makes it quick to ask.
func (e Entry) compile(key string, allow bool) (entry, error) {
	c := entry{
		dkim: strings.ToLower(strings.TrimSuffix(e.DKIM, ".")), spf: strings.ToLower(strings.TrimSuffix(e.SPF, ".")),
		arc:  strings.ToLower(strings.TrimSuffix(e.ARC, ".")),
		from: strings.ToLower(e.From), system: e.SystemID, sender: e.Sender,
		match: message.Match{Rule: e.Name, Action: e.Action, Mode: e.Mode},
	}
	if e.Network != "" {
		var err error
		if c.network, err = parseNetwork(e.Network); err != nil {
			return entry{}, fmt.Errorf("%s.network = %q: use an address or a network like 192.0.2.0/24", key, e.Network)
		}
	}
	if c.from != "" && c.dkim == "" && c.spf == "" && c.arc == "" {
		return entry{}, fmt.Errorf("%s.from = %q: anyone can write an author's address; name the dkim, spf or arc domain that vouches for it too", key, e.From)
	}
	if c.dkim == "" && c.spf == "" && c.arc == "" && !c.network.IsValid() && c.system == "" && c.sender == "" {
		return entry{}, fmt.Errorf("%s names nobody: give dkim, spf, arc, network, system_id or sender", key)
	}
	if _, rule := RuleName(e.Name); rule || limits(e.Name) {
		return entry{}, fmt.Errorf("%s.name = %q: a limit or rule is named so; use another name", key, e.Name)
	}
	if allow && c.sender != "" && c.system == "" {
		return entry{}, fmt.Errorf("%s.sender = %q: anyone can write a sender ID; name the system_id that may use it too", key, e.Sender)
	}
	switch {
	case allow && e.Action != 0 && e.Action != message.Accept:
		return entry{}, fmt.Errorf("%s.action = %q: an allow entry accepts", key, e.Action)
	case allow:
		c.match.Action = message.Accept
	case e.Action == 0:
		c.match.Action = message.Reject
	case !thresholdAction(e.Action):
		return entry{}, fmt.Errorf("%s.action = %q: use tag, rewrite, hold, quarantine, tempfail, throttle, reject or discard", key, e.Action)
	}
	if c.match.Rule == "" {
		c.match.Rule = e.defaultName(allow)
	}
	return c, nil
}

func (e Entry) defaultName(allow bool) string {
	name := "deny"
	if allow {
		name = "allow"
	}
	for _, s := range []string{e.DKIM, e.SPF, e.ARC, e.From, e.Network, e.SystemID, e.Sender} {
		if s != "" {
			name += ":" + s
		}
	}
	return name
}

func thresholdAction(a message.Action) bool {
	return a != message.Greylist && new(Thresholds).of(a) != nil // who stands on a list is no stranger
}

func parseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return p.Masked(), nil
}
