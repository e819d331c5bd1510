package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Locate puts the file's name and the line of the key before each error whose text begins with a key, as Check functions
// write them ("gateway.milter[0].listen = []: ..."). The line is that of the key, or of the table that lacks it. A [TextError] gets
// the line and column of its place.
func Locate(name string, b []byte, err error) error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, Locate(name, b, e))
		}
		return errors.Join(all...)
	}
	key, _, _ := strings.Cut(err.Error(), " ")
	key = strings.TrimSuffix(key, ":")
	lines, texts := keyLines(b)
	var inside *TextError
	if errors.As(err, &inside) {
		if p, ok := texts[inside.Key]; ok {
			line, column := p.of(inside.Rune)
			return fmt.Errorf("%s:%d:%d: %w", name, line, column, err)
		}
	}
	for key != "" {
		if line := lines[key]; line > 0 {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		cut := strings.LastIndexAny(key, ".[")
		key = key[:max(cut, 0)]
	}
	return fmt.Errorf("%s: %w", name, err)
}

// keyLines finds the line of every table and key, and the place of every text; the n-th table of an array is "a.b[n]", from 0.
func keyLines(b []byte) (lines map[string]int, texts map[string]place) {
	lines, texts = map[string]int{}, map[string]place{}
	counts := map[string]int{}
	table := ""
	var p unstable.Parser
	p.Reset(b)
	for p.NextExpression() {
		e := p.Expression()
		var parts []string
		line := 0
		for keys := e.Key(); keys.Next(); {
			part := keys.Node()
			parts = append(parts, string(part.Data))
			if line == 0 {
				line = p.Shape(part.Raw).Start.Line
			}
		}
		switch e.Kind {
		case unstable.Table:
			table = indexed(parts, counts)
			lines[table] = line
		case unstable.ArrayTable:
			array := indexed(parts, counts)
			table = fmt.Sprintf("%s[%d]", array, counts[array])
			counts[array]++
			lines[table] = line
		case unstable.KeyValue:
			key := strings.Join(parts, ".")
			if table != "" {
				key = table + "." + key
			}
			lines[key] = line
			if v := e.Value(); v.Kind == unstable.String {
				texts[key] = place{raw: p.Raw(v.Raw), start: p.Shape(v.Raw).Start}
			}
		}
	}
	return lines, texts
}

// indexed joins the parts of a table's name; a part that is an array means its last table so far.
func indexed(parts []string, counts map[string]int) string {
	name := ""
	for i, part := range parts {
		if name != "" {
			name += "."
		}
		name += part
		if n := counts[name]; n > 0 && i < len(parts)-1 {
			name += fmt.Sprintf("[%d]", n-1)
		}
	}
	return name
}
