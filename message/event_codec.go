package message

import (
	"fmt"
	"net/netip"
	"time"

	"rempart/wire"
)

// eventVersion is the first byte of an event's record.
const eventVersion = 1

// Tags of an event; see docs/formats.md.
const (
	eventID wire.Tag = iota + 1
	eventTime
	eventNode
	eventDoor
	eventChannel
	eventDirection
	eventTenant
	eventAccount
	eventQueueID
	eventMessageID
	eventSource
	eventMailFrom
	eventFrom
	eventSubject
	eventSize
	eventHop
	eventLinkHost
	eventDigest
	eventVerdict
	eventOutcome
	eventTook
	eventCampaign
	eventVerified
	eventIncumbent
	eventKey
	eventTaught
)

const (
	incumbentFilter wire.Tag = iota + 1
	incumbentLabel
	incumbentScore
)

const (
	verifiedSPF wire.Tag = iota + 1
	verifiedDKIM
	verifiedARC
)

const (
	sourceAddress wire.Tag = iota + 1
	sourceName
	sourceCountry
	sourceNetwork
	sourceID
	sourceTrusted
	sourceLine
	sourceTLS
)

const (
	hopFrom wire.Tag = iota + 1
	hopAddress
	hopBy
	hopWith
	hopAt
	hopTrusted
	hopNetwork
)

const (
	outcomeRecipient wire.Tag = iota + 1
	outcomeVerdict
	outcomeAction
	outcomeRule
	outcomeMode
	outcomeText
	outcomeThreshold
	outcomeMatch
	outcomeUnited
	outcomeSkipped
)

const (
	thresholdAction wire.Tag = iota + 1
	thresholdFrom
)

const (
	matchRule wire.Tag = iota + 1
	matchAction
	matchMode
)

// AppendBinary appends the event's record (encoding.BinaryAppender); it never fails.
func (e *Event) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, eventVersion)
	b = wire.AppendString(b, eventID, e.ID)
	b = wire.AppendInt(b, eventTime, nanos(e.Time))
	b = wire.AppendString(b, eventNode, e.Node)
	b = wire.AppendString(b, eventDoor, e.Door)
	b = wire.AppendUint(b, eventChannel, uint64(e.Channel))
	b = wire.AppendUint(b, eventDirection, uint64(e.Direction))
	b = wire.AppendString(b, eventTenant, e.Tenant)
	b = wire.AppendString(b, eventAccount, e.Account)
	b = wire.AppendString(b, eventQueueID, e.QueueID)
	b = wire.AppendString(b, eventMessageID, e.MessageID)
	b = wire.AppendRecord(b, eventSource, e.Source.append)
	b = wire.AppendString(b, eventMailFrom, e.MailFrom)
	b = wire.AppendString(b, eventFrom, e.From)
	b = wire.AppendString(b, eventSubject, e.Subject)
	b = wire.AppendUint(b, eventSize, uint64(e.Size))
	for i := range e.Route {
		b = wire.AppendRecord(b, eventHop, e.Route[i].append)
	}
	for _, host := range e.LinkHosts {
		b = wire.AppendString(b, eventLinkHost, host)
	}
	b = wire.AppendBytes(b, eventDigest, e.Digest)
	for i := range e.Verdicts {
		b = wire.AppendRecord(b, eventVerdict, e.Verdicts[i].append)
	}
	for i := range e.Outcomes {
		b = wire.AppendRecord(b, eventOutcome, e.Outcomes[i].append)
	}
	b = wire.AppendInt(b, eventTook, int64(e.Took))
	b = wire.AppendString(b, eventCampaign, e.Campaign)
	b = wire.AppendRecord(b, eventVerified, e.Verified.append)
	b = wire.AppendRecord(b, eventIncumbent, e.Incumbent.append)
	b = wire.AppendString(b, eventKey, e.Key)
	return wire.AppendUint(b, eventTaught, uint64(e.Taught)), nil
}

