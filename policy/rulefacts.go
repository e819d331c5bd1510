package policy

import (
	"errors"
	"slices"
	"time"

	"rempart/message"
)

// ruleFacts is what a rule can ask: each field tagged expr is a name of the language, documented in docs/policy.md.
type ruleFacts struct {
	Message   messageFacts   `expr:"message"`
	Client    clientFacts    `expr:"client"`
	Auth      authFacts      `expr:"auth"`
	Recipient recipientFacts `expr:"recipient"`
	Verdict   verdictFacts   `expr:"verdict"`

	Header  func(string) string   `expr:"header"`
	Headers func(string) []string `expr:"headers"`
	Has     func(string) bool     `expr:"has"`
	Unknown func(string) bool     `expr:"unknown"`
	Value   func(string) float64  `expr:"value"`
	Weight  func(string) float64  `expr:"weight"`
	Within  func(string) bool     `expr:"within"`

	Budget *budget `expr:"budget"` // for what the compiler adds

	verdict *message.Verdict
}

type messageFacts struct {
	Channel     string           `expr:"channel"`
	Direction   string           `expr:"direction"`
	Door        string           `expr:"door"`
	Tenant      string           `expr:"tenant"`
	Account     string           `expr:"account"`
	Sender      string           `expr:"sender"`
	From        string           `expr:"from"`
	FromName    string           `expr:"from_name"`
	FromDomain  string           `expr:"from_domain"`
	ReplyTo     []string         `expr:"reply_to"`
	To          []string         `expr:"to"`
	Subject     string           `expr:"subject"`
	Text        string           `expr:"text"`
	MessageID   string           `expr:"message_id"`
	SystemID    string           `expr:"system_id"`
	Size        int              `expr:"size"`
	Recipients  int              `expr:"recipients"`
	Language    string           `expr:"language"`
	LinkHosts   []string         `expr:"link_hosts"`
	Attachments []attachmentFact `expr:"attachments"`
}

type attachmentFact struct {
	Name      string `expr:"name"`
	Type      string `expr:"type"`
	Detected  string `expr:"detected"`
	Size      int    `expr:"size"`
	Encrypted bool   `expr:"encrypted"`
	Macros    bool   `expr:"macros"`
	Program   bool   `expr:"program"`
}

type clientFacts struct {
	Address string `expr:"address"`
	Name    string `expr:"name"`
	Helo    string `expr:"helo"`
	Country string `expr:"country"`
	Network int    `expr:"network"`
	Trusted bool   `expr:"trusted"`
	TLS     string `expr:"tls"`
}

type authFacts struct {
	SPF        string   `expr:"spf"`
	SPFDomain  string   `expr:"spf_domain"`
	DKIM       []string `expr:"dkim"`
	DMARC      string   `expr:"dmarc"`
	ARC        string   `expr:"arc"`
	ARCSealer  string   `expr:"arc_sealer"`
	ARCTrusted bool     `expr:"arc_trusted"`
}

type recipientFacts struct {
	Address string `expr:"address"`
	Tenant  string `expr:"tenant"`
	Domain  string `expr:"domain"`
	User    string `expr:"user"`
}

type verdictFacts struct {
	Probability float64 `expr:"probability"`
	Score       float64 `expr:"score"`
	Category    string  `expr:"category"`
}

// Bounds of what a rule sees of one message, so that a pass over it takes microseconds.
const (
	maxFactBytes = 16 << 10 // of a text or a header field
	maxFactItems = 500      // of a list
)

