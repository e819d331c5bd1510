// Package catalogue holds every sentence that people read, by language and key. Signals and verdicts carry keys and
// arguments; the sentence is made when it is shown, in the reader's language.
//
// A text is a format of package fmt. Where it depends on a number it is a table of plural forms (CLDR: zero, one, two,
// few, many, other), chosen by the first integer argument. English is the source; a language lacks no key (a test).
package catalogue

import (
	"embed"
	"fmt"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed text/*.toml
var files embed.FS

// Catalogue is the sentences of one language. It is immutable.
type Catalogue struct {
	Tag     language.Tag
	texts   map[string]forms
	reasons map[string]forms // those below "signal", by the rest of their key: every answer about a mail has dozens
}

// forms are the forms of one text.
type forms struct {
	other  string
	plural map[plural.Form]string // nil: it has no plurals
}

// English returns the source language.
var English = sync.OnceValue(func() *Catalogue {
	c, err := load(language.English, "text/en.toml")
	if err != nil {
		panic(err) // embedded: a test loads it
	}
	return c
})

// Say returns the sentence of key with its arguments. An unknown key is shown as it is, so that a page is never blank.
func (c *Catalogue) Say(key string, args ...any) string {
	f, ok := c.texts[key]
	if !ok {
		if len(args) == 0 {
			return key
		}
		return key + " " + fmt.Sprint(args...)
	}
	return c.say(f, args)
}

func (c *Catalogue) say(f forms, args []any) string {
	text := f.other
	if f.plural != nil {
		if n, ok := firstInteger(args); ok {
			if t, ok := f.plural[plural.Cardinal.MatchPlural(c.Tag, n, 0, 0, 0, 0)]; ok {
				text = t
			}
		}
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// reasonPrefix begins the keys of what signals and learners say.
const reasonPrefix = "signal."

// Reason is the sentence of a signal or learner.
func (c *Catalogue) Reason(name string, args ...any) string {
	if f, ok := c.reasons[name]; ok {
		return c.say(f, args)
	}
	return c.Say(reasonPrefix+name, args...)
}

// Has reports whether the catalogue knows key.
func (c *Catalogue) Has(key string) bool {
	_, ok := c.texts[key]
	return ok
}

func firstInteger(args []any) (int, bool) {
	for _, a := range args {
		switch a := a.(type) {
		case int:
			return a, true
		case int64:
			return int(min(a, 1<<30)), true
		}
	}
	return 0, false
}

var formNames = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many, "other": plural.Other,
}

func load(tag language.Tag, path string) (*Catalogue, error) {
	b, err := files.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := toml.Unmarshal(b, &tree); err != nil {
		return nil, fmt.Errorf("read catalogue %s: %w", path, err)
	}
	c := &Catalogue{tag, map[string]forms{}, map[string]forms{}}
	c.add("", tree)
	for key, f := range c.texts {
		if name, ok := strings.CutPrefix(key, reasonPrefix); ok {
			c.reasons[name] = f
		}
	}
	return c, nil
}

// add flattens the tree to dotted keys; a table that holds "other" is one text with its plural forms.
func (c *Catalogue) add(prefix string, tree map[string]any) {
	for key, v := range tree {
		switch v := v.(type) {
		case string:
			c.texts[prefix+key] = forms{other: v}
		case map[string]any:
			other, ok := v["other"].(string)
			if !ok {
				c.add(prefix+key+".", v)
				continue
			}
			f := forms{other, map[plural.Form]string{}}
			for name, text := range v {
				if s, ok := text.(string); ok {
					f.plural[formNames[name]] = s
				}
			}
			c.texts[prefix+key] = f
		}
	}
}
