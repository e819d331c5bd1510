package link

import (
	"encoding/base64"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"rempart/message"
	wire "rempart/message/link"
)

// maxPaths bounds how many links one signal reads, maxPath how much of each.
const (
	maxPaths = 24
	maxPath  = 160
)

// elsewhere calls visit with the links that lead to another domain than the author's, until it returns false.
func elsewhere(m *message.Message, visit func(l *message.Link, path string) bool) {
	author, n := m.Facts.Guise.Author, 0
	for i := range m.Links {
		l := &m.Links[i]
		if !l.Kind.Followed() || l.Host == "" || author != "" && strings.HasSuffix(l.Host, author) {
			continue
		}
		if n++; n > maxPaths {
			return
		}
		path := pathOf(l.URL)
		if !visit(l, path[:min(len(path), maxPath)]) {
			return
		}
	}
}

// credentials are words of paths at which secrets are asked for.
var credentials = map[string]bool{
	"login": true, "signin": true, "logon": true, "verify": true, "verification": true, "webmail": true, "webscr": true, "owa": true,
	"password": true, "passwort": true, "credential": true, "credentials": true, "banking": true, "validate": true, "unlock": true,
	"authenticate": true, "secure": true, "confirmation": true, "wallet": true, "roundcube": true, "zimbra": true,
}

// CredentialPath speaks against a link to another domain than the author's with a word in its path at which secrets are asked
// for ("login", "verify", "webmail"). Value: 1. Arguments: the host, the word.
func CredentialPath(m *message.Message) (r message.Result) {
	if m.Header.Count("List-Id") > 0 {
		return message.Absent
	}
	elsewhere(m, func(l *message.Link, path string) bool {
		if end := strings.IndexAny(path, "?#"); end >= 0 {
			path = path[:end]
		}
		if word := wordIn(path, credentials); word != "" {
			r = message.Present(1, quote(l.Host), word)
			return false
		}
		return true
	})
	return r
}

// wordIn finds the first of the words that stands whole in s.
func wordIn(s string, words map[string]bool) string {
	var buf [16]byte
	n := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && 'a' <= s[i]|0x20 && s[i]|0x20 <= 'z' {
			if n < len(buf) {
				buf[n] = s[i] | 0x20
			}
			n++
			continue
		}
		if 3 <= n && n <= len(buf) && words[string(buf[:n])] {
			return string(buf[:n])
		}
		n = 0
	}
	return ""
}

// Intruded speaks against a link to a page among the files of a WordPress site, where its owner puts none and intruders do
// ("/wp-content/plugins/x/index.php"). Value: 1. Argument: the host.
func Intruded(m *message.Message) (r message.Result) {
	elsewhere(m, func(l *message.Link, path string) bool {
		at := strings.Index(path, "/wp-")
		if at < 0 {
			return true
		}
		path, _, _ = strings.Cut(path[at+4:], "?")
		path, _, _ = strings.Cut(path, "#")
		inside := strings.HasPrefix(path, "content/") || strings.HasPrefix(path, "includes/") || strings.HasPrefix(path, "admin/")
		if inside && (strings.HasSuffix(path, "/") || strings.HasSuffix(path, ".php") || strings.HasSuffix(path, ".html") || strings.HasSuffix(path, ".htm")) {
			r = message.Present(1, quote(l.Host))
			return false
		}
		return true
	})
	return r
}

// RecipientInside speaks against a link to another domain than the author's that carries the recipient's address, as written
// or in base64: the page greets its victim by it. Links that end a subscription carry it honestly. Value: 1, or 2 after "#",
// where only the page itself sees it. Argument: the host.
func RecipientInside(m *message.Message) (r message.Result) {
	var addresses []string
	for i := range m.Recipients[:min(len(m.Recipients), 2)] {
		addresses = append(addresses, strings.ToLower(m.Recipients[i].Address))
	}
	if len(addresses) == 0 {
		for i := range m.To[:min(len(m.To), 2)] {
			if m.To[i].Domain != "" {
				addresses = append(addresses, strings.ToLower(m.To[i].String()))
			}
		}
	}
	if len(addresses) == 0 {
		return message.Absent
	}
	elsewhere(m, func(l *message.Link, path string) bool {
		if len(path) < 8 || unsubscribes(path) {
			return true
		}
		at := holds(path, addresses)
		if at < 0 {
			return true
		}
		value := 1.0
		if hash := strings.IndexByte(path, '#'); hash >= 0 && hash < at {
			value = 2
		}
		r = message.Present(value, quote(l.Host))
		return false
	})
	return r
}

// unsubscribes reports the words of links with which a reader ends or changes a subscription.
func unsubscribes(path string) bool {
	path = strings.ToLower(path)
	for _, w := range [...]string{"unsub", "optout", "opt-out", "opt_out", "remove", "preference", "subscri", "abmeld", "desinscri", "baja"} {
		if strings.Contains(path, w) {
			return true
		}
	}
	return false
}

