// Package foreign reads the lists of other filters, SpamAssassin's configuration and rspamd's maps, as entries of a policy.
//
// Ours name verified identities only: the domain of a signature (DKIM) or of an envelope sender (SPF) that passed, or the
// client's network. An entry that trusts what a mail claims is narrowed to mail that proves it, with a [Warning]; one for
// which there is nothing safe is left out, with a [Warning] that says why. What other filters learned cannot be read: their
// tokens are other hashes ([ErrLearned]).
package foreign

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"rempart/policy"
)

// Lists is what was read, in the order of the files.
type Lists struct {
	Allow, Deny []policy.Entry
	Warnings    []Warning
}

// Warning says what an entry lost on the way, or why it is left out.
type Warning struct {
	Why   string
	Lines []string // "FILE:LINE: ENTRY", the first of them
	Count int
}

// Errors of reading.
var (
	// ErrLearned is a file with what another filter learned.
	ErrLearned = errors.New("this is what another filter learned: its tokens are other hashes than ours")
	// ErrTooMany is more than maxEntries entries: a policy is asked entry by entry for every mail.
	ErrTooMany = errors.New("more than 10,000 entries: a list of that length belongs in a DNS list")
)

const (
	maxEntries = 10_000
	maxLine    = 64 << 10
	maxNamed   = 5
)

// Reasons of warnings.
const (
	whyClaimed  = "anyone can write a sender's address: the entry counts only where DKIM or SPF proves the domain"
	whyPattern  = "left out: the pattern fits addresses of domains that others own"
	whySuffix   = "left out: anybody can register a domain below this one"
	whyRelay    = "left out: the relay's name is no verified identity; allow its network, or the domain by whitelist_auth"
	whyTo       = "left out: what a recipient wants stands in [[policy.scope]], by thresholds"
	whyTakeBack = "left out: delete the entry that it takes back"
	whyRegexp   = "left out: there are no patterns in lists of verified identities"
	whyScore    = "the score is left out: an entry of a list decides, it does not add"
	whyNot      = "left out: neither an address, a domain nor a network"
	whyNegated  = "left out: there are no exceptions within a list; put the entry into the other list, allow is asked first"
)

// reader gathers entries of one file.
type reader struct {
	lists *Lists
	file  string
	line  int
	deny  bool
}

