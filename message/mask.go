package message

import "strings"

// Masked keeps the first letter and the domain of an address, and the length of all else: whose it is, to who knows them, and nobody's to
// others. Logs and the audit trail write people so.
func Masked(s string) string {
	if s == "" {
		return ""
	}
	local, domain, ok := strings.Cut(s, "@")
	if ok {
		return Masked(local) + "@" + domain
	}
	r := []rune(s)
	return string(r[0]) + strings.Repeat("*", len(r)-1)
}
