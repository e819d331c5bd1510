// Package wire is the byte format of everything Rempart stores or exchanges in binary: events, lessons, tallies.
//
// A record is one version byte followed by fields. A field is a tag (unsigned varint), the length of its content
// (unsigned varint) and the content; content is raw bytes, one varint, or again fields. A reader skips tags it does
// not know and keeps what it read before damage, so that an older build reads a newer record. Tags are never reused.
// docs/formats.md lists the tags of each record.
package wire

import (
	"encoding/binary"
	"errors"
	"math"
)

// Errors of a damaged record.
var (
	ErrShort   = errors.New("wire: record ends inside a field")
	ErrVersion = errors.New("wire: unknown record version")
)

// A Tag names a field within its record; 0 is never used.
type Tag uint64

// AppendBytes appends a field of raw bytes. Nothing is appended for empty content: absent and empty are the same.
func AppendBytes(b []byte, tag Tag, content []byte) []byte {
	if len(content) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(tag))
	b = binary.AppendUvarint(b, uint64(len(content)))
	return append(b, content...)
}

// AppendString is [AppendBytes] for a string.
func AppendString(b []byte, tag Tag, s string) []byte {
	if s == "" {
		return b
	}
	b = binary.AppendUvarint(b, uint64(tag))
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// AppendUint appends an unsigned number; 0 is not written.
func AppendUint(b []byte, tag Tag, v uint64) []byte {
	if v == 0 {
		return b
	}
	var n [binary.MaxVarintLen64]byte
	return AppendBytes(b, tag, n[:binary.PutUvarint(n[:], v)])
}

// AppendInt appends a signed number (zigzag); 0 is not written.
func AppendInt(b []byte, tag Tag, v int64) []byte {
	return AppendUint(b, tag, zigzag(v))
}

// AppendFloat appends the IEEE 754 bits of v, so that it reads back exactly; 0 is not written.
func AppendFloat(b []byte, tag Tag, v float64) []byte {
	if v == 0 {
		return b
	}
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], math.Float64bits(v))
	return AppendBytes(b, tag, n[:])
}

// AppendRecord appends the fields that write appends as one nested field. It is written even when it is empty, so that
// a list keeps its length. write must only append.
func AppendRecord(b []byte, tag Tag, write func([]byte) []byte) []byte {
	b = binary.AppendUvarint(b, uint64(tag))
	start := len(b)
	b = write(append(b, 0)) // one byte for the length is enough for most records; the rest move up
	size := len(b) - start - 1
	if size < 0x80 {
		b[start] = byte(size)
		return b
	}
	var n [binary.MaxVarintLen64]byte
	width := binary.PutUvarint(n[:], uint64(size))
	b = append(b, n[:width-1]...)
	copy(b[start+width:], b[start+1:start+1+size])
	copy(b[start:], n[:width])
	return b
}

// Fields calls visit for each field of b in order and stops at the first error, visit's own or [ErrShort].
func Fields(b []byte, visit func(tag Tag, content Content) error) error {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return ErrShort
		}
		b = b[n:]
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return ErrShort
		}
		content := b[n : n+int(size)]
		b = b[n+int(size):]
		if err := visit(Tag(tag), content); err != nil {
			return err
		}
	}
	return nil
}

// Content is what a field holds; it shares memory with the record.
type Content []byte

// Uint reads an unsigned number; damaged content is 0.
func (c Content) Uint() uint64 {
	v, n := binary.Uvarint(c)
	if n <= 0 {
		return 0
	}
	return v
}

// Int reads a signed number; damaged content is 0.
func (c Content) Int() int64 { return unzigzag(c.Uint()) }

// Float reads what [AppendFloat] wrote; damaged content is 0.
func (c Content) Float() float64 {
	if len(c) != 8 {
		return 0
	}
	return math.Float64frombits(binary.BigEndian.Uint64(c))
}

// String copies the content.
func (c Content) String() string { return string(c) }

func zigzag(v int64) uint64   { return uint64(v)<<1 ^ uint64(v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }
