package dkim

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// Tags is a tag=value list (RFC 6376 section 3.2). Names are as written: they are case-sensitive.
type Tags map[string]string

const maxTags = 64 // of one list; the standards define some fifteen

var errTags = errors.New("malformed tag list")

// ParseTags reads a list strictly: a signature that can be read in two ways proves nothing.
func ParseTags(s string) (Tags, error) {
	t := Tags{}
	specs := strings.Split(s, ";")
	if strings.Trim(specs[len(specs)-1], FWS) == "" {
		specs = specs[:len(specs)-1]
	}
	if len(specs) > maxTags {
		return nil, errTags
	}
	for _, spec := range specs {
		name, value, found := strings.Cut(spec, "=")
		name, value = strings.Trim(name, FWS), strings.Trim(value, FWS)
		if _, twice := t[name]; !found || twice || !isTagName(name) || !isTagValue(value) {
			return nil, errTags
		}
		t[name] = value
	}
	return t, nil
}

// FWS is the folding white space that lists may hold anywhere between their words.
const FWS = " \t\r\n"

func isTagName(s string) bool {
	for i, c := range s {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

func isTagValue(s string) bool {
	for i := range len(s) {
		if (s[i] < '!' || s[i] == 0x7F) && !strings.Contains(FWS, s[i:i+1]) {
			return false
		}
	}
	return true
}

// compact is s without white space.
func compact(s string) string {
	if !strings.ContainsAny(s, FWS) {
		return s
	}
	return strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(s)
}

// bytes decodes a tag of base64, white space ignored; nil if it is empty or malformed.
func (t Tags) bytes(name string) []byte {
	b, err := base64.StdEncoding.DecodeString(compact(t[name]))
	if err != nil {
		return nil
	}
	return b
}

// List is the parts of a tag that colons separate.
func (t Tags) List(name string) []string {
	parts := strings.Split(t[name], ":")
	for i := range parts {
		parts[i] = strings.Trim(parts[i], FWS)
	}
	return parts
}

// number reads a tag of decimal digits. A tag that is not there is -1.
func (t Tags) number(name string) (int64, error) {
	s, there := t[name]
	if !there {
		return -1, nil
	}
	n, err := strconv.ParseUint(s, 10, 63) // takes no sign
	if err != nil || len(s) > 76 {
		return 0, errTags
	}
	return int64(n), nil
}

// ToDomain is a domain as DNS is asked for it: A-labels, lower case, no final dot. "" if it is none.
func ToDomain(s string) string {
	s = strings.TrimSuffix(strings.ToLower(s), ".")
	ascii, err := idna.Punycode.ToASCII(s)
	if err != nil || len(ascii) > 253 {
		return ""
	}
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || len(label) > 63 {
			return ""
		}
		for i := range len(label) {
			c := label[i]
			if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return ""
			}
		}
	}
	return ascii
}
