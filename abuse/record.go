package abuse

import "rempart/wire"

// A record of stream Cases is one version byte and these fields (package wire). Later builds add kinds and tags; an unknown kind is
// skipped.
const recordVersion = 1

const (
	tagKind      wire.Tag = 1
	tagCase      wire.Tag = 2
	tagWho       wire.Tag = 3
	tagText      wire.Tag = 4
	tagTenant    wire.Tag = 5
	tagAccount   wire.Tag = 6
	tagSource    wire.Tag = 7
	tagType      wire.Tag = 8
	tagReporter  wire.Tag = 9
	tagVerified  wire.Tag = 10
	tagRecipient wire.Tag = 11
	tagFrom      wire.Tag = 12
	tagMessageID wire.Tag = 13
	tagEventID   wire.Tag = 14
	tagIncidents wire.Tag = 15
)

type kind uint8

const (
	kindComplaint kind = iota + 1 // the fields from tenant on
	kindNoted                     // case, who, text
	kindAnswered                  // case, who, text
	kindClosed                    // case, who, text
)

func kindOf(w What) kind {
	switch w {
	case Answered:
		return kindAnswered
	case Closed:
		return kindClosed
	}
	return kindNoted
}

// what is the kind of note; empty if it is none.
func (k kind) what() What {
	switch k {
	case kindNoted:
		return Noted
	case kindAnswered:
		return Answered
	case kindClosed:
		return Closed
	}
	return ""
}

type record struct {
	kind      kind
	caseID    string
	who, text string
	complaint Complaint
}

// texts are the fields of a complaint that are text.
func (c *Complaint) texts() map[wire.Tag]*string {
	return map[wire.Tag]*string{tagTenant: &c.Tenant, tagAccount: &c.Account, tagSource: &c.Source, tagType: &c.Type, tagReporter: &c.Reporter,
		tagVerified: &c.Verified, tagRecipient: &c.Recipient, tagFrom: &c.From, tagMessageID: &c.MessageID, tagEventID: &c.EventID}
}

func (r record) marshal() []byte {
	b := wire.AppendUint([]byte{recordVersion}, tagKind, uint64(r.kind))
	b = wire.AppendString(b, tagCase, r.caseID)
	b = wire.AppendString(b, tagWho, r.who)
	b = wire.AppendString(b, tagText, r.text)
	texts := r.complaint.texts()
	for tag := tagTenant; tag < tagIncidents; tag++ {
		b = wire.AppendString(b, tag, clip(*texts[tag], maxField))
	}
	return wire.AppendUint(b, tagIncidents, r.complaint.Incidents)
}

func unmarshal(b []byte) (r record, err error) {
	if len(b) == 0 || b[0] != recordVersion {
		return r, wire.ErrVersion
	}
	texts := r.complaint.texts()
	err = wire.Fields(b[1:], func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case tagKind:
			r.kind = kind(c.Uint())
		case tagCase:
			r.caseID = c.String()
		case tagWho:
			r.who = c.String()
		case tagText:
			r.text = c.String()
		case tagIncidents:
			r.complaint.Incidents = min(c.Uint(), 1<<32)
		default:
			if s := texts[tag]; s != nil {
				*s = c.String()
			}
		}
		return nil
	})
	return r, err
}
