package call

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"rempart/message"
)

// JSON is a call as the API and files carry it. Only From and To are needed.
type JSON struct {
	ID        string    `json:"id,omitempty"`
	CallID    string    `json:"call_id,omitempty"`
	From      string    `json:"from"`           // number that the called one sees, or a SIP URI
	Name      string    `json:"name,omitempty"` // displayed
	To        string    `json:"to"`
	Asserted  string    `json:"asserted,omitempty"` // number of P-Asserted-Identity
	Diverted  string    `json:"diverted,omitempty"` // who passed the call on
	UserAgent string    `json:"user_agent,omitempty"`
	Identity  []string  `json:"identity,omitempty"` // values of Identity fields
	Client    string    `json:"client,omitempty"`   // address of who handed it over
	Time      time.Time `json:"time,omitzero"`
}

// Message makes the message of j. The error says which member cannot be read.
func (j JSON) Message() (*message.Message, error) {
	if j.From == "" && j.Asserted == "" || j.To == "" {
		return nil, fmt.Errorf(`read call: "from" and "to" are needed`)
	}
	m := New(j.From, j.To, j.Name, j.Time)
	m.ID, m.MessageID = j.ID, text(j.CallID, maxMessageID)
	m.Call.UserAgent = text(j.UserAgent, maxUserAgent)
	m.Call.Asserted, m.Call.Diverted = number(j.Asserted), number(j.Diverted)
	for _, v := range j.Identity {
		if len(m.Call.Identity) == maxIdentity {
			note(m, CutIdentity)
			break
		}
		p, ok := ReadIdentity(v)
		if !ok {
			note(m, IdentityBad)
		}
		m.Call.Identity = append(m.Call.Identity, p)
	}
	if j.Client != "" {
		addr, err := netip.ParseAddr(strings.Trim(j.Client, "[]"))
		if err != nil {
			return nil, fmt.Errorf("read call: client %q is no address: send one like 192.0.2.7", j.Client)
		}
		m.Source.Address = addr.Unmap()
	}
	return m, nil
}

func number(s string) string {
	if s == "" {
		return ""
	}
	return New(s, "", "", time.Time{}).Source.ID
}

// ParseJSON reads one object of [JSON]; members it does not know are passed over. The error says what is wrong with b.
func ParseJSON(b []byte) (*message.Message, error) {
	var j JSON
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, fmt.Errorf("read call: %w", err)
	}
	return j.Message()
}

// Record is a call-detail record as the API and files carry it.
type Record struct {
	CallID   string        `json:"call_id,omitempty"`
	Caller   string        `json:"caller"`
	Callee   string        `json:"callee"`
	Begun    time.Time     `json:"begun"`
	Answered bool          `json:"answered,omitempty"`
	Duration float64       `json:"duration,omitempty"` // seconds from the answer to the end
	HungUp   message.Party `json:"hung_up,omitempty"`  // caller, callee or unknown
}

// maxDuration is how long a record may say that a call took, in seconds.
const maxDuration = 31 * 24 * 60 * 60

// Message makes the record of r. The error says which member cannot be.
func (r Record) Message() (message.CallRecord, error) {
	switch {
	case r.Caller == "" || r.Callee == "":
		return message.CallRecord{}, fmt.Errorf(`read call record: "caller" and "callee" are needed`)
	case r.Begun.IsZero():
		return message.CallRecord{}, fmt.Errorf(`read call record: "begun" is needed, as 2006-01-02T15:04:05Z`)
	case r.Duration < 0 || r.Duration > maxDuration:
		return message.CallRecord{}, fmt.Errorf("read call record: duration %g: use seconds, 0 to %d", r.Duration, maxDuration)
	case !r.Answered && r.Duration > 0:
		return message.CallRecord{}, fmt.Errorf("read call record: a call of %g seconds that was not answered", r.Duration)
	}
	return message.CallRecord{
		CallID: text(r.CallID, maxMessageID), Caller: number(r.Caller), Callee: number(r.Callee), Begun: r.Begun, Answered: r.Answered,
		Duration: time.Duration(r.Duration * float64(time.Second)), HungUp: r.HungUp,
	}, nil
}
