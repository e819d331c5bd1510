package behaviour

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// Config is table [calls].
type Config struct {
	// NeverOriginate lists numbers that only take calls, such as a bank's hotline: a call that shows one is forged. A
	// number is international ("+442079460000"); "*" at its end stands for all that begin so ("+44800*"). Default: none.
	NeverOriginate []string `toml:"never_originate"`

	// NeverOriginateFile names a file of such numbers, one a line, as regulators hand out (do not originate, DNO); what
	// stands behind # is passed over. It is read at the start and when the configuration is taken over. Default: none.
	NeverOriginateFile string `toml:"never_originate_file"`
}

// Unused is the numbers that make no calls. It is immutable.
type Unused struct {
	whole    map[string]struct{}
	prefixes map[string]struct{}
	longest  int // prefix
}

// NewUnused reads c; nil if it names none.
func NewUnused(c Config) (*Unused, error) {
	u := &Unused{whole: map[string]struct{}{}, prefixes: map[string]struct{}{}}
	for _, s := range c.NeverOriginate {
		if err := u.add(s); err != nil {
			return nil, fmt.Errorf("calls.never_originate: %w", err)
		}
	}
	if c.NeverOriginateFile != "" {
		if err := u.read(c.NeverOriginateFile); err != nil {
			return nil, fmt.Errorf("calls.never_originate_file: %w", err)
		}
	}
	if len(u.whole)+len(u.prefixes) == 0 {
		return nil, nil
	}
	return u, nil
}

func (u *Unused) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := u.add(line); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
	}
	return lines.Err()
}

func (u *Unused) add(s string) error {
	number, all := strings.CutSuffix(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./()", r) {
			return -1
		}
		return r
	}, s), "*")
	if len(number) < 2 || number[0] != '+' || strings.Trim(number[1:], "0123456789") != "" {
		return fmt.Errorf("%q is no international number: write it like +442079460000, or +44800* for all that begin so", s)
	}
	if all {
		u.prefixes[number] = struct{}{}
		u.longest = max(u.longest, len(number))
		return nil
	}
	u.whole[number] = struct{}{}
	return nil
}

// Has reports whether a number (E.164 with +) makes no calls.
func (u *Unused) Has(number string) bool {
	if u == nil || number == "" {
		return false
	}
	if _, ok := u.whole[number]; ok {
		return true
	}
	for n := min(u.longest, len(number)); n > 1; n-- {
		if _, ok := u.prefixes[number[:n]]; ok {
			return true
		}
	}
	return false
}
