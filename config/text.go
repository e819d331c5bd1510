package config

import (
	"fmt"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// TextError is what is wrong inside a key's text, such as a condition that does not parse. [Locate] gives it line and column.
type TextError struct {
	Key  string // as "policy.rule[0].when"
	Rune int    // how many letters of the text stand before the place
	Err  error  // begins with the key
}

// Error is that of Err.
func (e *TextError) Error() string { return e.Err.Error() }

// Unwrap is Err.
func (e *TextError) Unwrap() error { return e.Err }

// place is where a key's text stands in the file.
type place struct {
	raw   []byte // with its quotes
	start unstable.Position
}

// of finds line and column, from 1, of the n-th letter (from 0) of the text; behind its last one, the closing quote.
func (p place) of(n int) (line, column int) {
	line, column = p.start.Line, p.start.Column
	for _, letter := range string(p.raw[:p.offset(n)]) {
		if column++; letter == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}

// offset is where in the raw bytes the n-th letter begins: behind the shortest part that already reads as a text of n letters.
// Escapes, continued lines and the line break behind opening quotes are the parser's matter.
func (p place) offset(n int) int {
	quote := 1
	if len(p.raw) >= 6 && p.raw[0] == p.raw[1] && p.raw[1] == p.raw[2] {
		quote = 3
	}
	end := string(p.raw[:quote])
	for i := quote; i < len(p.raw)-quote; i++ {
		var v struct{ Text string }
		if err := toml.Unmarshal([]byte(fmt.Sprintf("Text = %s%s", p.raw[:i], end)), &v); err != nil {
			continue // in the middle of a letter or an escape
		}
		if utf8.RuneCountInString(v.Text) < n {
			continue
		}
		if n == 0 && quote == 3 && p.raw[i] == '\n' { // the line break that does not count
			continue
		}
		return i
	}
	return max(0, len(p.raw)-quote)
}
