package guise

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// brand is a name that many know: its spellings, in small letters with single spaces, and the domains of its owner.
type brand struct {
	spellings string // parted by |
	domains   string // parted by spaces
	common    bool   // also a word or surname
}

// spelling is one way to write a brand.
type spelling struct {
	first    string // word, as written
	skeleton string
	words    int
	brand    *brand
}

// index finds brands.
type index struct {
	spellings map[string][]spelling // by the skeleton of the first word; longer ones stand first
	unspaced  []spelling            // of scripts that put no space between words
	owners    map[string][]*brand   // by domain
	long      []spelling            // of one word, long enough that one letter may be wrong
	starts    [1 << 16]bool         // the first two bytes of skeletons
}

var known = func() *index {
	x := &index{spellings: map[string][]spelling{}, owners: map[string][]*brand{}}
	for i := range brands {
		b := &brands[i]
		for text := range strings.SplitSeq(b.spellings, "|") {
			x.add(b, text)
		}
		for d := range strings.FieldsSeq(b.domains) {
			x.owners[d] = append(x.owners[d], b)
		}
	}
	return x
}()

func (x *index) add(b *brand, text string) {
	skeleton := string(appendSkeleton(nil, text))
	first, _, _ := strings.Cut(text, " ")
	s := spelling{first, skeleton, 1 + strings.Count(skeleton, " "), b}
	if skeleton[0] >= 0xe3 { // Kana and ideographs
		x.unspaced = append(x.unspaced, s)
		return
	}
	key, _, _ := strings.Cut(skeleton, " ")
	x.starts[start(key)] = true
	if s.words == 1 && len(skeleton) >= minNear && !b.common {
		x.long = append(x.long, s)
	}
	at := slices.IndexFunc(x.spellings[key], func(o spelling) bool { return len(o.skeleton) < len(skeleton) })
	if at < 0 {
		at = len(x.spellings[key])
	}
	x.spellings[key] = slices.Insert(x.spellings[key], at, s)
}

// start is a word's first two bytes as a number.
func start[T string | []byte](word T) uint16 {
	n := uint16(word[0]) << 8
	if len(word) > 1 {
		n |= uint16(word[1])
	}
	return n
}

// owns reports whether a registered domain is the brand's.
func (b *brand) owns(domain string) bool {
	if b.listed(domain) {
		return true
	}
	label, suffix, ok := strings.Cut(domain, ".")
	return ok && anyCountry(suffix) && b.listed(label+".*")
}

func (b *brand) listed(domain string) bool {
	for _, o := range known.owners[domain] {
		if o == b {
			return true
		}
	}
	return false
}

// ownsHost reports whether a host is under one of the brand's domains.
func (b *brand) ownsHost(host, domain string) bool {
	if b.owns(domain) {
		return true
	}
	for { // some own a public suffix, or one label below it
		if b.listed(host) {
			return true
		}
		_, rest, ok := strings.Cut(host, ".")
		if !ok {
			return false
		}
		host = rest
	}
}

// anyCountry reports a suffix that a well-known owner may be trusted to have everywhere: a country's, or the oldest ones.
func anyCountry(suffix string) bool {
	switch suffix {
	case "com", "net", "org":
		return true
	}
	first, last, two := strings.Cut(suffix, ".")
	if !two {
		return len(suffix) == 2
	}
	return len(last) == 2 && (first == "com" || first == "co" || first == "ne" || first == "or")
}

// office are the words that make a common word a brand: what an office calls itself.
var office = set(`account accounts admin alert alerts app bank banking billing business care center centre
		com client customer customers department desk fraud gift help helpdesk id inc info invoice service services shipping
		llc ltd mail mailer member members message news no noreply notice notification notifications notify online order orders
		parcel pay payment payments post prime protection refund reply reward rewards safety secure security store support
		survey team tracking update updates verification winner wallet
		kundenservice kunde kunden konto paket sicherheit team rechnung mitteilung gewinnspiel gutschein
		cliente clientes atencion atención seguridad cuenta premio aviso soporte conta segurança suporte
		compte client clients sécurité securite assistance colis avis facture livraison
		servizio clienti supporto sicurezza conto klantenservice pakket bezorging
	поддержка служба безопасности 客服 サポート`)

// claim is a brand that a text names.
type claim struct {
	brand    *brand
	text     string // its words, folded
	disguise bool   // with letters that only look like its own
}

// claimIn finds the first brand that a text names. words is the text as appendWords makes it.
func claimIn(words, text string) claim {
	var buf [96]byte
	for at := 0; at < len(words); {
		end := at + wordEnd(words[at:])
		if n := end - at; n > 0 && n <= maxWord && maybe(words[at:end]) {
			if first := skeleton(append(buf[:0], words[at:end]...)); len(first) > 0 {
				if c := claimAt(words, at, first, text); c.brand != nil {
					return c
				}
			}
		}
		at = end + 1
	}
	return claim{}
}

// maybe reports whether a folded word can begin a brand: most words are passed over by a look at two bytes.
func maybe(word string) bool {
	if len(word) < 2 || word[0] >= utf8.RuneSelf || word[1] >= utf8.RuneSelf || strings.IndexByte("nrv", word[1]) >= 0 {
		return true // the skeleton may begin otherwise
	}
	return known.starts[uint16(plain[word[0]])<<8|uint16(plain[word[1]])]
}

// maxWord bounds the words that are looked up, in bytes.
const maxWord = 48

