package email

import (
	"strings"
	"time"
)

// ParseDate reads a date-time of RFC 5322 section 3.3 with the obsolete forms of section 4.3 and what programs make of
// it: comments, two-digit years, zone names, no zone (taken as UTC), no seconds, dashes, ISO 8601. It returns the zero
// time if there is no date in v. Years from 1970 to 9999.
func ParseDate(v string) time.Time {
	var d dateParts
	d.day, d.month, d.year, d.hour = -1, -1, -1, -1
	for v != "" {
		c := v[0]
		switch {
		case c == '(':
			n := skipComment(v)
			if n == 0 {
				n = len(v)
			}
			v = v[n:]
			continue
		case (c == '+' || c == '-') && d.hour >= 0 && len(v) > 1 && digit(v[1]):
			n := 1
			for n < len(v) && (digit(v[n]) || v[n] == ':') {
				n++
			}
			d.offset(v[:n])
			v = v[n:]
			continue
		case digit(c):
			n := 1
			for n < len(v) && (digit(v[n]) || v[n] == ':' || v[n] == '.') {
				n++
			}
			d.number(v[:n])
			v = v[n:]
			continue
		case letter(c):
			n := 1
			for n < len(v) && letter(v[n]) {
				n++
			}
			d.word(v[:n])
			v = v[n:]
			continue
		}
		v = v[1:]
	}
	return d.time()
}

// dateParts is what was found so far; -1 is nothing yet.
type dateParts struct {
	day, month, year  int
	hour, minute, sec int
	zone              int // seconds east
	pm, am            bool
	iso               bool // year first
}

func (d *dateParts) number(s string) {
	if strings.IndexByte(s, ':') >= 0 {
		if d.hour >= 0 {
			return
		}
		parts := [3]int{}
		i := 0
		for _, c := range []byte(s) {
			if c == ':' || c == '.' {
				if i++; i > 2 || c == '.' {
					break
				}
				continue
			}
			if parts[i] = parts[i]*10 + int(c-'0'); parts[i] > 99 {
				return
			}
		}
		d.hour, d.minute, d.sec = parts[0], parts[1], parts[2]
		return
	}
	n := 0
	for _, c := range []byte(s) {
		if !digit(c) {
			break
		}
		if n = n*10 + int(c-'0'); n > 9999 {
			return
		}
	}
	switch {
	case len(s) == 3 && s[0] == '0' && d.day < 0: // "029 Apr": some program's day
		d.day = n
	case len(s) >= 3 && d.year < 0:
		d.year = n
		d.iso = d.day < 0 && d.month < 0
	case d.iso && d.month < 0:
		d.month = n
	case d.day < 0:
		d.day = n
	case d.year < 0:
		d.year = n
	}
}

const monthNames = "janfebmaraprmayjunjulaugsepoctnovdec"

func (d *dateParts) word(s string) {
	low := lowerASCII(s)
	if len(low) >= 3 && d.month < 0 {
		if i := strings.Index(monthNames, low[:3]); i >= 0 && i%3 == 0 {
			d.month = i/3 + 1
			return
		}
	}
	switch low {
	case "pm":
		d.pm = true
	case "am":
		d.am = true
	case "edt":
		d.zone = -4 * 3600
	case "est", "cdt":
		d.zone = -5 * 3600
	case "cst", "mdt":
		d.zone = -6 * 3600
	case "mst", "pdt":
		d.zone = -7 * 3600
	case "pst":
		d.zone = -8 * 3600
	case "bst", "cet", "met":
		d.zone = 3600
	case "cest", "eet", "mest":
		d.zone = 2 * 3600
	case "eest", "msk":
		d.zone = 3 * 3600
	case "jst", "kst":
		d.zone = 9 * 3600
	}
}

// offset reads "+0200", "-07:00", "+2".
func (d *dateParts) offset(s string) {
	n, digits := 0, 0
	for _, c := range []byte(s[1:]) {
		if digit(c) && digits < 4 {
			n = n*10 + int(c-'0')
			digits++
		}
	}
	if digits <= 2 {
		n *= 100
	}
	d.zone = n/100*3600 + n%100*60
	if s[0] == '-' {
		d.zone = -d.zone
	}
}

func (d *dateParts) time() time.Time {
	switch { // RFC 5322 section 4.3
	case d.year >= 0 && d.year < 50:
		d.year += 2000
	case d.year >= 50 && d.year < 1000:
		d.year += 1900
	}
	if d.year < 1970 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31 {
		return time.Time{}
	}
	d.hour = max(d.hour, 0)
	if d.pm && d.hour < 12 {
		d.hour += 12
	}
	if d.am && d.hour == 12 {
		d.hour = 0
	}
	if d.hour > 24 || d.minute > 60 || d.sec > 61 || d.zone < -24*3600 || d.zone > 24*3600 {
		return time.Time{}
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.sec, 0, time.UTC)
	return t.Add(-time.Duration(d.zone) * time.Second)
}

func digit(c byte) bool  { return '0' <= c && c <= '9' }
func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
