package pdu

import (
	"encoding/binary"
	"iter"
)

// Tag is an optional parameter's tag (5.3.2).
type Tag uint16

// Optional parameters that a text can arrive in or be cut up by.
const (
	ReceiptedMessageID Tag = 0x001E
	SARReference       Tag = 0x020C // sar_msg_ref_num, 2 bytes
	SARTotal           Tag = 0x020E // sar_total_segments, 1 byte
	SARPart            Tag = 0x020F // sar_segment_seqnum, 1 byte
	MessagePayload     Tag = 0x0424
)

// TLVs are the optional parameters at the end of a PDU, as bytes (3.2.4.1).
type TLVs []byte

// All yields the parameters in order, up to the first that does not fit.
func (t TLVs) All() iter.Seq2[Tag, []byte] {
	return func(yield func(Tag, []byte) bool) {
		for len(t) >= 4 {
			n := 4 + int(binary.BigEndian.Uint16(t[2:]))
			if n > len(t) || !yield(Tag(binary.BigEndian.Uint16(t)), t[4:n:n]) {
				return
			}
			t = t[n:]
		}
	}
}

// Get returns the first parameter of that tag.
func (t TLVs) Get(tag Tag) (value []byte, ok bool) {
	for have, v := range t.All() {
		if have == tag {
			return v, true
		}
	}
	return nil, false
}

// whole reports whether the parameters end where the PDU ends.
func (t TLVs) whole() bool {
	used := 0
	for _, v := range t.All() {
		used += 4 + len(v)
	}
	return used == len(t)
}

// AppendTLV appends one parameter; a value above 65535 bytes is cut.
func AppendTLV(b []byte, tag Tag, value []byte) []byte {
	value = value[:min(len(value), 0xFFFF)]
	b = binary.BigEndian.AppendUint16(b, uint16(tag))
	b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}