// holds is where the path holds one of the addresses, or -1.
func holds(path string, addresses []string) int {
	lower := ""
	if strings.IndexByte(path, '@') >= 0 || strings.Contains(path, "%40") {
		lower = strings.Replace(strings.ToLower(path), "%40", "@", 1)
	}
	for _, a := range addresses {
		if lower != "" {
			if at := strings.Index(lower, a); at >= 0 {
				return at
			}
		}
		if len(a) >= 6 {
			whole := len(a) / 3 * 3 // what follows does not change these letters
			if at := strings.Index(path, base64.StdEncoding.EncodeToString([]byte(a[:whole]))); at >= 0 {
				return at
			}
		}
	}
	return -1
}

// RandomHost speaks against links to a registered domain that looks drawn by lot ("x7k2qv9t.example"). Value: 1. Argument: the
// host.
func RandomHost(m *message.Message) message.Result {
	for i := range m.Facts.Guise.Hosts {
		h := &m.Facts.Guise.Hosts[i]
		name, suffix, ok := strings.Cut(h.Domain, ".")
		if !ok || h.Domain == m.Facts.Guise.Author || !wire.Random(name) {
			continue
		}
		if _, own := publicsuffix.PublicSuffix(suffix); own || !strings.Contains(suffix, ".") { // not drawn by a hosting service
			return message.Present(1, quote(h.Name))
		}
	}
	return message.Absent
}

// Punycode speaks against links to an internationalised host (RFC 5890) from an author who has none. Value: 1. Arguments: the
// host, as it is shown.
func Punycode(m *message.Message) message.Result {
	if strings.Contains(m.From.Domain, "xn--") || !ascii(m.From.Domain) {
		return message.Absent
	}
	for i := range m.Facts.Guise.Hosts {
		if h := &m.Facts.Guise.Hosts[i]; strings.HasPrefix(h.Name, "xn--") || strings.Contains(h.Name, ".xn--") {
			shown, err := idna.Punycode.ToUnicode(h.Name)
			if err != nil {
				shown = h.Name
			}
			return message.Present(1, quote(h.Name), quote(shown))
		}
	}
	return message.Absent
}

// manyDomains is from how many on links lead all over the web.
const manyDomains = 6

// ManyDomains says that links lead to six registered domains or more that are not the author's. Value: log2 of their number, 2.8
// to 4. Argument: their number.
func ManyDomains(m *message.Message) message.Result {
	hosts := m.Facts.Guise.Hosts
	n := 0
	for i := range hosts {
		first := hosts[i].Domain != m.Facts.Guise.Author
		for j := 0; j < i && first; j++ {
			first = hosts[j].Domain != hosts[i].Domain
		}
		if first {
			n++
		}
	}
	if n < manyDomains {
		return message.Absent
	}
	return message.Present(count(n), n)
}

// OneElsewhere speaks a little against mail all of whose links lead to one registered domain that is not the author's. Value: 1.
// Argument: the domain.
func OneElsewhere(m *message.Message) message.Result {
	hosts := m.Facts.Guise.Hosts
	if len(hosts) == 0 || m.Facts.Guise.Author == "" || hosts[0].Domain == m.Facts.Guise.Author {
		return message.Absent
	}
	for i := range hosts {
		if hosts[i].Domain != hosts[0].Domain {
			return message.Absent
		}
	}
	return message.Present(1, quote(hosts[0].Domain))
}

// cheap are top level domains that cost next to nothing for the first year and fill the published lists of abuse.
var cheap = map[string]bool{
	"top": true, "xyz": true, "icu": true, "click": true, "shop": true, "buzz": true, "cfd": true, "sbs": true, "rest": true,
	"lat": true, "bond": true, "cyou": true, "hair": true, "beauty": true, "quest": true, "monster": true, "homes": true,
	"autos": true, "boats": true, "skin": true, "makeup": true, "mom": true, "pics": true, "lol": true, "wiki": true, "fun": true,
	"online": true, "site": true, "website": true, "space": true, "store": true, "live": true, "life": true, "today": true,
	"world": true, "best": true, "club": true, "vip": true, "win": true, "bid": true, "loan": true, "date": true, "racing": true,
	"review": true, "stream": true, "trade": true, "party": true, "men": true, "gdn": true, "work": true, "surf": true, "help": true,
	"digital": true, "support": true, "services": true, "center": true, "zone": true, "fit": true, "uno": true, "pw": true,
	"tk": true, "ml": true, "ga": true, "cf": true, "gq": true, "cc": true, "ws": true, "su": true, "rip": true, "christmas": true,
}

// CheapHost speaks against links to a host of a top level domain that is almost free and much abused, from an author of another
// domain. Value: log2 of the number of hosts, 1 to 4. Argument: the first host.
func CheapHost(m *message.Message) message.Result {
	n, first := 0, ""
	for i := range m.Facts.Guise.Hosts {
		h := &m.Facts.Guise.Hosts[i]
		if h.Domain != m.Facts.Guise.Author && cheap[h.Name[strings.LastIndexByte(h.Name, '.')+1:]] {
			if n++; n == 1 {
				first = h.Name
			}
		}
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), quote(first))
}

// CheapAuthor speaks against an author whose domain is of such a top level domain. Value: 1. Argument: the domain.
func CheapAuthor(m *message.Message) message.Result {
	d := m.From.Domain
	if dot := strings.LastIndexByte(d, '.'); dot < 0 || !cheap[d[dot+1:]] {
		return message.Absent
	}
	return message.Present(1, quote(d))
}
