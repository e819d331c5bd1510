package message

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// names are the words of a stored number, by number. A number that this build does not know is written as "#n" and read
// back as n, so that a record of a newer build survives the way through an older one.
type names []string

func (n names) of(v uint8) string {
	if int(v) < len(n) {
		return n[v]
	}
	return "#" + strconv.Itoa(int(v))
}

func (n names) parse(what string, b []byte, v *uint8) error {
	if i := slices.Index(n, string(b)); i >= 0 {
		*v = uint8(i)
		return nil
	}
	if rest, ok := strings.CutPrefix(string(b), "#"); ok {
		if u, err := strconv.ParseUint(rest, 10, 8); err == nil {
			*v = uint8(u)
			return nil
		}
	}
	known := slices.DeleteFunc(slices.Clone(n), func(s string) bool { return s == "" })
	return fmt.Errorf("unknown %s %q: use one of %s", what, b, strings.Join(known, ", "))
}
