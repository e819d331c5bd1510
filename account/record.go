package account

import (
	"time"

	"rempart/journal"
	"rempart/wire"
)

// A record of stream Accounts is one version byte and these fields (package wire). Later builds add kinds and tags; an
// unknown kind is skipped.
const recordVersion = 1

const (
	tagKind     wire.Tag = 1 // uint
	tagName     wire.Tag = 2 // string: the account
	tagRole     wire.Tag = 3 // uint
	tagPassword wire.Tag = 4 // string: argon2id in the PHC format
	tagLink     wire.Tag = 5 // 32 bytes: SHA-256 of the link's secret
	tagExpires  wire.Tag = 6 // int: Unix seconds
)

type kind uint8

const (
	kindMake     kind = iota + 1 // name, role
	kindRole                     // name, role
	kindPassword                 // name, password
	kindRemove                   // name
	kindRestore                  // name
	kindLink                     // name, link, expires: takes the place of an earlier one
	kindUse                      // link
)

type digest [32]byte

type record struct {
	kind     kind
	name     string
	role     Role
	password string
	link     digest
	expires  int64 // Unix seconds
}

func (r record) marshal() []byte {
	b := []byte{recordVersion}
	b = wire.AppendUint(b, tagKind, uint64(r.kind))
	b = wire.AppendString(b, tagName, r.name)
	b = wire.AppendUint(b, tagRole, uint64(r.role))
	b = wire.AppendString(b, tagPassword, r.password)
	if r.link != (digest{}) {
		b = wire.AppendBytes(b, tagLink, r.link[:])
	}
	return wire.AppendInt(b, tagExpires, r.expires)
}

func unmarshal(b []byte) (r record, err error) {
	if len(b) == 0 || b[0] != recordVersion {
		return r, wire.ErrVersion
	}
	err = wire.Fields(b[1:], func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case tagKind:
			r.kind = kind(c.Uint())
		case tagName:
			r.name = c.String()
		case tagRole:
			r.role = Role(c.Uint())
		case tagPassword:
			r.password = c.String()
		case tagLink:
			if len(c) == len(r.link) {
				r.link = digest(c)
			}
		case tagExpires:
			r.expires = c.Int()
		}
		return nil
	})
	return r, err
}

type holder struct {
	Account
	password string // PHC; empty: none was set
}

type link struct {
	name    string
	expires time.Time
	usedBy  string // id of the record that used it first
}

func (l *link) usable(now time.Time) bool { return l.usedBy == "" && now.Before(l.expires) }

// apply brings one record into the book, in the order of the log. What a record asks for and the state does not allow (two
// nodes that each remove one of two administrators) is left out by every node alike. A record that cannot be read was
// written by another version and is left out.
func (b *Book) apply(rec journal.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if rec.Seq <= b.through {
		return nil
	}
	b.through = rec.Seq
	r, err := unmarshal(rec.Data)
	if err != nil {
		return nil
	}
	switch r.kind {
	case kindMake:
		if b.holders[r.name] == nil && validName(r.name) {
			b.holders[r.name] = &holder{Account: Account{Name: r.name, Role: r.role, Made: rec.Time, Generation: rec.Seq}}
		}
	case kindUse:
		if l := b.links[r.link]; l != nil && l.usedBy == "" {
			l.usedBy = rec.ID
		}
	default:
		if h := b.holders[r.name]; h != nil {
			b.change(h, r, rec)
		}
	}
	return nil
}

func (b *Book) change(h *holder, r record, rec journal.Record) {
	switch r.kind {
	case kindRole:
		if r.role != Administrator && b.isLast(h.Name) {
			return
		}
		h.Role = r.role
	case kindPassword:
		h.password, h.HasPassword = r.password, true
	case kindRemove:
		if b.isLast(h.Name) || !h.Active() {
			return
		}
		h.Removed = rec.Time
		b.dropLinks(h.Name)
	case kindRestore:
		h.Removed = time.Time{}
	case kindLink:
		b.dropLinks(h.Name)
		b.links[r.link] = &link{name: h.Name, expires: time.Unix(r.expires, 0).UTC()}
		return // sessions go on
	default:
		return
	}
	h.Generation = rec.Seq
}

func (b *Book) dropLinks(name string) {
	for d, l := range b.links {
		if l.name == name {
			delete(b.links, d)
		}
	}
}

// isLast reports whether the account is the only active administrator. The caller holds mu.
func (b *Book) isLast(name string) bool {
	h := b.holders[name]
	if h == nil || h.Role != Administrator || !h.Active() {
		return false
	}
	for _, other := range b.holders {
		if other.Name != name && other.Role == Administrator && other.Active() {
			return false
		}
	}
	return true
}
