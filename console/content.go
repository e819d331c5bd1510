package console

import (
	"errors"
	"net/http"
	"strings"

	"rempart/corpus"
	"rempart/message"
	"rempart/quarantine"
)

// content is what is shown of a mail in quarantine: text, whatever it is made of.
type content struct {
	From        string
	Subject     string
	Lines       []string // of the text, the first of them
	Cut         bool     // there are more
	Attachments []string
	Unreadable  bool // nothing can be shown
}

// contentOf reads a whole mail; nothing but Unreadable is set if it cannot be read.
func (c *Console) contentOf(r *http.Request, id string) (content, error) {
	raw, err := c.Quarantine.Raw(r.Context(), id)
	if err != nil {
		return content{Unreadable: true}, c.unreadable(r, id, err)
	}
	m := corpus.Mail(raw)
	out := content{From: seen(quarantine.Author(m)), Subject: seen(m.Subject)}
	out.Lines, out.Cut = linesOf(m)
	for i := range m.Attachments {
		out.Attachments = append(out.Attachments, seen(m.Attachments[i].Name))
	}
	return out, nil
}

// aboutOf is the author and the subject of a mail; both are empty if it cannot be read.
func (c *Console) aboutOf(r *http.Request, id string) (author, subject string, err error) {
	author, subject, err = c.Quarantine.About(r.Context(), id)
	if err != nil {
		return "", "", c.unreadable(r, id, err)
	}
	return seen(author), seen(subject), nil
}

// unreadable returns the error of a mail that is not there. If it is there, but damaged or without its key, only the log is told: a list
// still shows the others, and the mail's own page the button that deletes it.
func (c *Console) unreadable(r *http.Request, id string, err error) error {
	if errors.Is(err, quarantine.ErrNotFound) || r.Context().Err() != nil {
		return err
	}
	c.log.Error("a mail in quarantine cannot be read", "id", id, "error", err)
	return nil
}

// maxLines and maxLine bound what is shown of a text.
const (
	maxLines = 100
	maxLine  = 300
)

// linesOf are the first lines that a reader would see.
func linesOf(m *message.Message) (lines []string, cut bool) {
	for line := range strings.Lines(m.VisibleText()) {
		if len(lines) == maxLines {
			return lines, true
		}
		line = strings.TrimRight(line, "\r\n")
		if len(line) > maxLine {
			line, cut = strings.ToValidUTF8(line[:maxLine], ""), true
		}
		lines = append(lines, seen(line))
	}
	return lines, cut
}
