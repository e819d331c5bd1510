package policy

import (
	"fmt"
	"slices"
	"time"

	"rempart/config"
	"rempart/filter/behaviour"
	"rempart/message"
)

// GreylistConfig is table [policy.greylist].
type GreylistConfig struct {
	// Delay is how long after the first attempt a mail is taken. Default: 5m.
	Delay config.Duration `toml:"delay"`
}

const defaultDelay = 5 * time.Minute

func (c GreylistConfig) delay() time.Duration {
	if c.Delay == 0 {
		return defaultDelay
	}
	return time.Duration(c.Delay)
}

func (c GreylistConfig) check() error {
	if d := c.delay(); d < 0 || d > behaviour.RetryWindow/2 {
		return fmt.Errorf("policy.greylist.delay = %s: use up to %s, for who comes again after %s begins anew", d, behaviour.RetryWindow/2, behaviour.RetryWindow)
	}
	return nil
}

// waits reports whether a mail may be put off for its i-th recipient until its sender comes again. That is pointless where
// the one who would come again is a relay or forwarder of ours, and rude to those of whom good is known.
func (r *Rules) waits(m *message.Message, i int) bool {
	g := &m.Facts.Greylist
	if m.Channel != message.Email || m.Direction != message.In || len(g.Waited) == 0 || g.Passed || acquainted(m) || handedOn(m) || goodAndVerified(m) {
		return false
	}
	return g.Waited[min(i, len(g.Waited)-1)] < r.delay
}

// handedOn reports whether a relay or a trusted forwarder stands between the source and us.
func handedOn(m *message.Message) bool {
	return len(m.Route) > 0 && m.Route[0].Trusted || m.Facts.Auth.Source.IsValid() && m.Facts.Auth.Source.Unmap() != m.Source.Address.Unmap()
}

// goodAndVerified reports a mail whose sender is verified, from where honest mail was taught or which a list of good senders names.
func goodAndVerified(m *message.Message) bool {
	a, rep := &m.Facts.Auth, &m.Facts.Reputation
	verified := a.SPF == "pass" || slices.ContainsFunc(a.DKIM, func(d message.DKIM) bool { return d.Status == "pass" })
	good := rep.Ham > rep.Spam || slices.ContainsFunc(m.Facts.Listings, func(l message.Listing) bool {
		return l.Allow && l.State == message.StatePresent
	})
	return verified && good
}
