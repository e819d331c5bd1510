package spamd

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"os"

	"rempart/gateway"
)

// body is the mail of a request: at most max_size bytes of it.
type body struct {
	raw  []byte
	size int // of the whole, as far as it was counted
}

// cut reports whether not all of the mail was kept.
func (b body) cut() bool { return b.size > len(b.raw) }

// readBody reads the mail: as many bytes as the client said, or all that it sends.
func readBody(in *bufio.Reader, r *request, maxSize int) (b body, err error) {
	source := io.Reader(in)
	if r.length >= 0 {
		source = io.LimitReader(in, r.length)
	}
	counted := &counter{Reader: source}
	if r.zlib {
		if r.length < 0 {
			return b, refuse(statusUnavailable, "Compress requires Content-length header")
		}
		b, err = inflate(counted, maxSize)
	} else {
		b.raw, err = gateway.ReadUpTo(counted, r.length, maxSize)
	}
	var refused *refusal
	if errors.As(err, &refused) {
		return b, err
	}
	if err == nil {
		_, err = io.Copy(io.Discard, counted) // what is not kept; bounded by the deadline
	}
	if err != nil {
		return b, readError(err, "the mail")
	}
	if !r.zlib {
		b.size = int(counted.n)
	}
	// A client that sends more than it said is known by what came along. spamd reads whole lines: what follows one is no matter.
	more := int64(in.Buffered())
	tooMuch := more > 0 && !r.zlib && !b.cut() && !bytes.HasSuffix(b.raw, []byte{'\n'})
	if r.length >= 0 && (counted.n < r.length || tooMuch) {
		return b, refuse(statusProtocol, "(Content-Length mismatch: Expected %d bytes, got %d bytes)", r.length, counted.n+more)
	}
	return b, nil
}

// inflate decompresses up to maxSize bytes; what comes behind is not decompressed for being counted.
func inflate(source *counter, maxSize int) (b body, err error) {
	z, err := zlib.NewReader(source)
	if err == nil {
		b.raw, err = io.ReadAll(io.LimitReader(z, int64(maxSize)+1))
	}
	if errors.Is(source.err, os.ErrDeadlineExceeded) {
		return b, source.err
	}
	if err != nil {
		return b, refuse(statusData, "(zlib: %v)", err)
	}
	b.size = len(b.raw)
	b.raw = b.raw[:min(len(b.raw), maxSize)]
	return b, nil
}

// counter counts what was read, and keeps the error of the connection apart from that of what came over it.
type counter struct {
	io.Reader
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}
