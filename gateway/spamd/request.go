package spamd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"rempart/catalogue"
	"rempart/message"
)

// request is what a client asks, without the mail.
type request struct {
	command string
	version version
	user    string // the mailbox, as the client names it
	length  int64  // of the mail as it is sent; -1: it ends with what the client sends
	zlib    bool
	class   message.Label // Message-class; Forget if there is none
	set     targets
	remove  targets
}

// targets of TELL: what this node holds, and what others would be told of.
type targets struct{ local, remote bool }

// version is the client's, 105 for 1.5.
type version int

// What changed in the protocol.
const (
	version10 version = 100 // no header fields
	version12 version = 102 // Content-length in the answer to PROCESS and HEADERS
	version13 version = 103 // Content-length and Spam in all answers that have a body
	version15 version = 105 // PING and SKIP have a header section
)

var commands = []string{"CHECK", "SYMBOLS", "REPORT", "REPORT_IFSPAM", "HEADERS", "PROCESS", "TELL", "PING", "SKIP"}

// Bounds of what stands before a mail; spamd's own number of fields.
const (
	maxLine   = 8 << 10
	maxFields = 256
)

// readRequest reads the command line and the header fields. io.EOF means that the client sent nothing.
func readRequest(in *bufio.Reader) (r request, err error) {
	r.length = -1
	line, err := readLine(in)
	if err != nil {
		return r, err
	}
	command, v, ok := strings.Cut(line, " SPAMC/")
	r.command = command
	if r.version, err = parseVersion(v); err != nil || !ok || !slices.Contains(commands, command) {
		return r, refuse(statusProtocol, "%s", catalogue.Seen(strings.ToValidUTF8(line, "\ufffd")))
	}
	answeredAtOnce := r.command == "PING" || r.command == "SKIP"
	if r.version <= version10 || answeredAtOnce && r.version < version15 {
		return r, nil
	}
	for range maxFields {
		line, err := readLine(in)
		if err == io.EOF {
			return r, refuse(statusProtocol, "(EOF during headers)")
		}
		if err != nil || line == "" {
			return r, err
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return r, refuse(statusProtocol, "(header not in 'Name: value' format)")
		}
		if err := r.field(strings.ToLower(name), strings.TrimSpace(value)); err != nil {
			return r, err
		}
	}
	return r, refuse(statusProtocol, "(too many headers)")
}

func (r *request) field(name, value string) error {
	switch name {
	case "content-length":
		n, err := strconv.ParseUint(value, 10, 62)
		if err != nil {
			return refuse(statusProtocol, "(Content-Length contains non-numeric bytes)")
		}
		r.length = int64(n)
	case "user":
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			return refuse(statusProtocol, "(User header contains control chars)")
		}
		r.user = strings.ToLower(strings.ToValidUTF8(value, "\ufffd"))
	case "compress":
		if !strings.EqualFold(value, "zlib") {
			return refuse(statusProtocol, "(compression type not supported: %s)", catalogue.Seen(strings.ToValidUTF8(value, "\ufffd")))
		}
		r.zlib = true
	case "message-class":
		if err := r.class.UnmarshalText([]byte(strings.ToLower(value))); err != nil || r.class != message.Ham && r.class != message.Spam {
			return refuse(statusProtocol, "(Message-class header contains invalid class)")
		}
	case "set":
		r.set = parseTargets(value)
	case "remove":
		r.remove = parseTargets(value)
	}
	return nil // others are of a newer version, or a plugin's
}

func parseTargets(value string) targets {
	value = strings.ToLower(value)
	return targets{strings.Contains(value, "local"), strings.Contains(value, "remote")}
}

func parseVersion(s string) (version, error) {
	major, minor, _ := strings.Cut(s, ".")
	a, err := strconv.ParseUint(major, 10, 8)
	if err != nil || a == 0 {
		return 0, errors.New("no version of the protocol")
	}
	b, err := strconv.ParseUint(minor, 10, 8)
	return version(a)*100 + min(version(b), 99), err
}

// readLine reads a line without its end, which is LF or CR LF.
func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	switch {
	case err == nil:
		return string(bytes.TrimSuffix(line[:len(line)-1], []byte{'\r'})), nil
	case errors.Is(err, bufio.ErrBufferFull):
		return "", refuse(statusProtocol, "(line longer than %d bytes)", in.Size())
	case err == io.EOF && len(line) > 0:
		return "", refuse(statusProtocol, "(EOF within a line)")
	}
	return "", readError(err, "the request")
}

// readError is what a client is told that did not send all; io.EOF stays what it is.
func readError(err error, what string) error {
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(statusTimeout, "(%s did not come in time)", what)
	}
	return refuse(statusIO, "(reading %s: %v)", what, err)
}
