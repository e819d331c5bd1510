// Package config reads Rempart's one TOML file. Each package has a Config of its own, a field of which is a key whose doc
// comment is its manual; this package knows none of them. It gives them the types that TOML lacks and turns what is wrong
// in a file into an error with file, line and key.
package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Parse reads a file's bytes into v, a pointer to a struct; name stands for the file in errors. A key that v does not
// have is an error: a misspelt key would otherwise be a setting that silently does nothing.
func Parse(name string, b []byte, v any) error {
	d := toml.NewDecoder(strings.NewReader(string(b))).DisallowUnknownFields()
	err := d.Decode(v)
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		var all []error
		for i := range strict.Errors {
			e := &strict.Errors[i]
			row, _ := e.Position()
			all = append(all, fmt.Errorf("%s:%d: %s: there is no such key", name, row, strings.Join(e.Key(), ".")))
		}
		return errors.Join(all...)
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		row, _ := wrong.Position()
		key := strings.Join(wrong.Key(), ".")
		if key != "" {
			key += ": "
		}
		return fmt.Errorf("%s:%d: %s%s", name, row, key, strings.TrimPrefix(wrong.Error(), "toml: "))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Duration is a time.Duration that a file writes as "5s" or "1h30m"; days are "14d".
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes "5s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads "5s", "1h30m" or "14d".
func (d *Duration) UnmarshalText(b []byte) error {
	if days, ok := strings.CutSuffix(string(b), "d"); ok {
		v, err := time.ParseDuration(days + "h")
		if err == nil {
			*d = Duration(24 * v)
			return nil
		}
	}
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is no duration: write \"500ms\", \"5s\", \"1h30m\" or \"14d\"", b)
	}
	*d = Duration(v)
	return nil
}
