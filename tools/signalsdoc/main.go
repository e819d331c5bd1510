// Command signalsdoc writes docs/signals.md from the tables of signals and the English catalogue. Run it by go generate in
// package filter.
package main

import (
	"fmt"
	"log"
	"os"
	"regexp"
	"strings"

	"rempart/catalogue"
	"rempart/filter"
	"rempart/message"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: signalsdoc PAGE.md")
	}
	if err := os.WriteFile(os.Args[1], []byte(page()), 0o644); err != nil {
		log.Fatal(err)
	}
}

const head = `# Signals

What Rempart looks for beside what it was taught, in the order it looks. This page is made from the code.

The prior is what a signal of value 1 adds to the score (natural log-odds; above zero speaks for spam) before anything was
taught; lessons move it. Values go from 0 to 32: most signals are 1, some grow with what was found. The method is that of
ITU-T X.1245: who sent it (source), how it is made (characteristic), what it says (content). The category is what a spam with
this signal is likely for. A signal that could not be read in time, such as one that needs DNS, is unknown, which is kept apart
from absent. The sentences are those of the verdict; … stands for what was found.
`

var titles = map[message.Channel]string{message.Email: "Mail", message.SMS: "Texts", message.Call: "Calls", message.IM: "Instant messages"}

func page() string {
	var b strings.Builder
	b.WriteString(head)
	last := ""
	english := catalogue.English()
	for _, s := range filter.Signals() {
		if table := s.Channel.String() + directions(s.Directions); table != last {
			last = table
			fmt.Fprintf(&b, "\n## %s\n\nDirections: %s.\n\n| signal | prior | method | category | what it says |\n| --- | ---: | --- | --- | --- |\n",
				title(s), directions(s.Directions))
		}
		category := s.Category.String()
		if s.Category == message.CategoryNone {
			category = ""
		}
		fmt.Fprintf(&b, "| `%s` | %+.2f | %s | %s | %s |\n", s.Name, s.Prior, s.Method, category, sentence(english.Reason(s.Name)))
	}
	return b.String()
}

func title(s filter.SignalRow) string {
	if len(s.Directions) == 1 && s.Directions[0] == message.Out {
		return titles[s.Channel] + " of our own accounts"
	}
	return titles[s.Channel]
}

func directions(list []message.Direction) string {
	var words []string
	for _, d := range list {
		words = append(words, d.String())
	}
	return strings.Join(words, ", ")
}

var verb = regexp.MustCompile(`%[sdqv]`)

// sentence shows a format to a reader.
func sentence(format string) string {
	return strings.ReplaceAll(verb.ReplaceAllString(format, "…"), "%%", "%")
}