// UnmarshalBinary reads a record of [Event.AppendBinary], also one of a newer build; what it does not know it skips. On
// damage the fields before it are kept and an error says so.
func (e *Event) UnmarshalBinary(b []byte) error {
	if len(b) == 0 || b[0] != eventVersion {
		return fmt.Errorf("read event: %w", wire.ErrVersion)
	}
	*e = Event{}
	err := wire.Fields(b[1:], func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case eventID:
			e.ID = c.String()
		case eventTime:
			e.Time = fromNanos(c.Int())
		case eventNode:
			e.Node = c.String()
		case eventDoor:
			e.Door = c.String()
		case eventChannel:
			e.Channel = Channel(c.Uint())
		case eventDirection:
			e.Direction = Direction(c.Uint())
		case eventTenant:
			e.Tenant = c.String()
		case eventAccount:
			e.Account = c.String()
		case eventQueueID:
			e.QueueID = c.String()
		case eventMessageID:
			e.MessageID = c.String()
		case eventSource:
			return e.Source.read(c)
		case eventMailFrom:
			e.MailFrom = c.String()
		case eventFrom:
			e.From = c.String()
		case eventSubject:
			e.Subject = c.String()
		case eventSize:
			e.Size = int(c.Uint())
		case eventHop:
			var h Hop
			err := h.read(c)
			e.Route = append(e.Route, h)
			return err
		case eventLinkHost:
			e.LinkHosts = append(e.LinkHosts, c.String())
		case eventDigest:
			e.Digest = append([]byte(nil), c...)
		case eventVerdict:
			var v Verdict
			err := v.read(c)
			e.Verdicts = append(e.Verdicts, v)
			return err
		case eventOutcome:
			var o Outcome
			err := o.read(c)
			e.Outcomes = append(e.Outcomes, o)
			return err
		case eventTook:
			e.Took = time.Duration(c.Int())
		case eventCampaign:
			e.Campaign = c.String()
		case eventVerified:
			return e.Verified.read(c)
		case eventIncumbent:
			return e.Incumbent.read(c)
		case eventKey:
			e.Key = c.String()
		case eventTaught:
			e.Taught = Label(c.Uint())
		}
		return nil
	})
	for i := range e.Outcomes {
		if o := &e.Outcomes[i]; o.Verdict < 0 || o.Verdict >= len(e.Verdicts) {
			return fmt.Errorf("read event %s: outcome %d names verdict %d of %d", e.ID, i, o.Verdict, len(e.Verdicts))
		}
	}
	if err != nil {
		return fmt.Errorf("read event %s: %w", e.ID, err)
	}
	return nil
}

func (s *Source) append(b []byte) []byte {
	b = appendAddr(b, sourceAddress, s.Address)
	b = wire.AppendString(b, sourceName, s.Name)
	b = wire.AppendString(b, sourceCountry, s.Country)
	b = wire.AppendUint(b, sourceNetwork, uint64(s.Network))
	b = wire.AppendString(b, sourceID, s.ID)
	b = appendBool(b, sourceTrusted, s.Trusted)
	b = wire.AppendUint(b, sourceLine, uint64(s.Line))
	return wire.AppendString(b, sourceTLS, s.TLS)
}

func (s *Source) read(b []byte) error {
	return wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case sourceAddress:
			s.Address, _ = netip.AddrFromSlice(c)
		case sourceName:
			s.Name = c.String()
		case sourceCountry:
			s.Country = c.String()
		case sourceNetwork:
			s.Network = uint32(c.Uint())
		case sourceID:
			s.ID = c.String()
		case sourceTrusted:
			s.Trusted = c.Uint() != 0
		case sourceLine:
			s.Line = LineType(c.Uint())
		case sourceTLS:
			s.TLS = c.String()
		}
		return nil
	})
}

func (v *Verified) append(b []byte) []byte {
	b = wire.AppendString(b, verifiedSPF, v.SPF)
	for _, d := range v.DKIM {
		b = wire.AppendString(b, verifiedDKIM, d)
	}
	return wire.AppendString(b, verifiedARC, v.ARC)
}

func (v *Verified) read(b []byte) error {
	return wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case verifiedSPF:
			v.SPF = c.String()
		case verifiedDKIM:
			v.DKIM = append(v.DKIM, c.String())
		case verifiedARC:
			v.ARC = c.String()
		}
		return nil
	})
}

func (i *Incumbent) append(b []byte) []byte {
	b = wire.AppendString(b, incumbentFilter, i.Filter)
	b = wire.AppendUint(b, incumbentLabel, uint64(i.Label))
	return wire.AppendFloat(b, incumbentScore, i.Score)
}

func (i *Incumbent) read(b []byte) error {
	return wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case incumbentFilter:
			i.Filter = c.String()
		case incumbentLabel:
			i.Label = Label(c.Uint())
		case incumbentScore:
			i.Score = c.Float()
		}
		return nil
	})
}

