package auth

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// spfRecord is an SPF record (RFC 7208 section 4.6).
type spfRecord struct {
	mechanisms []mechanism
	redirect   string // with macros
}

// mechanism is one directive (RFC 7208 section 5).
type mechanism struct {
	result       string // if it matches
	name         string // all, include, a, mx, ptr, ip4, ip6, exists
	spec         string // the domain that it names, with macros; empty: the record's own
	network      netip.Prefix
	bits4, bits6 int
}

// isSPF reports whether a TXT record is one of SPF (RFC 7208 section 4.5).
func isSPF(text string) bool {
	version, _, _ := strings.Cut(text, " ")
	return strings.EqualFold(version, "v=spf1")
}

var spfResults = map[byte]string{'+': "pass", '-': "fail", '~': "softfail", '?': "neutral"}

// parseSPF reads a record. It is not ok with any error anywhere, also behind a mechanism that would match.
func parseSPF(text string) (r spfRecord, ok bool) {
	seen := map[string]bool{}
	for i, term := range strings.Split(text, " ") {
		if i == 0 || term == "" {
			continue
		}
		name, spec, isModifier := cutModifier(term)
		if !isModifier {
			m, ok := parseMechanism(term)
			if !ok {
				return r, false
			}
			r.mechanisms = append(r.mechanisms, m)
			continue
		}
		switch name = strings.ToLower(name); name {
		case "redirect", "exp":
			if seen[name] || !isDomainSpec(spec) {
				return r, false
			}
			if seen[name] = true; name == "redirect" {
				r.redirect = spec
			}
		default:
			if !isMacroString(spec) {
				return r, false
			}
		}
	}
	return r, true
}

var modifierName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*=`)

// cutModifier takes name=value apart.
func cutModifier(term string) (name, value string, ok bool) {
	prefix := modifierName.FindString(term)
	if prefix == "" {
		return "", "", false
	}
	return prefix[:len(prefix)-1], term[len(prefix):], true
}

func parseMechanism(term string) (m mechanism, ok bool) {
	m.result = "pass"
	if r := spfResults[term[0]]; r != "" {
		m.result, term = r, term[1:]
	}
	end := strings.IndexAny(term, ":/")
	if end < 0 {
		end = len(term)
	}
	m.name = strings.ToLower(term[:end])
	rest := term[end:]
	switch m.name {
	case "all":
		return m, rest == ""
	case "ip4", "ip6":
		m.network, ok = parseSPFNetwork(strings.TrimPrefix(rest, ":"))
		return m, ok && rest[0] == ':' && m.network.Addr().Is4() == (m.name == "ip4")
	case "a", "mx":
		if rest, m.bits4, m.bits6, ok = cutLengths(rest); !ok {
			return m, false
		}
	case "ptr", "include", "exists":
	default:
		return m, false
	}
	if rest == "" {
		return m, m.name == "a" || m.name == "mx" || m.name == "ptr"
	}
	m.spec = rest[1:]
	return m, rest[0] == ':' && isDomainSpec(m.spec)
}

// parseSPFNetwork reads the argument of ip4 and ip6.
func parseSPFNetwork(s string) (netip.Prefix, bool) {
	if strings.Contains(s, "%") { // no zones
		return netip.Prefix{}, false
	}
	p, err := parseNetwork(s)
	return p, err == nil
}

var lengths = regexp.MustCompile(`(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?$`)

// cutLengths takes the prefix lengths from the end of an a or mx: /24//64.
func cutLengths(s string) (rest string, bits4, bits6 int, ok bool) {
	m := lengths.FindStringSubmatch(s)
	bits4, bits6 = 32, 128
	if m[1] != "" {
		bits4, _ = strconv.Atoi(m[1]) // digits
	}
	if m[2] != "" {
		bits6, _ = strconv.Atoi(m[2]) // digits
	}
	return strings.TrimSuffix(s, m[0]), bits4, bits6, bits4 <= 32 && bits6 <= 128
}

// The grammar of macro strings (RFC 7208 section 7.1). The letters c, r and t stand in explanations only, which nobody asks for
// here. A domain ends in a label that is no number, or in a macro.
const (
	macroExpand  = `%(?:%|_|-|\{[slodiphvSLODIPHV](?:0*[1-9][0-9]*)?[rR]?[-.+,/_=]*\})`
	macroLiteral = `[!-$&-~]`
	topLabel     = `(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])`
)

var (
	macroString = regexp.MustCompile(`^(?:` + macroExpand + `|` + macroLiteral + `)*$`)
	domainSpec  = regexp.MustCompile(`^(?:` + macroExpand + `|` + macroLiteral + `)*(?:` + macroExpand + `|\.` + topLabel + `\.?)$`)
)

func isMacroString(s string) bool { return macroString.MatchString(s) }
func isDomainSpec(s string) bool  { return domainSpec.MatchString(s) }
