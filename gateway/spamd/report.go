package spamd

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"rempart/catalogue"
)

// Widths of a report's columns, SpamAssassin's own: scripts cut it by them.
const (
	nameColumn   = 22
	reasonColumn = 50
)

// report is what a reader is told of a mail, in UTF-8: the parts of the score with their sentences, in SpamAssassin's form.
func (f *Spamd) report(s *result) string {
	english := catalogue.English()
	if s.verdict == nil {
		return english.Say("spamd.unjudged") + "\n"
	}
	var b strings.Builder
	fmt.Fprintln(&b, english.Say("spamd.judged", f.name, english.Word(s.verdict.Probability), s.verdict.Probability))
	fmt.Fprintf(&b, "\nContent analysis details:   (%.1f points, %.1f required)\n\n", scale.Score(s.score), scale.Score(scale.Mark))
	fmt.Fprintf(&b, " pts %-*s description\n---- %s %s\n", nameColumn, "rule name", strings.Repeat("-", nameColumn), strings.Repeat("-", reasonColumn))
	for _, p := range s.parts {
		fmt.Fprintf(&b, "%4.1f %-*s ", scale.Score(p.Points), nameColumn, p.Name)
		for i, line := range wrap(p.Reason, reasonColumn) {
			if i > 0 {
				b.WriteString(strings.Repeat(" ", len("---- ")+nameColumn+1))
			}
			fmt.Fprintln(&b, line)
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// wrap breaks a sentence into lines of at most width characters, at its spaces.
func wrap(s string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(s) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
