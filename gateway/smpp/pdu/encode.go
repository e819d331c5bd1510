package pdu

import (
	"bytes"
	"encoding/binary"
)

// AppendHeader appends a PDU without a body: enquire_link, unbind, generic_nack, their responses, and any response that
// reports an error.
func AppendHeader(b []byte, id ID, status Status, seq uint32) []byte {
	b = binary.BigEndian.AppendUint32(b, HeaderSize)
	b = binary.BigEndian.AppendUint32(b, uint32(id))
	b = binary.BigEndian.AppendUint32(b, uint32(status))
	return binary.BigEndian.AppendUint32(b, seq)
}

// AppendResp appends a successful response to id with its one string: message_id (4.4.2) or system_id (4.1.2).
func AppendResp(b []byte, id ID, seq uint32, s string) []byte {
	at := len(b)
	b = AppendHeader(b, id.Resp(), OK, seq)
	switch id {
	case ReplaceSM:
		return b
	case SubmitMulti:
		return finish(append(appendCString(b, s), 0), at) // no_unsuccess
	}
	return finish(appendCString(b, s), at)
}

// Bind is what a bind request says (4.1.1).
type Bind struct {
	SystemID     string
	Password     string
	SystemType   string
	Version      byte // interface_version; 0x34
	TON, NPI     byte
	AddressRange string
}

// AppendBind appends a bind request; id is one of the three.
func AppendBind(b []byte, id ID, seq uint32, bind Bind) []byte {
	at := len(b)
	b = AppendHeader(b, id, OK, seq)
	b = appendCString(b, bind.SystemID)
	b = appendCString(b, bind.Password)
	b = appendCString(b, bind.SystemType)
	b = append(b, bind.Version, bind.TON, bind.NPI)
	return finish(appendCString(b, bind.AddressRange), at)
}

// ParseBind reads a bind request.
func ParseBind(p PDU) (Bind, error) {
	c := cursor{b: p, at: HeaderSize}
	var b Bind
	b.SystemID, b.Password, b.SystemType = string(c.cString()), string(c.cString()), string(c.cString())
	b.Version, b.TON, b.NPI = c.byte(), c.byte(), c.byte()
	b.AddressRange = string(c.cString())
	if c.short {
		return Bind{}, ErrBody
	}
	return b, nil
}

// AppendMessage appends submit_sm, deliver_sm or data_sm with m's fields. Of data_sm the text goes into message_payload,
// as it does when it is longer than 254 bytes.
func AppendMessage(b []byte, id ID, seq uint32, m *Message) []byte {
	at := len(b)
	b = AppendHeader(b, id, OK, seq)
	b = appendCString(b, m.ServiceType)
	b = appendAddress(b, m.Source)
	b = appendAddress(b, m.Dest)
	text, payload := m.Text, []byte(nil)
	if len(text) > 254 || id == DataSM {
		text, payload = nil, text
	}
	if id == DataSM {
		b = append(b, m.ESMClass, m.RegisteredDelivery, m.DataCoding)
	} else {
		b = append(b, m.ESMClass, m.ProtocolID, m.Priority)
		b = append(b, 0, 0) // schedule_delivery_time, validity_period
		b = append(b, m.RegisteredDelivery, 0, m.DataCoding, 0, byte(len(text)))
		b = append(b, text...)
	}
	b = append(b, m.TLVs...)
	if payload != nil {
		b = AppendTLV(b, MessagePayload, payload)
	}
	return finish(b, at)
}

// finish writes the length of the PDU that begins at b[at:].
func finish(b []byte, at int) []byte {
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at))
	return b
}

func appendAddress(b []byte, a Address) []byte {
	return appendCString(append(b, a.TON, a.NPI), a.Addr)
}

// appendCString ends s at its first zero byte.
func appendCString[S string | []byte](b []byte, s S) []byte {
	v := []byte(s)
	if i := bytes.IndexByte(v, 0); i >= 0 {
		v = v[:i]
	}
	return append(append(b, v...), 0)
}
