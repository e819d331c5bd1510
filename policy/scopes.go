package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Bounds of a file of scopes. Most users of a large site want what their domain does.
const (
	maxScopes     = 200_000
	maxScopeBytes = 128 << 20
	// maxScopeErrors are told of a wrong file: one mistake of the program that writes it is in every line.
	maxScopeErrors = 20
)

// readScopes reads a file of scopes, a JSON array of [ScopeConfig]. An error names the place: "[17]" is the eighteenth scope.
func readScopes(path string) ([]ScopeConfig, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseScopes(io.LimitReader(f, maxScopeBytes))
}

func parseScopes(r io.Reader) (scopes []ScopeConfig, err error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.New(`it is no JSON array: write [{"user": "ann@example.org", "thresholds": {"tag": 0.8}}]`)
	}
	for d.More() {
		if len(scopes) == maxScopes {
			return nil, fmt.Errorf("[%d]: more than %d scopes", maxScopes, maxScopes)
		}
		var s ScopeConfig
		if err := d.Decode(&s); err != nil {
			var wrong *json.UnmarshalTypeError
			if errors.As(err, &wrong) {
				err = fmt.Errorf("%s is a %s", wrong.Field, wrong.Value)
			}
			return nil, fmt.Errorf("[%d]: %w", len(scopes), err)
		}
		scopes = append(scopes, s)
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("[%d]: %w", len(scopes), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the array")
	}
	return scopes, nil
}

// Scopes are all scopes of a configuration, those of its file behind the others; keys says where each stands, for errors.
func (c Config) Scopes() (scopes []ScopeConfig, keys []string, err error) {
	for i := range c.Scope {
		keys = append(keys, fmt.Sprintf("policy.scope[%d]", i))
	}
	if c.ScopesFile == "" {
		return c.Scope, keys, nil
	}
	more, err := readScopes(c.ScopesFile)
	if err != nil {
		return c.Scope, keys, fmt.Errorf("policy.scopes_file: %s: %w", c.ScopesFile, err)
	}
	for i := range more {
		keys = append(keys, fmt.Sprintf("policy.scopes_file: %s: [%d]", c.ScopesFile, i))
	}
	return append(c.Scope[:len(c.Scope):len(c.Scope)], more...), keys, nil
}
