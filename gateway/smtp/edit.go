package smtp

import (
	"bytes"
	"mime"
	"strings"

	"rempart/gateway"
	"rempart/message"
)

// edit is what is changed of a mail that goes on.
type edit struct {
	clean   bool           // headers go by which a sender would speak in our name
	action  message.Action // that headers of ours name; 0 if there are none
	verdict *message.Verdict
	united  bool
	sign    bool // as the operator's keys say
}

// apply makes the mail as the next hop gets it, in pieces that are views of raw where nothing changes.
func (e edit) apply(raw []byte, msg *message.Message, cfg *settings, sign gateway.Sign) [][]byte {
	envelope, raw := cutEnvelope(raw)
	subject := ""
	if e.action == message.Rewrite {
		subject = marked(cfg.RewriteSubject)
	}
	kept, replaced := [][]byte{raw}, []gateway.HeaderField(nil)
	if e.clean || subject != "" {
		kept, replaced, subject = header(raw, e.clean, subject)
	}
	if subject != "" { // there was none
		subject = strings.TrimSpace(subject)
		replaced = []gateway.HeaderField{{Name: "Subject", Value: subject}}
	}
	// The one place where fields are put before all others.
	var top []byte
	if e.sign {
		for _, f := range sign(msg, replaced...) {
			top = append(top, f.Name+": "+f.Value+"\r\n"...)
		}
	}
	if e.action != 0 {
		for _, f := range gateway.Mark(msg, e.verdict, e.action, e.united) {
			top = append(top, f.Name+": "+f.Value+"\r\n"...)
		}
	}
	if subject != "" {
		top = append(top, "Subject: "+subject+"\r\n"...)
	}
	if len(top) > 0 && !beginsWithHeader(raw) {
		top = append(top, "\r\n"...)
	}
	if len(raw) > 0 && raw[len(raw)-1] != '\n' { // BDAT can end so, DATA cannot
		kept = append(kept, crlf)
	}
	return append([][]byte{envelope, top}, kept...)
}

// cutEnvelope takes the line off with which a mail in an mbox begins: some send it along, and what we put on top stands behind it.
func cutEnvelope(raw []byte) (envelope, rest []byte) {
	if !bytes.HasPrefix(raw, []byte("From ")) {
		return nil, raw
	}
	end := bytes.IndexByte(raw, '\n') + 1
	return raw[:end], raw[end:]
}

// marked is what stands before a subject, as a header may have it.
func marked(s string) string {
	if ascii(s) == s {
		return s
	}
	return mime.QEncoding.Encode("utf-8", strings.TrimRight(s, " ")) + " "
}

// header takes forged fields out and puts text before the subject, which replaced then has as it is now; left is the text if there is
// no subject.
func header(raw []byte, clean bool, text string) (pieces [][]byte, replaced []gateway.HeaderField, left string) {
	from := 0 // what is kept since the last change
	for at := 0; at < len(raw); {
		end := fieldEnd(raw, at)
		field := raw[at:end]
		colon := bytes.IndexByte(field, ':')
		if len(bytes.TrimRight(field, "\r\n")) == 0 {
			break
		}
		if colon >= 0 {
			name := string(bytes.TrimRight(field[:colon], " \t"))
			switch {
			case clean && gateway.IsOurs(name):
				pieces = append(pieces, raw[from:at])
				from = end
			case text != "" && strings.EqualFold(name, "Subject"):
				pieces = append(pieces, raw[from:at+colon+1], []byte(" "+text))
				from = at + colon + 1
				for from < end && (raw[from] == ' ' || raw[from] == '\t') {
					from++
				}
				replaced = []gateway.HeaderField{{Name: "Subject", Value: text + strings.TrimRight(string(raw[from:end]), "\r\n")}}
				text = ""
			}
		}
		at = end
	}
	return append(pieces, raw[from:]), replaced, text
}

// fieldEnd is where the field at i ends, with its folds and the last line's end.
func fieldEnd(raw []byte, i int) int {
	for {
		n := bytes.IndexByte(raw[i:], '\n')
		if n < 0 {
			return len(raw)
		}
		empty := n == 0 || n == 1 && raw[i] == '\r'
		i += n + 1
		if empty || i >= len(raw) || raw[i] != ' ' && raw[i] != '\t' {
			return i
		}
	}
}

// beginsWithHeader reports whether the first line is a header field, or the empty line that ends a header without any. A mail
// can be all body.
func beginsWithHeader(raw []byte) bool {
	line, _, _ := bytes.Cut(raw, crlf)
	name, _, colon := bytes.Cut(line, []byte{':'})
	name = bytes.TrimRight(name, " \t")
	return len(line) == 0 || colon && len(name) > 0 && !bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