// newRuleFacts reads what concerns all recipients.
func newRuleFacts(m *message.Message) *ruleFacts {
	f := &ruleFacts{Budget: new(budget)}
	f.Message = messageFacts{
		Channel: m.Channel.String(), Direction: m.Direction.String(), Door: m.Door, Tenant: m.Tenant, Account: m.Account,
		Sender: m.MailFrom, From: m.From.String(), FromName: cut(m.From.Name), FromDomain: m.From.Domain, Subject: cut(m.Subject),
		Text: cut(m.VisibleText()), MessageID: cut(m.MessageID), Size: m.Size, Recipients: max(1, len(m.Recipients)),
		Language: string(m.Facts.Language), ReplyTo: addresses(m.ReplyTo), To: addresses(m.To), LinkHosts: linkHosts(m),
	}
	if m.SMS != nil {
		f.Message.SystemID = m.SMS.SystemID
	}
	for i := range m.Attachments[:min(len(m.Attachments), maxFactItems)] {
		a := &m.Attachments[i]
		fact := attachmentFact{Name: a.Name, Type: a.Declared, Detected: a.Detected, Size: a.Size}
		if in := a.Inside; in != nil {
			fact.Encrypted, fact.Macros, fact.Program = in.Encrypted, in.Macros, in.Program
		}
		f.Message.Attachments = append(f.Message.Attachments, fact)
	}
	s, a := &m.Source, &m.Facts.Auth
	f.Client = clientFacts{Address: s.Client(), Name: s.Name, Helo: m.Helo, Country: s.Country, Network: int(s.Network), Trusted: s.Trusted, TLS: s.TLS}
	f.Auth = authFacts{SPF: a.SPF, SPFDomain: a.SPFDomain, DMARC: a.DMARC, ARC: a.ARC.Status, ARCSealer: a.ARC.Sealer, ARCTrusted: a.ARC.Trusted}
	for _, d := range a.DKIM {
		if d.Status == "pass" {
			f.Auth.DKIM = append(f.Auth.DKIM, d.Domain)
		}
	}
	f.Header = func(name string) string { return cut(m.Header.Get(name)) }
	f.Headers = m.Header.All
	f.Within = func(network string) bool {
		p, err := parseNetwork(network) // checked when the rule was loaded
		return err == nil && p.Contains(s.Address.Unmap())
	}
	f.aboutSignals()
	return f
}

// aboutSignals makes the functions that look into the verdict at hand.
func (f *ruleFacts) aboutSignals() {
	find := func(name string, state message.State) *message.Contribution {
		if f.verdict == nil {
			return nil
		}
		i := slices.IndexFunc(f.verdict.Contributions, func(c message.Contribution) bool { return c.Name == name && c.State == state })
		if i < 0 {
			return nil
		}
		return &f.verdict.Contributions[i]
	}
	f.Has = func(name string) bool { return find(name, message.StatePresent) != nil }
	f.Unknown = func(name string) bool { return find(name, message.StateUnknown) != nil }
	f.Value = func(name string) float64 {
		if c := find(name, message.StatePresent); c != nil {
			return c.Input.Float()
		}
		return 0
	}
	f.Weight = func(name string) float64 {
		if c := find(name, message.StatePresent); c != nil {
			return c.Weight().Float()
		}
		return 0
	}
}

// turnTo makes the facts those of one recipient.
func (f *ruleFacts) turnTo(to *message.Recipient, v *message.Verdict) {
	f.Recipient, f.Verdict, f.verdict = recipientFacts{}, verdictFacts{}, v
	if to != nil {
		f.Recipient = recipientFacts(*to)
	}
	if v != nil {
		f.Verdict = verdictFacts{Probability: v.Probability, Score: v.Score.Float(), Category: v.Category.String()}
	}
}

func cut(s string) string { return s[:min(len(s), maxFactBytes)] }

func addresses(list []message.Address) (out []string) {
	for _, a := range list[:min(len(list), maxFactItems)] {
		out = append(out, a.String())
	}
	return out
}

func linkHosts(m *message.Message) (hosts []string) {
	seen := make(map[string]bool, min(len(m.Links), maxFactItems))
	for i := range m.Links {
		if host := m.Links[i].Host; host != "" && !seen[host] && len(hosts) < maxFactItems {
			seen[host] = true
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// budget is until when an evaluation may go on. The clock counts only once a rule had work to do that takes about a millisecond:
// a small one must not be cut because the machine did something else meanwhile.
type budget struct {
	until time.Time
	work  time.Duration // as estimated, before the clock is looked at
}

// Estimates of work.
const (
	unclocked     = time.Millisecond
	operationWork = 15 * time.Microsecond // a pass over 16 kB; the slowest, another case for letters beyond ASCII, takes 100
	stepWork      = 10 * time.Nanosecond  // of a pattern at one letter
)

var errRuleTime = errors.New("the rule takes too long")

func (b *budget) spend(work time.Duration) error {
	if b.work -= work; b.work < 0 && time.Now().After(b.until) {
		return errRuleTime
	}
	return nil
}
