package mailbox

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// filePrefix is Postfix's name for a table that is read from its text.
const filePrefix = "texthash:"

// Bounds of a file: a million addresses are some 100 MB of memory.
const (
	maxLine    = 64 << 10 // of an entry with its continued lines
	maxEntries = 1_000_000
)

// file is a table from a text file, by key in lower case.
type file map[string]string

func readFile(path string) (file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseFile(f)
}

// parseFile reads the input of postmap(1): a key, white space and a value on a line; a line that begins with white space continues
// the one before; lines of white space and those whose first letter is "#" are left out. Of an entry that is there twice the first
// counts. An entry without a value is an error, which names its line.
func parseFile(r io.Reader) (file, error) {
	entries := file{}
	entry, at := "", 0
	add := func() error {
		if entry == "" {
			return nil
		}
		key, value, err := splitEntry(entry)
		if err != nil {
			return fmt.Errorf("line %d: %w", at, err)
		}
		if _, twice := entries[key]; !twice {
			entries[key] = value
		}
		if len(entries) > maxEntries {
			return fmt.Errorf("line %d: more than %d entries", at, maxEntries)
		}
		return nil
	}
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for n := 1; s.Scan(); n++ {
		line := s.Text()
		trimmed := strings.Trim(line, space)
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case strings.ContainsRune(space, rune(line[0])):
			if entry == "" {
				return nil, fmt.Errorf("line %d: it continues nothing", n)
			}
			if entry += line; len(entry) > maxLine {
				return nil, fmt.Errorf("line %d: the entry is longer than %d bytes", n, maxLine)
			}
		default:
			if err := add(); err != nil {
				return nil, err
			}
			entry, at = line, n
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	return entries, add()
}

// space is what isspace(3) calls so.
const space = " \t\r\v\f\n"

// splitEntry takes key and value apart. In a key white space between quotes, and what follows a backslash, separates nothing; they
// stay part of it.
func splitEntry(entry string) (key, value string, err error) {
	entry = strings.Trim(entry, space)
	quoted, end := false, len(entry)
	for i := 0; i < len(entry) && end == len(entry); i++ {
		switch c := entry[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && strings.IndexByte(space, c) >= 0:
			end = i
		}
	}
	if quoted {
		return "", "", fmt.Errorf("%.80s: the quote does not end", entry)
	}
	if value = strings.Trim(entry[end:], space); value == "" {
		return "", "", fmt.Errorf("%.80s: there is no value", entry)
	}
	return strings.ToLower(entry[:end]), value, nil
}

func (f file) lookup(_ context.Context, key string) (string, bool, error) {
	value, ok := f[key]
	return value, ok, nil
}

func (f file) down() string { return "" }
