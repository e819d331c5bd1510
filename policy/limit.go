package policy

import (
	"fmt"

	"rempart/message"
)

// LimitConfig is table [policy.limit]. Mails that are judged at the same time may be a few more than a limit says: a mail is
// counted when it was taken.
type LimitConfig struct {
	// Network is how many mails within an hour one network may hand over: a /24 of IPv4, a /48 of IPv6. The largest mailbox
	// providers send much from one. Default: 0, no limit.
	Network int `toml:"network"`

	// Sender is how many mails within an hour may come from one domain and those below it: the one that a signature or SPF
	// vouches for, or else that of the envelope sender, which is then counted apart. Default: 0, no limit.
	Sender int `toml:"sender"`

	// Recipient is how many mails within an hour one mailbox may get, against floods that hide a mail. Default: 0, no
	// limit.
	Recipient int `toml:"recipient"`
}

func (c LimitConfig) check() error {
	for _, l := range []struct {
		key string
		n   int
	}{{"network", c.Network}, {"sender", c.Sender}, {"recipient", c.Recipient}} {
		if l.n < 0 {
			return fmt.Errorf("policy.limit.%s = %d: use a number of mails an hour, or 0 for no limit", l.key, l.n)
		}
	}
	return nil
}

// Rules of the limits.
const (
	RuleLimitNetwork   = "limit_network"
	RuleLimitSender    = "limit_sender"
	RuleLimitRecipient = "limit_recipient"
)

func limits(rule string) bool {
	return rule == RuleLimitNetwork || rule == RuleLimitSender || rule == RuleLimitRecipient
}

// exceeded is the first limit that the mail for the i-th recipient is beyond; "" if there is none.
func (c LimitConfig) exceeded(m *message.Message, i int) string {
	a := &m.Facts.Arriving
	if c == (LimitConfig{}) || m.Channel != message.Email || m.Direction != message.In || acquainted(m) {
		return ""
	}
	switch over := func(f message.Flow, limit int) bool { return limit > 0 && int64(f.Hour) >= int64(limit) }; {
	case over(a.Network, c.Network):
		return RuleLimitNetwork
	case over(a.Sender, c.Sender):
		return RuleLimitSender
	case i < len(a.Mailboxes) && over(a.Mailboxes[i], c.Recipient):
		return RuleLimitRecipient
	}
	return ""
}

// acquainted reports mail that is expected: of the operator's own, of somebody known to all recipients, or in answer to one of theirs.
func acquainted(m *message.Message) bool {
	return m.Source.Trusted || m.Facts.KnownSender != "" || m.Facts.AnswersOurs
}
