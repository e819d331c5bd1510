package world

import (
	"embed"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

//go:embed text/*.toml
var texts embed.FS

// grammar is the rules of one language: each a list of alternatives, in which {x} is a value or another rule and [a|b] one
// of several.
type grammar map[string][]string

// grammars reads all languages, by BCP 47 tag.
func grammars() (map[string]grammar, error) {
	files, err := fs.Glob(texts, "text/*.toml")
	if err != nil {
		return nil, err
	}
	all := map[string]grammar{}
	for _, file := range files {
		b, err := texts.ReadFile(file)
		if err != nil {
			return nil, err
		}
		g := grammar{}
		if err := toml.Unmarshal(b, &g); err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		all[strings.TrimSuffix(path.Base(file), ".toml")] = g
	}
	return all, nil
}

// speech says things by a grammar. value gives what the message knows, as its recipient's name; what it does not know is a
// rule.
type speech struct {
	rng   *rand.Rand
	rules grammar
	value func(name string) (string, bool)
}

// maxNesting is far above what the grammars nest: a rule that calls itself ends here.
const maxNesting = 12

// say expands one alternative of a rule.
func (s speech) say(rule string) string { return s.rule(rule, 0) }

func (s speech) rule(name string, depth int) string {
	if v, ok := s.value(name); ok {
		return v
	}
	alternatives := s.rules[name]
	if len(alternatives) == 0 || depth > maxNesting {
		return ""
	}
	return s.expand(pick(s.rng, alternatives), depth+1)
}

func (s speech) expand(t string, depth int) string {
	var b strings.Builder
	for {
		i := strings.IndexAny(t, "{[")
		if i < 0 {
			b.WriteString(t)
			return b.String()
		}
		b.WriteString(t[:i])
		end := closing(t[i:])
		inner := t[i+1 : i+end]
		if t[i] == '{' {
			b.WriteString(s.rule(inner, depth))
		} else {
			b.WriteString(s.expand(pick(s.rng, split(inner)), depth))
		}
		t = t[i+end+1:]
	}
}

// closing is where the bracket that t begins with is closed; the last byte if it never is.
func closing(t string) int {
	depth := 0
	for i := range len(t) {
		switch t[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(t) - 1
}

// split cuts alternatives at the bars that stand in no inner bracket.
func split(t string) (out []string) {
	depth, from := 0, 0
	for i := range len(t) {
		switch t[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '|':
			if depth == 0 {
				out = append(out, t[from:i])
				from = i + 1
			}
		}
	}
	return append(out, t[from:])
}
