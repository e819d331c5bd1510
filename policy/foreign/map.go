package foreign

import (
	"io"
	"strings"
)

// ReadMap adds a map of rspamd: an entry a line, an address, a domain (below ".a.example" or "*.a.example" too), or an IP
// address or network, perhaps a score behind it. The map does not say what it is for: deny does.
func (l *Lists) ReadMap(file string, r io.Reader, deny bool) error {
	return l.eachLine(file, r, func(at *reader, line string) error {
		at.deny = deny
		words := strings.Fields(line)
		entry := strings.Trim(words[0], `"'`)
		var taken bool
		switch {
		case strings.HasPrefix(entry, "/"):
			at.warn(whyRegexp, line)
		case strings.HasPrefix(entry, "!"):
			at.warn(whyNegated, line)
		case at.network(entry):
			taken = true
		default:
			taken = at.name(entry)
		}
		if taken && len(words) > 1 {
			at.warn(whyScore, line)
		}
		return nil
	})
}

// name adds an address or a domain.
func (r *reader) name(entry string) bool {
	pattern := entry
	if domain, bare := strings.CutPrefix(entry, "@"); bare {
		pattern = "*@" + domain
	} else if !strings.Contains(entry, "@") {
		pattern = "*@" + entry
		if below, is := strings.CutPrefix(entry, "."); is {
			pattern = "*@*." + below
		}
	}
	if !r.sender(pattern, "", by{dkim: true, spf: true}) {
		return false
	}
	r.warn(whyClaimed, entry)
	return true
}
