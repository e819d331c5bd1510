package sign

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rempart/dns"
	"rempart/message/dkim"
)

// State is what DNS has of a key.
type State string

// States.
const (
	Unknown   State = "unknown"   // not asked yet, or no answer ever
	Published State = "published" // the record holds the key
	Missing   State = "missing"   // there is no record
	Wrong     State = "wrong"     // there is one that is not for this key
)

// settle is how long a record must have been seen before a newer key takes over from an older one that is published as well: the
// other servers of the zone, which receivers may ask, may be late.
const settle = time.Hour

// key is one key of a domain.
type key struct {
	Private
	domain, selector string
	record           string // that DNS is to have
	file             string
	accounts         []string
	finding          atomic.Pointer[finding]
	said             atomic.Pointer[KeyStatus] // what Look returned last
}

// finding is what DNS said last.
type finding struct {
	State
	why   string
	since time.Time
}

// has reports whether a domain has a key of an algorithm.
func (s *Signer) has(domain, algorithm string) bool {
	return slices.ContainsFunc(s.keys[domain], func(k *key) bool { return k.Algorithm == algorithm })
}

// allowed are the keys of a domain with which an account may sign for an author's domain.
func (s *Signer) allowed(domain, account, author string) (keys []*key) {
	for _, k := range s.keys[domain] {
		if allows(k.accounts, account, author) {
			keys = append(keys, k)
		}
	}
	return keys
}

// pick is the one of a domain's keys that signs: the newest whose record has settled; else the oldest that is published; else
// the oldest of those about which DNS has not been heard, since a slow resolver is no reason to send unsigned mail; else none.
func pick(keys []*key, algorithm string, now time.Time) *key {
	var published, unheard *key
	for _, k := range slices.Backward(keys) {
		if k.Algorithm != algorithm {
			continue
		}
		f := k.finding.Load()
		switch {
		case f.State == Published && now.Sub(f.since) >= settle:
			return k
		case f.State == Published:
			published = k
		case f.State == Unknown:
			unheard = k
		}
	}
	return cmp.Or(published, unheard)
}

// maxLookups is how many records are asked for side by side.
const maxLookups = 16

// Look asks DNS for the record of every key, and returns the keys of which something is otherwise than when it returned them
// last: what DNS has, or that they sign. An answer that does not come leaves a key as it was.
func (s *Signer) Look(ctx context.Context, r *dns.Resolver, now time.Time) (changed []KeyStatus) {
	var g errgroup.Group
	g.SetLimit(maxLookups)
	all := s.all()
	for _, k := range all {
		g.Go(func() error {
			k.look(ctx, r, now)
			return nil
		})
	}
	_ = g.Wait() // none of them fails
	for _, k := range all {
		status := k.status(s, now)
		if old := k.said.Swap(&status); old == nil || *old != status {
			changed = append(changed, status)
		}
	}
	return changed
}

func (k *key) look(ctx context.Context, r *dns.Resolver, now time.Time) {
	old := k.finding.Load()
	f := k.compare(r.LookupTXT(ctx, dkim.KeyName(k.selector, k.domain)))
	switch {
	case f.State == Unknown && old.State != Unknown:
		return
	case f.State == old.State:
		f.since = old.since
	default:
		f.since = now
	}
	k.finding.Store(&f)
}

// compare says what an answer of DNS means for the key.
func (k *key) compare(texts []string, err error) finding {
	var d *net.DNSError
	switch {
	case errors.As(err, &d) && d.IsNotFound:
		return finding{State: Missing, why: "DNS has no such record"}
	case err != nil:
		return finding{State: Unknown, why: err.Error()}
	case len(texts) > 1:
		return finding{State: Wrong, why: "DNS has several records there"}
	}
	record, err := dkim.ParseKey(texts[0])
	switch {
	case err != nil:
		return finding{State: Wrong, why: err.Error()}
	case !k.matches(record):
		return finding{State: Wrong, why: "the record holds another key"}
	case record.Testing:
		return finding{State: Published, why: "the record says that the domain only tries DKIM out (t=y)"}
	}
	return finding{State: Published}
}

// Inherit takes over what is known of keys that an earlier signer has as well.
func (s *Signer) Inherit(old *Signer) {
	known := map[string]*key{}
	for _, k := range old.all() {
		known[dkim.KeyName(k.selector, k.domain)] = k
	}
	for _, k := range s.all() {
		if o := known[dkim.KeyName(k.selector, k.domain)]; o != nil && o.record == k.record {
			k.finding.Store(o.finding.Load())
			k.said.Store(o.said.Load())
		}
	}
}

// KeyStatus is one key as people see it.
type KeyStatus struct {
	Domain, Selector, Algorithm, File string
	State                             State
	Why                               string // in words; may be empty if it is published
	Signs                             bool   // it is the one that signs with its algorithm
	Record                            string // that DNS is to have
}

// Name is where DNS has the record.
func (k KeyStatus) Name() string { return dkim.KeyName(k.Selector, k.Domain) }

// Keys lists the keys by domain, of each the oldest first.
func (s *Signer) Keys(now time.Time) (list []KeyStatus) {
	for _, k := range s.all() {
		list = append(list, k.status(s, now))
	}
	return list
}

func (k *key) status(s *Signer, now time.Time) KeyStatus {
	f := k.finding.Load()
	account := "" // of those who may sign with the key, any
	if len(k.accounts) > 0 {
		account = strings.Replace(k.accounts[0], ownDomain, "@"+k.domain, 1)
	}
	signs := pick(s.allowed(k.domain, account, k.domain), k.Algorithm, now) == k
	return KeyStatus{k.domain, k.selector, k.Algorithm, k.file, f.State, f.why, signs, k.record}
}

func (s *Signer) all() (all []*key) {
	for _, domain := range slices.Sorted(maps.Keys(s.keys)) {
		all = append(all, s.keys[domain]...)
	}
	return all
}
