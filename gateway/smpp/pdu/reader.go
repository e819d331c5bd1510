package pdu

import (
	"encoding/binary"
	"errors"
	"io"
)

// ErrLength is a command_length that no PDU can have. The stream cannot be read any further: where the next PDU begins
// is not known.
var ErrLength = errors.New("pdu: command_length is below 16 or above the cap")

// Reader frames a stream into PDUs. Its buffer grows to the largest PDU met, at most [MaxSize].
type Reader struct {
	r          io.Reader
	buf        []byte
	start, end int
}

// readerSize holds about twenty texts, so that a busy bind costs one system call for many.
const readerSize = 4 << 10

// NewReader reads from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r, buf: make([]byte, readerSize)} }

// Next returns the next PDU. Its bytes are valid until the next call. After an error of the underlying reader that may
// pass (a deadline), Next can be called again and goes on where it was. The end of the stream inside a PDU is
// io.ErrUnexpectedEOF.
func (r *Reader) Next() (PDU, error) {
	if err := r.fill(4); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(r.buf[r.start:])
	if n < HeaderSize || n > MaxSize {
		return nil, ErrLength
	}
	if err := r.fill(int(n)); err != nil {
		return nil, err
	}
	p := PDU(r.buf[r.start : r.start+int(n) : r.start+int(n)])
	r.start += int(n)
	return p, nil
}

// Buffered reports whether a read ahead is waiting, so that a writer may wait with flushing.
func (r *Reader) Buffered() bool { return r.end > r.start }

// fill makes at least n bytes available from start.
func (r *Reader) fill(n int) error {
	if r.end-r.start >= n {
		return nil
	}
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	if n > len(r.buf) {
		grown := make([]byte, n)
		copy(grown, r.buf[:r.end])
		r.buf = grown
	}
	for r.end < n {
		m, err := r.r.Read(r.buf[r.end:])
		r.end += m
		if r.end >= n {
			return nil
		}
		if err == io.EOF && r.end > 0 {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	return nil
}
