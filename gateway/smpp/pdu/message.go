package pdu

import (
	"bytes"
	"errors"
)

// ErrBody is a body that its command cannot have: cut off, a text longer than the PDU, an optional parameter past its end.
var ErrBody = errors.New("pdu: the body is shorter than it says")

// Address is a number or sender ID with its type of number and numbering plan (5.2.5 to 5.2.9).
type Address struct {
	TON, NPI byte
	Addr     []byte
}

// Alphanumeric is the type of number of a sender ID in letters (5.2.5).
const Alphanumeric = 5

// Message is a view of a PDU that carries a text: submit_sm, deliver_sm, data_sm, submit_multi, replace_sm. Its slices
// point into the PDU.
type Message struct {
	ServiceType        []byte
	Source             Address
	Dest               Address   // the first one of submit_multi; none in replace_sm
	MoreDests          []Address // further ones of submit_multi; a distribution list is an address without type
	ESMClass           byte
	ProtocolID         byte
	Priority           byte
	RegisteredDelivery byte
	DataCoding         byte
	Text               []byte // short_message, or message_payload where that is used
	Payload            []byte // message_payload where both are there, which 3.4 forbids: either may be delivered
	TLVs               TLVs

	sourceAt, sourceEnd int // of the source address with its type, in the PDU
}

// Bits of esm_class (5.2.12).
const (
	UDHI         = 0x40 // the text begins with a user data header
	typeMask     = 0x3C
	typeReceipt  = 0x04 // delivery receipt of the message centre
	typeProgress = 0x20 // intermediate notification
)

// IsReceipt reports whether a deliver_sm tells the fate of an earlier text. Acknowledgements written by the other
// subscriber (types 0x08 and 0x10) are texts like others.
func (m *Message) IsReceipt() bool {
	t := m.ESMClass & typeMask
	return t == typeReceipt || t == typeProgress
}

// CarriesText reports whether [Parse] can look into a command.
func CarriesText(id ID) bool {
	switch id {
	case SubmitSM, DeliverSM, DataSM, SubmitMulti, ReplaceSM:
		return true
	}
	return false
}

// Parse looks into a PDU for which [CarriesText] holds. Fields longer than the specification allows are taken as they
// are: the message centre behind is the judge of that.
func Parse(p PDU) (Message, error) {
	c := cursor{b: p, at: HeaderSize}
	var m Message
	switch p.ID() {
	case DataSM:
		m.ServiceType = c.cString()
		m.source(&c)
		m.Dest = c.address()
		m.ESMClass, m.RegisteredDelivery, m.DataCoding = c.byte(), c.byte(), c.byte()
	case ReplaceSM:
		c.cString() // message_id
		m.source(&c)
		c.cString() // schedule_delivery_time
		c.cString() // validity_period
		m.RegisteredDelivery = c.byte()
		c.byte() // sm_default_msg_id
		m.Text = c.bytes(int(c.byte()))
	case SubmitSM, DeliverSM, SubmitMulti:
		m.ServiceType = c.cString()
		m.source(&c)
		if p.ID() == SubmitMulti {
			m.dests(&c)
		} else {
			m.Dest = c.address()
		}
		m.ESMClass, m.ProtocolID, m.Priority = c.byte(), c.byte(), c.byte()
		c.cString() // schedule_delivery_time
		c.cString() // validity_period
		m.RegisteredDelivery = c.byte()
		c.byte() // replace_if_present_flag
		m.DataCoding = c.byte()
		c.byte() // sm_default_msg_id
		m.Text = c.bytes(int(c.byte()))
	default:
		return Message{}, ErrBody
	}
	if c.short {
		return Message{}, ErrBody
	}
	m.TLVs = TLVs(p[c.at:])
	if !m.TLVs.whole() {
		return Message{}, ErrBody
	}
	if payload, ok := m.TLVs.Get(MessagePayload); ok {
		if len(m.Text) == 0 {
			m.Text = payload
		} else {
			m.Payload = payload
		}
	}
	return m, nil
}

func (m *Message) source(c *cursor) {
	m.sourceAt = c.at
	m.Source = c.address()
	m.sourceEnd = c.at
}

// dests reads submit_multi's list (4.5.1): flag 1 is an address, flag 2 a distribution list.
func (m *Message) dests(c *cursor) {
	for i := range int(c.byte()) {
		var a Address
		switch c.byte() {
		case 1:
			a = c.address()
		case 2:
			a.Addr = c.cString()
		default:
			c.short = true
		}
		if c.short {
			return
		}
		if i == 0 {
			m.Dest = a
		} else {
			m.MoreDests = append(m.MoreDests, a)
		}
	}
}

// AppendWithSource appends p with another source address. m is p's view.
func AppendWithSource(b []byte, p PDU, m *Message, source Address) []byte {
	at := len(b)
	b = append(b, p[:m.sourceAt]...)
	b = appendAddress(b, source)
	b = append(b, p[m.sourceEnd:]...)
	return finish(b, at)
}

// cursor reads fields one after another; past the end it gives empty ones and sets short.
type cursor struct {
	b     []byte
	at    int
	short bool
}

func (c *cursor) byte() byte {
	if c.at >= len(c.b) {
		c.short = true
		return 0
	}
	c.at++
	return c.b[c.at-1]
}

func (c *cursor) bytes(n int) []byte {
	if c.at+n > len(c.b) {
		c.short = true
		return nil
	}
	c.at += n
	return c.b[c.at-n : c.at : c.at]
}

func (c *cursor) cString() []byte {
	n := bytes.IndexByte(c.b[c.at:], 0)
	if n < 0 {
		c.short = true
		return nil
	}
	s := c.b[c.at : c.at+n : c.at+n]
	c.at += n + 1
	return s
}

func (c *cursor) address() Address {
	return Address{TON: c.byte(), NPI: c.byte(), Addr: c.cString()}
}
