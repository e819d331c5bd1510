package sign

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"rempart/message/dkim"
)

// Config is table [sign]: which mail is signed, and with what. Mail that your users send is DKIM-signed where the domain in
// From, or one above it, has a key; mail coming in is sealed (ARC) where arc_domain is set. Keys are read at the start and on
// reload.
type Config struct {
	// Key lists keys, tables [[sign.key]]. Of the keys of one domain and algorithm the last is the newest: it signs once DNS
	// has shown its record for an hour, until then the one before it does. A domain with an RSA and an Ed25519 key gets two
	// signatures. Default: none.
	Key []KeyConfig `toml:"key"`

	// Path is where the keys of other domains are, as in rspamd's dkim_signing:
	// "/var/lib/rspamd/dkim/$domain.$selector.key". Every domain of the selector map has its key there; without one for it,
	// every file that fits the path with the selector below is a domain's key. Default: none.
	Path string `toml:"path"`

	// Selector of the keys at path where the selector map names no other. Default: dkim.
	Selector string `toml:"selector"`

	// SelectorMap is a file of lines "domain selector", as rspamd reads it. Several lines for one domain are keys of
	// different age, the newest last. Default: none.
	SelectorMap string `toml:"selector_map"`

	// PathMap is a file of lines "domain path", as rspamd reads it; $domain and $selector stand for themselves in the path.
	// Default: none.
	PathMap string `toml:"path_map"`

	// Accounts that may sign, for keys that name none of their own: "ben@example.org", "newsletter", or all of a domain,
	// "@example.org". "@$domain" is every account whose own domain is the author's or above it, much as rspamd has it unless
	// told otherwise. Where accounts are named, mail without an account is not signed. Default: whoever may send.
	Accounts []string `toml:"accounts"`

	// ARCDomain seals mail coming in (ARC) with the RSA key of this domain, under its name, so that who gets it by way of you
	// can see what you saw of SPF, DKIM and DMARC. It needs DNS. Default: none, nothing is sealed.
	ARCDomain string `toml:"arc_domain"`
}

// KeyConfig is one key, table [[sign.key]].
type KeyConfig struct {
	// Domain that signs (d=): that of the author's address or one above it.
	Domain string `toml:"domain"`

	// Selector under which DNS has the key: SELECTOR._domainkey.DOMAIN.
	Selector string `toml:"selector"`

	// File with the private key: PEM (PKCS #1 or PKCS #8), or base64 as rspamd writes it; RSA of 1024 bits at least,
	// better 2048, or Ed25519. `rempart dkim new` makes one.
	File string `toml:"file"`

	// Accounts that may sign with it, as in [sign]. Default: those of [sign].
	Accounts []string `toml:"accounts"`
}

const defaultSelector = "dkim" // rspamd's

// Check names every key that is wrong. Files are read by [Load].
func (c Config) Check() error {
	var errs []error
	seen := map[string]bool{}
	for i, k := range c.Key {
		key := fmt.Sprintf("sign.key[%d]", i)
		if dkim.ToDomain(k.Domain) == "" {
			errs = append(errs, fmt.Errorf("%s.domain = %q: name the domain that signs", key, k.Domain))
		}
		if dkim.ToDomain(k.Selector) == "" {
			errs = append(errs, fmt.Errorf("%s.selector = %q: use letters, digits and hyphens", key, k.Selector))
		}
		if k.File == "" {
			errs = append(errs, fmt.Errorf("%s.file = \"\": name the file of the private key", key))
		}
		if name := dkim.KeyName(dkim.ToDomain(k.Selector), dkim.ToDomain(k.Domain)); seen[name] {
			errs = append(errs, fmt.Errorf("%s.selector = %q: the domain has it twice", key, k.Selector))
		} else {
			seen[name] = true
		}
		errs = append(errs, checkAccounts(key, k.Accounts))
	}
	errs = append(errs, checkAccounts("sign", c.Accounts))
	if c.Selector != "" && dkim.ToDomain(c.Selector) == "" {
		errs = append(errs, fmt.Errorf("sign.selector = %q: use letters, digits and hyphens", c.Selector))
	}
	if c.SelectorMap != "" && c.Path == "" && c.PathMap == "" {
		errs = append(errs, errors.New("sign.selector_map: the keys' files are not named: set path or path_map"))
	}
	if c.Path != "" && c.SelectorMap == "" && !strings.Contains(c.Path, "$domain") {
		errs = append(errs, fmt.Errorf("sign.path = %q: write $domain where the domain's name stands, or name the domains in a selector_map", c.Path))
	}
	if c.ARCDomain != "" && dkim.ToDomain(c.ARCDomain) == "" {
		errs = append(errs, fmt.Errorf("sign.arc_domain = %q: name a domain", c.ARCDomain))
	}
	return errors.Join(errs...)
}

func checkAccounts(key string, accounts []string) error {
	if i := slices.Index(accounts, ""); i >= 0 {
		return fmt.Errorf("%s.accounts[%d] = \"\": name an account, or @ and a domain", key, i)
	}
	return nil
}

// ownDomain stands for every account that writes in its own domain.
const ownDomain = "@$domain"

// allows reports whether an account, empty if there is none, may sign for an author's domain.
func allows(accounts []string, account, author string) bool {
	if len(accounts) == 0 {
		return true
	}
	of := ""
	if at := strings.LastIndexByte(account, '@'); at >= 0 {
		of = dkim.ToDomain(account[at+1:])
	}
	return account != "" && slices.ContainsFunc(accounts, func(a string) bool {
		switch {
		case a == ownDomain:
			return of != "" && (author == of || strings.HasSuffix(author, "."+of))
		case a[0] == '@':
			return of != "" && of == dkim.ToDomain(a[1:])
		}
		return strings.EqualFold(a, account)
	})
}