// claimAt finds the brand whose first word, of that skeleton, stands at that place.
func claimAt(words string, at int, first []byte, text string) claim {
	if known.starts[start(first)] {
		for _, s := range known.spellings[string(first)] {
			if said := s.at(words, at); said != "" {
				return claim{s.brand, said, !strings.Contains(strings.ToLower(text), s.first)}
			}
		}
	}
	if first[0] >= 0xe3 {
		return unspacedClaim(words[at : at+wordEnd(words[at:])])
	}
	return claim{}
}

func unspacedClaim(word string) claim {
	for _, s := range known.unspaced {
		if strings.Contains(word, s.first) {
			return claim{brand: s.brand, text: s.first}
		}
	}
	return claim{}
}

func wordEnd(s string) int {
	if i := strings.IndexByte(s, ' '); i >= 0 {
		return i
	}
	return len(s)
}

// at returns the words at that place if they are the spelling's.
func (s *spelling) at(words string, at int) string {
	end := at + wordEnd(words[at:])
	for range s.words - 1 {
		if end+1 >= len(words) {
			return ""
		}
		end += 1 + wordEnd(words[end+1:])
	}
	var buf [96]byte
	said := words[at:end]
	if string(skeleton(append(buf[:0], said...))) != s.skeleton {
		return ""
	}
	if s.brand.common && !(alone(words[:at]) && alone(words[end:])) {
		return ""
	}
	return said
}

// alone reports words of an office only, none included.
func alone(words string) bool {
	for w := range strings.FieldsSeq(words) {
		if !office[w] && w != "your" && w != "the" {
			return false
		}
	}
	return true
}

// minImitated: shorter brands occur in honest names by chance; minNear: so do those with one letter wrong.
const (
	minImitated = 5
	minNear     = 7
)

// imitated finds the brand that a label of a host name imitates.
func imitated(label string) *brand {
	if len(label) > 63 || len(label) < minImitated {
		return nil
	}
	var buf [2 * 96]byte
	for part := range strings.SplitSeq(label, "-") {
		if len(part) < minImitated {
			continue
		}
		skeleton := appendSkeleton(buf[:0], part)
		if len(skeleton) == 0 { // nothing that a reader sees
			continue
		}
		if b := brandOf(skeleton); b != nil && (lured(label, part) || !b.common && part == label) {
			return b
		}
		if b := joinedBrand(skeleton); b != nil {
			return b
		}
	}
	return nil
}

// neighbours are words one letter from a brand.
var neighbours = set(`finance finances telecom revolt privatebank mercado horizon barclay`)

// brandOf finds the brand of one word.
func brandOf(skeleton []byte) *brand {
	for _, s := range known.spellings[string(skeleton)] {
		if s.words == 1 {
			return s.brand
		}
	}
	return nil
}

// lures are the words that imitations put beside a brand in a host name; owners put "shop", "mail" or "news" there.
var lures = set(`account accounts alert alerts auth authentication billing cliente clientes client clients claim confirm customer
	delivery help helpdesk id info login logon notice notification pay payment prize protection recovery refund restore reward
	rewards secure secured security service services signin staff support team unlock update updates user validate validation
	verification verify verified wallet web webmail winner
	konto sicherheit kundenservice cuenta seguridad conta seguranca soporte suporte compte securite verificar verifica`)

// lured reports that another part of a label is a lure, or all of them are numbers.
func lured(label, part string) bool {
	for p := range strings.SplitSeq(label, "-") {
		if p != part && (lures[p] || strings.Trim(p, "0123456789") == "") {
			return true
		}
	}
	return false
}

// joinedBrand finds a brand joined with a lure ("brandsupport").
func joinedBrand(skeleton []byte) *brand {
	begins := known.starts[start(skeleton)]
	for cut := 3; cut+3 <= len(skeleton); cut++ {
		if begins && cut >= minImitated && lureSkeleton[string(skeleton[cut:])] {
			if b := brandOf(skeleton[:cut]); b != nil && !b.common {
				return b
			}
		}
		if len(skeleton)-cut >= minImitated && known.starts[start(skeleton[cut:])] && lureSkeleton[string(skeleton[:cut])] {
			if b := brandOf(skeleton[cut:]); b != nil && !b.common {
				return b
			}
		}
	}
	return nil
}

var lureSkeleton = func() map[string]bool {
	m := make(map[string]bool, len(lures))
	for w := range lures {
		if len(w) >= 3 {
			m[string(appendSkeleton(nil, w))] = true
		}
	}
	return m
}()

// misspelt finds a brand that the label is with one letter wrong.
func misspelt(label string) *brand {
	if len(label) < minNear || neighbours[label] {
		return nil
	}
	skeleton := string(appendSkeleton(nil, label))
	if skeleton == "" {
		return nil
	}
	for _, s := range known.long {
		d := len(s.skeleton) - len(skeleton)
		ends := s.skeleton[0] == skeleton[0] || s.skeleton[len(s.skeleton)-1] == skeleton[len(skeleton)-1] // one wrong letter leaves one
		if ends && -1 <= d && d <= 1 && near(skeleton, s.skeleton) {
			return s.brand
		}
	}
	return nil
}

// shown is a label of a host name as programs show it (RFC 5890: A-labels as U-labels).
func shown(label string) string {
	if !strings.HasPrefix(label, "xn--") || len(label) > 63 {
		return label
	}
	u, err := idna.Punycode.ToUnicode(label)
	if err != nil {
		return label
	}
	return u
}
