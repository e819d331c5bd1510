package aggregate

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"time"

	"rempart/catalogue"
	"rempart/message/feedback"
	"rempart/nexthop"
)

// Why a mailbox has to wait, and others have not.
var (
	errDNS       = errors.New("DNS did not answer") // whether the mailbox may have reports
	errBrokenOff = errors.New("the next hop broke off")
)

// mayWait reports whether an error is about one mailbox, which gets the report later.
func mayWait(err error) bool {
	var refused *textproto.Error
	return errors.Is(err, errDNS) || errors.Is(err, errBrokenOff) || errors.As(err, &refused)
}

// sendTo hands a report over for one mailbox, and marks that it is done with.
func (s *Store) sendTo(ctx context.Context, key reportKey, a *feedback.Aggregate, d destination) (outcome Outcome, err error) {
	to, allowed, err := s.verified(ctx, key.domain, d)
	switch {
	case err != nil:
		return "", err
	case !allowed:
		outcome = Unverified
	default:
		if outcome, err = s.handOver(ctx, a, to); err != nil {
			return "", err
		}
	}
	return outcome, s.mark(ctx, key, d)
}

// mark notes that a mailbox needs no more of a report. It tries until that is written, or ctx ends: without a mark the report goes out
// again, and without room on the disk for one so would every other.
func (s *Store) mark(ctx context.Context, key reportKey, d destination) error {
	for logged := false; ; logged = true {
		err := s.exec(context.WithoutCancel(ctx), "INSERT OR IGNORE INTO done (day, domain, mailbox) VALUES (?, ?, ?)", key.day, key.domain, d.address)
		if err == nil {
			return nil
		}
		if !logged {
			s.log.Error("a DMARC report is done with for a mailbox, and that was not marked; it is tried until it is", "domain", key.domain, "error", err)
		}
		select {
		case <-time.After(markEvery):
		case <-ctx.Done():
			return fmt.Errorf("mark that a report is done with: %w", err)
		}
	}
}

// verified is the mailbox that a report goes to: the one that the domain names, or that its host names instead (RFC 9990 section 4).
func (s *Store) verified(ctx context.Context, domain string, d destination) (to destination, allowed bool, err error) {
	takes, instead, err := s.options.Takes(ctx, domain, d.host)
	if err != nil {
		return d, false, fmt.Errorf("%w: %w", errDNS, err)
	}
	if !takes || instead == "" {
		return d, takes, nil
	}
	for _, other := range destinations(instead) {
		if other.host == d.host { // no other, or it could be anybody's
			return other, true, nil
		}
	}
	return d, false, nil
}

func (s *Store) handOver(ctx context.Context, a *feedback.Aggregate, to destination) (Outcome, error) {
	from, _ := s.config.Load().author()
	text := catalogue.English().Say("dmarc.report", a.Policy.Domain, a.Begin.Format(time.DateOnly), a.Organisation)
	raw, err := a.Mail(from, []string{to.address}, text, s.now())
	if err != nil {
		return "", err
	}
	raw = s.options.Sign(raw)
	if len(raw) > to.limit {
		return TooLarge, nil
	}
	next := s.nextHop.Load()
	err = nexthop.Send(ctx, next.address, next.access, from.Address, to.address, raw)
	switch {
	case err == nil:
		return Sent, nil
	case nexthop.Refused(err):
		s.log.Warn("a DMARC report was refused", "domain", a.Policy.Domain, "host", to.host, "error", err)
		return Refused, nil
	case errors.Is(err, nexthop.ErrUnavailable):
		return "", err
	}
	return "", fmt.Errorf("%w: %w", errBrokenOff, err)
}
