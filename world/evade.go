package world

import (
	"strings"
	"unicode"
)

// disguise plays a trick on a text; links stay what they are. A trick that does not suit texts changes nothing.
func (w *World) disguise(trick, text string) string {
	switch trick {
	case "homoglyph":
		return w.perWord(text, 3, homoglyphs)
	case "zero_width":
		return w.perWord(text, 3, func(word string) string {
			i := len(word) / 2
			for i > 0 && word[i]&0xc0 == 0x80 { // not inside a character
				i--
			}
			return word[:i] + "\u200b" + word[i:]
		})
	case "spaced":
		return w.perWord(text, 8, func(word string) string { return strings.Join(strings.Split(word, ""), " ") })
	case "leet":
		return w.perWord(text, 3, leet.Replace)
	}
	return text
}

// disguiseMail plays a trick on a mail and reports whether it could.
func (w *World) disguiseMail(trick string, d *draft, t topic) bool {
	switch trick {
	case "hidden":
		if !d.html {
			return false
		}
		honest := w.speech(topic{language: t.language, country: t.country, known: map[string]string{"to": t.known["to"], "me": t.known["to"]}})
		d.hidden = honest.say("chat") + " " + honest.say("chat")
		return true
	case "base64":
		d.base64 = true
		return true
	case "link_text":
		if !d.html {
			return false
		}
		d.linkText = "https://www." + pick(w.rng, w.businesses).domain + "/"
		return true
	}
	subject, body := d.subject, d.body
	d.subject, d.body = w.disguise(trick, subject), w.disguise(trick, body)
	return d.subject != subject || d.body != body
}

// perWord changes one in n of the words with letters alone, at least five long.
func (w *World) perWord(text string, n int, change func(string) string) string {
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		for j, word := range strings.Split(line, " ") {
			if j > 0 {
				b.WriteByte(' ')
			}
			if len(word) >= 5 && strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) < 0 && w.rng.IntN(n) == 0 {
				word = change(word)
			}
			b.WriteString(word)
		}
	}
	return b.String()
}

// cyrillic holds letters that look like ours.
var cyrillic = strings.NewReplacer("a", "а", "e", "е", "o", "о", "p", "р", "c", "с", "x", "х", "y", "у")

func homoglyphs(word string) string { return cyrillic.Replace(word) }

var leet = strings.NewReplacer("a", "4", "e", "3", "i", "1", "o", "0", "s", "5")