func (h *Hop) append(b []byte) []byte {
	b = wire.AppendString(b, hopFrom, h.From)
	b = appendAddr(b, hopAddress, h.Address)
	b = wire.AppendString(b, hopBy, h.By)
	b = wire.AppendString(b, hopWith, h.With)
	b = wire.AppendInt(b, hopAt, nanos(h.At))
	b = appendBool(b, hopTrusted, h.Trusted)
	return wire.AppendUint(b, hopNetwork, uint64(h.Network))
}

func (h *Hop) read(b []byte) error {
	return wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case hopFrom:
			h.From = c.String()
		case hopAddress:
			h.Address, _ = netip.AddrFromSlice(c)
		case hopBy:
			h.By = c.String()
		case hopWith:
			h.With = c.String()
		case hopAt:
			h.At = fromNanos(c.Int())
		case hopTrusted:
			h.Trusted = c.Uint() != 0
		case hopNetwork:
			h.Network = uint32(c.Uint())
		}
		return nil
	})
}

func (o *Outcome) append(b []byte) []byte {
	b = wire.AppendString(b, outcomeRecipient, o.Recipient)
	b = wire.AppendUint(b, outcomeVerdict, uint64(o.Verdict))
	b = wire.AppendUint(b, outcomeAction, uint64(o.Decision.Action))
	b = wire.AppendString(b, outcomeRule, o.Decision.Rule)
	b = wire.AppendUint(b, outcomeMode, uint64(o.Decision.Mode))
	b = wire.AppendString(b, outcomeText, o.Decision.Text)
	for _, t := range o.Decision.Thresholds {
		b = wire.AppendRecord(b, outcomeThreshold, func(b []byte) []byte {
			b = wire.AppendUint(b, thresholdAction, uint64(t.Action))
			return wire.AppendFloat(b, thresholdFrom, t.From)
		})
	}
	for _, m := range o.Decision.Matches {
		b = wire.AppendRecord(b, outcomeMatch, func(b []byte) []byte {
			b = wire.AppendString(b, matchRule, m.Rule)
			b = wire.AppendUint(b, matchAction, uint64(m.Action))
			return wire.AppendUint(b, matchMode, uint64(m.Mode))
		})
	}
	b = appendBool(b, outcomeUnited, o.Decision.United)
	for _, name := range o.Decision.Skipped {
		b = wire.AppendString(b, outcomeSkipped, name)
	}
	return b
}

func (o *Outcome) read(b []byte) error {
	return wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case outcomeRecipient:
			o.Recipient = c.String()
		case outcomeVerdict:
			o.Verdict = int(c.Uint())
		case outcomeAction:
			o.Decision.Action = Action(c.Uint())
		case outcomeRule:
			o.Decision.Rule = c.String()
		case outcomeMode:
			o.Decision.Mode = Mode(c.Uint())
		case outcomeText:
			o.Decision.Text = c.String()
		case outcomeThreshold:
			var t Threshold
			err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
				switch tag {
				case thresholdAction:
					t.Action = Action(c.Uint())
				case thresholdFrom:
					t.From = c.Float()
				}
				return nil
			})
			o.Decision.Thresholds = append(o.Decision.Thresholds, t)
			return err
		case outcomeMatch:
			var m Match
			err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
				switch tag {
				case matchRule:
					m.Rule = c.String()
				case matchAction:
					m.Action = Action(c.Uint())
				case matchMode:
					m.Mode = Mode(c.Uint())
				}
				return nil
			})
			o.Decision.Matches = append(o.Decision.Matches, m)
			return err
		case outcomeUnited:
			o.Decision.United = c.Uint() != 0
		case outcomeSkipped:
			o.Decision.Skipped = append(o.Decision.Skipped, c.String())
		}
		return nil
	})
}

func appendBool(b []byte, tag wire.Tag, v bool) []byte {
	if v {
		return wire.AppendUint(b, tag, 1)
	}
	return b
}

func appendAddr(b []byte, tag wire.Tag, a netip.Addr) []byte {
	switch {
	case a.Is4():
		v := a.As4()
		return wire.AppendBytes(b, tag, v[:])
	case a.Is6():
		v := a.As16()
		return wire.AppendBytes(b, tag, v[:])
	}
	return b
}

// The zero time is no time: it is not written. Times are Unix nanoseconds, UTC.
func nanos(t time.Time) int64 {
	if t.IsZero() || t.Year() < 1678 || t.Year() > 2261 {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
