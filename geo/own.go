package geo

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"rempart/message"
)

// maxOwnRanges bounds the user's own numbering plan.
const maxOwnRanges = 1 << 20

// ownPlan is the user's own numbering plan, laid over the built-in one.
type ownPlan struct {
	ranges  map[string]ownRange // by prefix with +
	longest int                 // length of the longest prefix
}

type ownRange struct {
	country string
	line    message.LineType
}

// readPlan reads a numbering plan from CSV: prefix, country, type. Lines with # are comments, a header line may come
// first.
func readPlan(path string) (ownPlan, error) {
	f, err := os.Open(path)
	if err != nil {
		return ownPlan{}, err
	}
	defer f.Close()
	return parsePlan(f)
}

func parsePlan(r io.Reader) (ownPlan, error) {
	in := csv.NewReader(r)
	in.Comment = '#'
	in.FieldsPerRecord = 3
	in.TrimLeadingSpace = true
	in.ReuseRecord = true
	p := ownPlan{ranges: map[string]ownRange{}}
	for first := true; ; first = false {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return ownPlan{}, err
		}
		if first && row[0] == "prefix" {
			continue
		}
		line, _ := in.FieldPos(0)
		prefix, own, err := parseRange(row)
		if err != nil {
			return ownPlan{}, fmt.Errorf("line %d: %w", line, err)
		}
		if _, twice := p.ranges[prefix]; twice {
			return ownPlan{}, fmt.Errorf("line %d: %w: %s", line, ErrPrefixTwice, prefix)
		}
		if len(p.ranges) == maxOwnRanges {
			return ownPlan{}, fmt.Errorf("line %d: %w: at most %d", line, ErrTooManyRanges, maxOwnRanges)
		}
		p.ranges[prefix] = own
		p.longest = max(p.longest, len(prefix))
	}
}

func parseRange(row []string) (prefix string, own ownRange, err error) {
	prefix, country := strings.Clone(row[0]), strings.Clone(row[1])
	digits, plus := strings.CutPrefix(prefix, "+")
	if !plus || digits == "" || len(digits) > maxNational || strings.Trim(digits, "0123456789") != "" {
		return "", own, fmt.Errorf("%w: %q", ErrPrefix, prefix)
	}
	if country != "" && !isCode(country) {
		return "", own, fmt.Errorf("%w: %q", ErrCountry, country)
	}
	own.country = country
	if err := own.line.UnmarshalText([]byte(row[2])); err != nil || own.line > message.Voicemail {
		return "", own, fmt.Errorf("%w: %q", ErrLineType, row[2])
	}
	return prefix, own, nil
}

// isCode says whether s has the form of an ISO 3166-1 alpha-2 code.
func isCode(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

// find is the longest range of the plan in which a number with + lies.
func (p *ownPlan) find(number []byte) (ownRange, bool) {
	for n := min(p.longest, len(number)); n > 1; n-- {
		if own, ok := p.ranges[string(number[:n])]; ok {
			return own, true
		}
	}
	return ownRange{}, false
}
