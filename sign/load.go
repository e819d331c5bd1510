package sign

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"rempart/message/dkim"
)

// maxMap bounds a map's file: some 300,000 domains.
const maxMap = 16 << 20

// Load reads the keys of a configuration that passed its check. Errors name the setting, the file and why; warnings the files
// whose keys are unwise.
func Load(c Config) (s *Signer, warnings []string, err error) {
	l := loader{signer: &Signer{keys: map[string][]*key{}, arc: dkim.ToDomain(c.ARCDomain)}, config: c, mapped: map[string]bool{}}
	l.maps()
	l.files()
	for i, k := range c.Key {
		l.add(fmt.Sprintf("sign.key[%d].file", i), k)
	}
	if a := l.signer.arc; a != "" && len(l.errs) == 0 && !l.signer.has(a, dkim.RSA) {
		l.errs = append(l.errs, fmt.Errorf("sign.arc_domain = %q: it has no RSA key", c.ARCDomain))
	}
	return l.signer, l.warnings, errors.Join(l.errs...)
}

// loader collects the keys.
type loader struct {
	signer   *Signer
	config   Config
	mapped   map[string]bool // domains that a map names
	warnings []string
	errs     []error
}

// add reads one key; at is the setting that names it.
func (l *loader) add(at string, c KeyConfig) {
	p, warnings, err := readPrivate(c.File)
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("%s: %w", at, err))
		return
	}
	l.warnings = append(l.warnings, warnings...)
	if c.Accounts == nil {
		c.Accounts = l.config.Accounts
	}
	k := &key{Private: p, domain: dkim.ToDomain(c.Domain), selector: dkim.ToDomain(c.Selector), record: p.Record(), file: c.File,
		accounts: c.Accounts}
	for _, other := range l.signer.keys[k.domain] {
		if other.selector == k.selector {
			l.errs = append(l.errs, fmt.Errorf("%s: %s has the selector %s twice: here and in %s", at, k.domain, k.selector, other.file))
			return
		}
	}
	k.finding.Store(&finding{State: Unknown})
	l.signer.keys[k.domain] = append(l.signer.keys[k.domain], k)
}

// maps adds the keys of the domains that rspamd's maps name.
func (l *loader) maps() {
	selectors, paths := l.read("sign.selector_map", l.config.SelectorMap), l.read("sign.path_map", l.config.PathMap)
	pathOf := map[string]entry{}
	for _, e := range paths {
		if other, twice := pathOf[e.domain]; twice {
			l.errs = append(l.errs, fmt.Errorf("%s: %s is in line %s already", e.at, e.domain, other.at))
		}
		pathOf[e.domain] = e
	}
	for _, e := range selectors {
		l.mapped[e.domain] = true
		path := l.config.Path
		if p, ok := pathOf[e.domain]; ok {
			path = p.value
		}
		switch {
		case dkim.ToDomain(e.value) == "":
			l.errs = append(l.errs, fmt.Errorf("%s: %q is no selector", e.at, e.value))
		case path == "":
			l.errs = append(l.errs, fmt.Errorf("%s: no path for %s: set path, or name it in path_map", e.at, e.domain))
		default:
			l.add(e.at, KeyConfig{Domain: e.domain, Selector: e.value, File: expand(path, e.domain, e.value)})
		}
	}
	for _, e := range paths {
		if !l.mapped[e.domain] {
			l.mapped[e.domain] = true
			l.add(e.at, KeyConfig{Domain: e.domain, Selector: l.selector(), File: expand(e.value, e.domain, l.selector())})
		}
	}
}

// files adds the keys that lie at path for domains that no map names.
func (l *loader) files() {
	path := expand(l.config.Path, "$domain", l.selector())
	before, _, found := strings.Cut(path, "$domain")
	if !found {
		return
	}
	escape := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`)
	files, err := filepath.Glob(strings.ReplaceAll(escape.Replace(path), "$domain", "*"))
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("sign.path = %q: %w", l.config.Path, err))
	}
	behind := path[strings.LastIndex(path, "$domain")+len("$domain"):]
	n := 0
	for _, f := range files {
		domain := strings.TrimPrefix(f, before)
		if strings.Count(path, "$domain") == 1 {
			domain = strings.TrimSuffix(domain, behind)
		} else {
			domain, _, _ = strings.Cut(domain, "/")
		}
		if dkim.ToDomain(domain) == "" || strings.ReplaceAll(path, "$domain", domain) != f {
			continue
		}
		n++
		if !l.mapped[dkim.ToDomain(domain)] {
			l.add("sign.path", KeyConfig{Domain: domain, Selector: l.selector(), File: f})
		}
	}
	if n == 0 && l.config.SelectorMap == "" {
		l.warnings = append(l.warnings, fmt.Sprintf("sign.path = %q: there is no key for the selector %s", l.config.Path, l.selector()))
	}
}

func (l *loader) selector() string {
	if l.config.Selector == "" {
		return defaultSelector
	}
	return l.config.Selector
}

func expand(path, domain, selector string) string {
	return strings.NewReplacer("$domain", domain, "$selector", selector).Replace(path)
}

// entry is one line of a map.
type entry struct {
	domain, value string
	at            string // setting, file and line
}

// read reads a map of rspamd: a domain and a value in each line, perhaps in quotes; what stands behind # is a comment.
func (l *loader) read(setting, path string) (entries []entry) {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("%s: %w", setting, err))
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMap+1))
	if err == nil && len(b) > maxMap {
		err = fmt.Errorf("%s is longer than %d bytes", path, maxMap)
	}
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("%s: %w", setting, err))
		return nil
	}
	entries, err = parseMap(setting+": "+path, string(b))
	l.errs = append(l.errs, err)
	return entries
}

func parseMap(name, text string) (entries []entry, err error) {
	var errs []error
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		at := fmt.Sprintf("%s:%d", name, n)
		domain := dkim.ToDomain(strings.Trim(words[0], `"'`))
		if domain == "" || len(words) != 2 {
			errs = append(errs, fmt.Errorf("%s: want a domain and one word behind it", at))
			continue
		}
		entries = append(entries, entry{domain, strings.Trim(words[1], `"'`), at})
	}
	return entries, errors.Join(errs...)
}
