package content

import (
	"strings"

	"rempart/message"
)

// Newsletters hide a line of preview text, and what they show only on telephones: of 421 of today 11 % hide a tenth of
// their text, 1.4 % the greater part.
const (
	minHidden   = 200 // bytes
	hiddenShare = 0.6
)

// HiddenText speaks against text that HTML hides from the reader: display:none, no size, the colour of the background.
// Value: its share of all text, 0.6 to 1. Argument: per cent.
func HiddenText(m *message.Message) message.Result {
	hidden := len(m.HiddenText)
	if hidden < minHidden {
		return message.Absent
	}
	share := float64(hidden) / float64(hidden+len(m.HTMLText))
	if share < hiddenShare {
		return message.Absent
	}
	return message.Present(share, int64(share*100))
}

// HTMLOnly speaks a little against HTML without the plain alternative that RFC 2046 section 5.1.4 offers readers
// without HTML. Value: 1.
func HTMLOnly(m *message.Message) message.Result { return seen(m.HTML != "" && m.Text == "") }

// ImageOnly speaks against HTML that says what it says in a picture: images, and fewer than a hundred letters.
// Value: 1. Argument: letters.
func ImageOnly(m *message.Message) message.Result {
	if m.HTML == "" || len(m.HTMLText) >= 100 || len(m.Text) >= 100 {
		return message.Absent
	}
	images := strings.Contains(m.HTML, "<img") || strings.Contains(m.HTML, "<IMG")
	return seen(images, len(m.HTMLText))
}

// Form speaks against a form in mail: it asks for secrets where no site's address is shown. Value: 1. Argument: the
// host it sends to.
func Form(m *message.Message) message.Result {
	for i := range m.Links {
		if m.Links[i].Kind == message.LinkForm && m.Links[i].Host != "" {
			return message.Present(1, quote(m.Links[i].Host))
		}
	}
	return message.Absent
}

// Newsletters carry style sheets and conditional comments for Outlook; from here on comments are ballast.
const (
	minBallast   = 4 << 10 // bytes
	ballastTimes = 3       // as much as the reader sees
)

// Ballast speaks against HTML that carries far more text in comments than the reader sees: it turns the head of a filter that
// learns. Conditional comments, which Outlook shows, do not count. Value: log2 of the times, 2 to 4. Argument: the times.
func Ballast(m *message.Message) message.Result {
	if len(m.HTML) < minBallast+ballastTimes*len(m.HTMLText) {
		return message.Absent
	}
	comments := 0
	for s := m.HTML; ; {
		i := strings.Index(s, "<!--")
		if i < 0 {
			break
		}
		s = s[i+4:]
		end := strings.Index(s, "-->")
		if end < 0 {
			end = len(s)
		}
		if !strings.HasPrefix(s, "[if") && strings.IndexByte(s[:end], '{') < 0 { // nor a style sheet
			comments += end
		}
		s = s[end:]
	}
	times := comments / max(len(m.HTMLText), minBallast/ballastTimes)
	if times < ballastTimes {
		return message.Absent
	}
	return message.Present(count(times), times)
}