// eachLine calls do for each line without its comment.
func (l *Lists) eachLine(file string, r io.Reader, do func(*reader, string) error) error {
	b := bufio.NewReaderSize(r, 4096)
	if head, _ := b.Peek(512); learned(head) {
		return fmt.Errorf("%s: %w", file, ErrLearned)
	}
	lines := bufio.NewScanner(b)
	lines.Buffer(nil, maxLine)
	at := &reader{lists: l, file: file}
	for lines.Scan() {
		at.line++
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if err := do(at, text); err != nil {
			return err
		}
		if len(l.Allow)+len(l.Deny) > maxEntries {
			return fmt.Errorf("%s:%d: %w", file, at.line, ErrTooMany)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", file, at.line+1, err)
	}
	return nil
}

// learned knows the beginnings of what filters learned: sa-learn --backup (format 3), files of SQLite, Redis and Berkeley DB,
// and rspamadm statistics_dump (JSON, plain, compressed).
func learned(head []byte) bool {
	for _, start := range []string{"v\t3\tdb_version", "SQLite format 3\x00", "REDIS0", `{"pattern":`, "\x28\xb5\x2f\xfd"} {
		if bytes.HasPrefix(head, []byte(start)) {
			return true
		}
	}
	if len(head) >= 16 && slices.Contains(berkeleyMagic, string(head[12:16])) {
		return true
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	name, value, ok := bytes.Cut(line, []byte(`": `))
	return ok && len(name) > 0 && name[0] == '"' && len(value) > 0 && (value[0] == '{' || value[0] == '[')
}

// berkeleyMagic are hash (0x061561) and btree (0x053162), in either order of bytes, at place 12.
var berkeleyMagic = []string{"\x00\x06\x15\x61", "\x61\x15\x06\x00", "\x00\x05\x31\x62", "\x62\x31\x05\x00"}

func (r *reader) warn(why, entry string) {
	i := slices.IndexFunc(r.lists.Warnings, func(w Warning) bool { return w.Why == why })
	if i < 0 {
		i = len(r.lists.Warnings)
		r.lists.Warnings = append(r.lists.Warnings, Warning{Why: why})
	}
	w := &r.lists.Warnings[i]
	if w.Count++; len(w.Lines) < maxNamed {
		w.Lines = append(w.Lines, fmt.Sprintf("%s:%d: %.200s", r.file, r.line, entry))
	}
}

func (r *reader) add(e policy.Entry) {
	list := &r.lists.Allow
	if r.deny {
		list = &r.lists.Deny
	}
	if !slices.Contains(*list, e) {
		*list = append(*list, e)
	}
}

// by says which proofs of an identity an entry takes.
type by struct{ dkim, spf bool }

// sender adds an address, or a pattern for all of a domain ("*@a.example", "*@*.a.example"), as what proves it. Signer, if not
// empty, is the domain that signs. It reports whether there is an entry now.
func (r *reader) sender(pattern, signer string, proof by) bool {
	local, domain, ok := strings.Cut(strings.ToLower(pattern), "@")
	if !ok {
		if domain, ok = strings.CutPrefix(local, "*."); !ok {
			r.warn(whyPattern, pattern)
			return false
		}
		local, domain = "*", "*."+domain
	}
	if below, is := strings.CutPrefix(domain, "*."); is {
		domain = "." + below
	}
	if domain == "" || strings.ContainsAny(domain, "*?") || local != "*" && (strings.ContainsAny(local, "*?") || domain[0] == '.') || local == "" {
		r.warn(whyPattern, pattern)
		return false
	}
	ascii, ok := r.domain(domain, pattern)
	if !ok {
		return false
	}
	e := policy.Entry{}
	if local != "*" {
		e.From = local + "@" + ascii
	}
	if signer == "" {
		signer = ascii
	} else if signer, ok = r.domain(signer, pattern); !ok {
		return false
	}
	if proof.dkim {
		signed := e
		signed.DKIM = signer
		r.add(signed)
	}
	if proof.spf {
		e.SPF = signer
		r.add(e)
	}
	return true
}

// domain checks a domain, with a dot in front if those below it are meant, and makes it ASCII.
func (r *reader) domain(name, entry string) (string, bool) {
	bare := strings.TrimSuffix(strings.TrimPrefix(name, "."), ".")
	ascii, err := idna.Lookup.ToASCII(bare)
	if suffix, icann := publicsuffix.PublicSuffix(ascii); err == nil && icann && suffix == ascii {
		r.warn(whySuffix, entry)
		return "", false
	}
	if err != nil || !strings.Contains(ascii, ".") || strings.Trim(ascii, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		r.warn(whyNot, entry)
		return "", false
	}
	if name[0] == '.' {
		ascii = "." + ascii
	}
	return ascii, true
}

func (r *reader) network(s string) bool {
	s = strings.Trim(s, "[]")
	if _, err := netip.ParseAddr(s); err != nil {
		if p, err := netip.ParsePrefix(s); err != nil || p.Bits() == 0 {
			return false
		}
	}
	r.add(policy.Entry{Network: s})
	return true
}

// WriteTo writes the entries as they stand in our configuration (TOML).
func (l *Lists) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	for _, list := range []struct {
		name    string
		entries []policy.Entry
	}{{"allow", l.Allow}, {"deny", l.Deny}} {
		for _, e := range list.entries {
			fmt.Fprintf(&b, "[[policy.%s]]\n", list.name)
			for _, key := range []struct{ name, value string }{{"dkim", e.DKIM}, {"spf", e.SPF}, {"from", e.From}, {"network", e.Network}} {
				if key.value != "" {
					fmt.Fprintf(&b, "%s = %s\n", key.name, quoted(key.value))
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.WriteTo(w)
}

// quoted is a basic string of TOML.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteRune('\\')
			b.WriteRune(c)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, "\\u%04x", c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
