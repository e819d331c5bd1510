package aggregate

import (
	"math"
	"net/url"
	"strconv"
	"strings"

	"rempart/message/dkim"
)

// destination is a mailbox that a domain's owner wants reports in.
type destination struct {
	address, host string
	limit         int // bytes of the largest mail that it takes
}

// A record names few: two at least a reporter has to serve (RFC 9989 section 4.7, "rua"), and a hostile one is not to make this node
// send mail to many.
const (
	maxDestinations = 5
	maxURIs         = 20   // that are looked at
	maxRUA          = 2000 // bytes of a tag; a longer one is none
	maxLocal        = 64   // octets (RFC 5321 section 4.5.3.1.1)
)

// destinations reads the mailboxes of a rua tag, in its order and each once: of its URIs those with the scheme mailto, for one plain
// address. Others are left out.
func destinations(rua string) (out []destination) {
	if len(rua) > maxRUA {
		return nil
	}
	seen := map[string]bool{}
	for i, uri := range strings.SplitN(rua, ",", maxURIs+1) {
		if i == maxURIs || len(out) == maxDestinations {
			break
		}
		if d, ok := mailto(strings.Trim(uri, dkim.FWS)); ok && !seen[d.address] {
			seen[d.address] = true
			out = append(out, d)
		}
	}
	return out
}

// mailto reads a URI (RFC 6068) with, perhaps, the size of the largest report behind an exclamation mark.
func mailto(uri string) (d destination, ok bool) {
	scheme, rest, _ := strings.Cut(uri, ":")
	if !strings.EqualFold(scheme, "mailto") {
		return d, false
	}
	rest, size, limited := strings.Cut(rest, "!") // within the URI it is written %21
	d.limit = math.MaxInt
	if limited {
		if d.limit, ok = sizeOf(size); !ok {
			return d, false
		}
	}
	rest, _, _ = strings.Cut(rest, "?") // header fields
	address, err := url.PathUnescape(rest)
	if err != nil {
		return d, false
	}
	var local string
	if local, d.host = split(address); !plainLocal(local) || !strings.Contains(d.host, ".") {
		return d, false
	}
	d.address = local + "@" + d.host
	return d, true
}

// sizeOf reads "10m": digits and perhaps a unit, powers of 2^10.
func sizeOf(s string) (bytes int, ok bool) {
	shift := 0
	if n := len(s); n > 0 {
		if unit := strings.IndexByte("kmgt", s[n-1]|0x20); unit >= 0 {
			s, shift = s[:n-1], 10*(unit+1)
		}
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0, false
	}
	if n > math.MaxInt>>shift {
		return math.MaxInt, true
	}
	return int(n) << shift, true
}

// split cuts an address at its last @, since a local part in quotes may hold others. The domain is as DNS is asked for it; "" if there is
// none.
func split(address string) (local, domain string) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address, ""
	}
	return address[:at], dkim.ToDomain(address[at+1:])
}

// plainLocal reports whether a local part is a dot-atom of ASCII (RFC 5322 section 3.2.3), which needs no quotes anywhere.
func plainLocal(s string) bool {
	if len(s) > maxLocal {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.Trim(atom, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~") != "" {
			return false
		}
	}
	return true
}
