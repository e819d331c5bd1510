package clamav

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// reply is what clamd says of a stream; with neither it could not scan it, and says so.
type reply struct {
	clean bool
	found string // the name of what it found
}

const (
	maxReply = 1 << 10
	maxName  = 100
	maxChunk = 64 << 10
)

// scan sends one mail by INSTREAM and reads what clamd says of it. Each has a connection of its own: clamd closes it after one command,
// and one that is kept open would be found dead after every restart. An error means that clamd did not answer as one; errLate, that it
// took the connection and time ran out.
func (s *Scanner) scan(ctx context.Context, mail []byte) (reply, error) {
	conn, err := new(net.Dialer).DialContext(ctx, s.network, s.address)
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	sent := send(conn, mail)
	b, err := io.ReadAll(io.LimitReader(conn, maxReply))
	r, parseErr := parseReply(b)
	switch {
	case parseErr == nil:
		return r, nil // also if it would not hear the end: the stream is too long for it
	case ctx.Err() != nil:
		return reply{}, errLate
	case sent != nil:
		return reply{}, fmt.Errorf("send mail to clamd: %w", sent)
	case err != nil:
		return reply{}, fmt.Errorf("read from clamd: %w", err)
	}
	return reply{}, parseErr
}

// errLate may be the mail's fault: an archive can take longer than its budget.
var errLate = errors.New("clamd did not answer in time")

// ping asks clamd whether it is there (PING, clamd(8)). It does not wait for scans that are at work.
func (s *Scanner) ping(ctx context.Context) bool {
	conn, err := new(net.Dialer).DialContext(ctx, s.network, s.address)
	if err != nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := io.WriteString(conn, "zPING\x00"); err != nil {
		return false
	}
	answer := make([]byte, len(pong))
	_, err = io.ReadFull(conn, answer)
	return err == nil && string(answer) == pong
}

const pong = "PONG\x00"

// send writes the command, the mail in chunks, each after its length, and the chunk of no length that ends it.
func send(w io.Writer, mail []byte) error {
	if _, err := io.WriteString(w, "zINSTREAM\x00"); err != nil {
		return err
	}
	for {
		chunk := mail[:min(len(mail), maxChunk)]
		buffers := net.Buffers{binary.BigEndian.AppendUint32(nil, uint32(len(chunk))), chunk}
		if _, err := buffers.WriteTo(w); err != nil {
			return err
		}
		if len(chunk) == 0 {
			return nil
		}
		mail = mail[len(chunk):]
	}
}

// errReply is something else than an answer of clamd's.
var errReply = errors.New("clamd gave no answer that can be read")

// parseReply reads "stream: OK", "stream: NAME FOUND" or "… ERROR", each with the NUL that ends it.
func parseReply(b []byte) (reply, error) {
	line, ended := bytes.CutSuffix(b, []byte{0})
	if !ended {
		return reply{}, errReply
	}
	text, streamed := strings.CutPrefix(string(line), "stream: ")
	if streamed && text == "OK" {
		return reply{clean: true}, nil
	}
	if name, ok := strings.CutSuffix(text, " FOUND"); ok && streamed && name != "" {
		return reply{found: printable(name)}, nil
	}
	if strings.HasSuffix(text, " ERROR") {
		return reply{}, nil
	}
	return reply{}, errReply
}

// printable is a name as it may stand in a verdict and in the answer to the sender.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '?'
		}
		return r
	}, name[:min(len(name), maxName)])
}
