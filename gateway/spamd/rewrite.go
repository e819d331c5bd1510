package spamd

import (
	"bytes"
	"fmt"
	"mime"
	"slices"
	"strings"

	"rempart/gateway"
	"rempart/message"
	"rempart/message/email"
)

// rewrite gives a mail back, or its header section alone, as SpamAssassin does: with the verdict in X-Spam fields on top, and
// without those by which a sender would speak in our name. Of the rest not a byte changes. In shadow and tap nothing does.
func (f *Spamd) rewrite(b body, s *result, headerOnly bool, cfg *settings) ([][]byte, error) {
	top, header, rest, complete := email.Split(b.raw)
	switch {
	case b.cut() && (!headerOnly || !complete):
		return nil, refuse(statusData, "(a mail of more than %d bytes is not given back: max_size)", cfg.MaxSize)
	case headerOnly:
		rest = rest[:bytes.IndexByte(rest, '\n')+1] // the empty line
	}
	if s.decision.Mode != message.ModeJudge {
		return [][]byte{top, bytes.Join(header, nil), rest}, nil
	}
	kept := slices.DeleteFunc(header, forged)
	subject := ""
	if s.decision.Action == message.Rewrite {
		kept, subject = withSubject(kept, cfg.RewriteSubject)
	}
	end := lineEnd(b.raw)
	return [][]byte{top, []byte(strings.ReplaceAll(f.fields(s)+subject, "\n", end)), bytes.Join(kept, nil), rest}, nil
}

// fields are those that a mail gets, each with LF.
func (f *Spamd) fields(s *result) string {
	var b strings.Builder
	yes := "No"
	fmt.Fprintf(&b, "X-Spam-Checker-Version: Rempart on %s\n", f.name)
	if s.spam() {
		yes = "Yes"
		b.WriteString("X-Spam-Flag: YES\n")
	}
	fmt.Fprintf(&b, "X-Spam-Level: %s\n", strings.Repeat("*", int(min(max(s.score, 0)/scale.PerScore, maxStars))))
	fmt.Fprintf(&b, "X-Spam-Status: %s, score=%.1f required=%.1f tests=%s\n", yes, scale.Score(s.score), scale.Score(scale.Mark), folded(s.tests()))
	if s.spam() {
		for _, h := range gateway.Mark(s.mail, s.verdict, s.decision.Action, s.decision.United) {
			fmt.Fprintf(&b, "%s: %s\n", h.Name, h.Value)
		}
	}
	return b.String()
}

// maxStars are as many as SpamAssassin writes.
const maxStars = 50

// folded is a list of tests as a field's value, on lines of at most 78 characters where names allow it.
func folded(tests []string) string {
	if len(tests) == 0 {
		return "none"
	}
	var b strings.Builder
	at := len("X-Spam-Status: Yes, score=15.0 required=5.0 tests=")
	for i, name := range tests {
		if i > 0 {
			b.WriteByte(',')
			at++
		}
		if i > 0 && at+len(name) >= 78 {
			b.WriteString("\n\t")
			at = 8
		}
		b.WriteString(name)
		at += len(name)
	}
	return b.String()
}

// forged reports whether a field would speak in our name, or in that of a SpamAssassin before us.
func forged(field []byte) bool {
	name := email.FieldName(field)
	return len(name) >= 7 && strings.EqualFold(name[:7], "X-Spam-") ||
		gateway.IsOurs(name)
}

// withSubject puts text before the subject; a mail without one gets the field that is returned.
func withSubject(header [][]byte, text string) (changed [][]byte, added string) {
	words := strings.TrimRight(mime.QEncoding.Encode("utf-8", text), " ")
	i := slices.IndexFunc(header, func(field []byte) bool { return strings.EqualFold(email.FieldName(field), "Subject") })
	if i < 0 {
		return header, "Subject: " + words + "\n"
	}
	name, value, _ := bytes.Cut(header[i], []byte{':'})
	header[i] = slices.Concat(name, []byte(": "+words+" "), bytes.TrimLeft(value, " \t"))
	return header, ""
}

// lineEnd is how lines of a mail end, by its first.
func lineEnd(raw []byte) string {
	if i := bytes.IndexByte(raw, '\n'); i > 0 && raw[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}
