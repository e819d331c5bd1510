package rspamd

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"rempart/gateway"
	"rempart/message"
	"rempart/message/email"
)

// body is the mail of a request: at most max_size bytes of it.
type body struct {
	raw  []byte
	size int // of the whole, as far as it was counted
}

// maxWindow bounds the memory of a decompressor; rspamc's windows are smaller.
const maxWindow = 8 << 20

// read takes the mail from where the request says it is: its body, or on this machine a file or shared memory.
func read(r *http.Request, cfg *settings) (b body, err error) {
	source := io.Reader(r.Body)
	if local, err := openLocal(r); err != nil {
		return b, err
	} else if local != nil {
		defer local.Close()
		source = local
	}
	if compressed(r.Header) {
		d, err := zstd.NewReader(source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return b, fmt.Errorf("decompress: %w", err)
		}
		defer d.Close()
		if b.raw, err = io.ReadAll(io.LimitReader(d, int64(cfg.MaxSize)+1)); err != nil {
			return b, fmt.Errorf("decompress: %w", err)
		}
		b.size = len(b.raw) // what comes behind is not decompressed for being counted
		b.raw = b.raw[:min(len(b.raw), cfg.MaxSize)]
	} else {
		if b.raw, err = gateway.ReadUpTo(source, r.ContentLength, cfg.MaxSize); err != nil {
			return b, fmt.Errorf("read the mail: %w", err)
		}
		rest, err := io.Copy(io.Discard, source) // bounded by the server's timeout
		if err != nil {
			return b, fmt.Errorf("read the mail: %w", err)
		}
		b.size = len(b.raw) + int(rest)
	}
	return b.behindControl(r.Header.Get("Message-Length"))
}

func compressed(h http.Header) bool {
	return strings.EqualFold(h.Get("Compression"), "zstd") || strings.EqualFold(h.Get("Content-Encoding"), "zstd")
}

// behindControl leaves out the control block that stands before a mail whose length is told; headers say all that we need.
func (b body) behindControl(length string) (body, error) {
	if length == "" {
		return b, nil
	}
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n > b.size {
		return b, fmt.Errorf("header Message-Length = %q: the body has %d bytes", length, b.size)
	}
	return body{b.raw[min(b.size-n, len(b.raw)):], n}, nil
}

// message is the mail with what the headers tell of it. What cannot be read of them is left out.
func (b body) message(h http.Header, cfg *settings) *message.Message {
	raw := b.raw
	if yes(h.Get("Raw")) {
		raw = append([]byte("\r\n"), raw...) // no mail but its text: all body
	}
	m := cfg.Mail(raw, b.size+len(raw)-len(b.raw))
	m.Size, m.OneAnswer = b.size, true
	m.QueueID = text(h, "Queue-Id")
	m.MailFrom = strings.Trim(text(h, "From"), "<>")
	m.Helo = text(h, "Helo")
	if name := text(h, "Hostname"); name != "unknown" && !strings.HasPrefix(name, "[") {
		m.Source.Name = strings.ToLower(name)
	}
	if m.Subject == "" {
		m.Subject = text(h, "Subject")
	}
	m.Source.TLS = gateway.TLSVersion(text(h, "TLS-Version"))
	email.Trust(m, cfg.relays, giver(h))
	if user := text(h, "User"); user != "" {
		m.Account, m.Direction, m.Source.Trusted = user, message.Out, true
	}
	m.Recipients = recipients(h)
	return m
}

// giver is who handed the mail to the client, by the header IP; the zero address if that is none.
func giver(h http.Header) netip.Addr {
	a, _ := netip.ParseAddr(strings.Trim(h.Get("IP"), "[]"))
	return a.WithZone("").Unmap()
}

// recipients are those of the Rcpt headers; the only one, or one that stands alone, is the mailbox of Deliver-To.
func recipients(h http.Header) (all []message.Recipient) {
	for _, line := range h.Values("Rcpt") {
		for to := range strings.SplitSeq(line, ">,") {
			to = strings.ToLower(strings.ToValidUTF8(strings.Trim(to, "<> \t"), "\ufffd"))
			if to == "" {
				continue
			}
			all = append(all, gateway.Recipient(to))
		}
	}
	box := strings.ToLower(strings.Trim(text(h, "Deliver-To"), "<>"))
	switch {
	case box == "" || len(all) > 1:
	case len(all) == 0:
		all = []message.Recipient{gateway.Recipient(box)}
	default:
		all[0].User = box
	}
	return all
}

func text(h http.Header, name string) string {
	return strings.ToValidUTF8(strings.TrimSpace(h.Get(name)), "\ufffd")
}

func yes(s string) bool {
	return slices.Contains([]string{"yes", "true", "1"}, strings.ToLower(s))
}

// flag reports whether the header Flags, a list with commas, has the word.
func flag(h http.Header, name string) bool {
	for _, line := range h.Values("Flags") {
		for f := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(f), name) {
				return true
			}
		}
	}
	return false
}

// statusOf is the status under which a request is refused that could not be read.
func statusOf(err error) int {
	if errors.Is(err, errNotLocal) {
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}
