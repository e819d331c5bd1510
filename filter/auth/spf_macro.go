package auth

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var macro = regexp.MustCompile(`%(?:%|_|-|\{([a-zA-Z])([0-9]*)([rR]?)([-.+,/_=]*)\})`)

// expand puts values in place of the macros of a domain-spec that was found to be one (RFC 7208 section 7.3). Of a name that
// became too long the left labels are left out.
func (e *evaluation) expand(ctx context.Context, spec, domain string) string {
	out, end := "", 0
	for _, m := range macro.FindAllStringSubmatchIndex(spec, -1) {
		out += spec[end:m[0]]
		end = m[1]
		switch spec[m[0]+1] {
		case '%':
			out += "%"
		case '_':
			out += " "
		case '-':
			out += "%20"
		default:
			letter := spec[m[2]:m[3]]
			v := transform(e.value(ctx, strings.ToLower(letter), domain), spec[m[4]:m[5]], m[6] < m[7], spec[m[8]:m[9]])
			if letter < "a" {
				v = urlEscape(v)
			}
			out += v
		}
	}
	out += spec[end:]
	for len(strings.TrimSuffix(out, ".")) > 253 {
		_, after, found := strings.Cut(out, ".")
		if !found {
			break
		}
		out = after
	}
	return out
}

// value is what a macro letter stands for.
func (e *evaluation) value(ctx context.Context, letter, domain string) string {
	switch letter {
	case "s":
		return e.local + "@" + e.domain
	case "l":
		return e.local
	case "o":
		return e.domain
	case "d":
		return domain
	case "i":
		return dotted(e)
	case "p":
		return e.validated(ctx, domain)
	case "v":
		if e.address.Is4() {
			return "in-addr"
		}
		return "ip6"
	default: // h
		return e.helo
	}
}

// dotted is the client's address: octets, or nibbles with dots between.
func dotted(e *evaluation) string {
	if e.address.Is4() {
		return e.address.String()
	}
	nibbles := strings.Split(reversed(e.address), ".")
	slices.Reverse(nibbles)
	return strings.Join(nibbles, ".")
}

// validated is a host name of the client that leads back to it: the domain itself if it is one, or one below it, or any.
func (e *evaluation) validated(ctx context.Context, domain string) string {
	names := e.reverse(ctx)
	for _, n := range names {
		if strings.EqualFold(n, strings.TrimSuffix(domain, ".")) {
			return n
		}
	}
	for _, n := range names {
		if below(n, domain) {
			return n
		}
	}
	if len(names) > 0 {
		return names[0]
	}
	return "unknown"
}

// transform splits a value at the delimiters, turns it about, keeps the right parts, and joins them by dots.
func transform(value, digits string, reverse bool, delimiters string) string {
	if digits == "" && !reverse && delimiters == "" {
		return value
	}
	if delimiters == "" {
		delimiters = "."
	}
	var parts []string
	for start := 0; ; {
		i := strings.IndexAny(value[start:], delimiters)
		if i < 0 {
			parts = append(parts, value[start:])
			break
		}
		parts = append(parts, value[start:start+i])
		start += i + 1
	}
	if reverse {
		slices.Reverse(parts)
	}
	if n, err := strconv.Atoi(digits); err == nil && n < len(parts) {
		parts = parts[len(parts)-n:]
	}
	return strings.Join(parts, ".")
}

// urlEscape escapes all but the unreserved characters of RFC 3986 section 2.3.
func urlEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
