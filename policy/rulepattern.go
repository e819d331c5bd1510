package policy

import (
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"time"
	"unicode/utf8"
)

// pattern is a regular expression, and how many steps one letter of a text can cost.
type pattern struct {
	*regexp.Regexp
	steps int
}

const maxPatternSteps = 2000

func compilePattern(text string) (*pattern, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > maxPatternSteps {
		return nil, fmt.Errorf("the pattern takes %d steps, at most %d", len(program.Inst), maxPatternSteps)
	}
	re, err := regexp.Compile(text)
	return &pattern{re, len(program.Inst)}, err
}

// found reports whether a text fits a pattern, as long as there is time.
func found(params ...any) (any, error) {
	p := params[2].(*pattern)
	r := &runes{budget: params[0].(*budget), text: params[1].(string), work: runesBetween * time.Duration(p.steps) * stepWork}
	fits := p.MatchReader(r)
	return fits, r.err
}

// runes gives a text to a search letter by letter, and ends when the time is over.
type runes struct {
	budget *budget
	text   string
	work   time.Duration // of runesBetween letters
	read   int
	err    error
}

// runesBetween looks at the clock, so that the clock does not cost more than the search.
const runesBetween = 64

// ReadRune implements io.RuneReader.
func (r *runes) ReadRune() (letter rune, size int, err error) {
	if r.read++; r.read%runesBetween == 0 && r.err == nil {
		r.err = r.budget.spend(r.work)
	}
	if r.err != nil || r.text == "" {
		return 0, 0, io.EOF
	}
	letter, size = utf8.DecodeRuneInString(r.text)
	r.text = r.text[size:]
	return letter, size, nil
}
