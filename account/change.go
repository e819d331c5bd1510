package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"rempart/journal"
)

// Invite makes an account and returns the secret of its one-time link.
func (b *Book) Invite(ctx context.Context, by Actor, name string, role Role, now time.Time) (secret string, err error) {
	if !validName(name) {
		return "", ErrName
	}
	if !role.May(SeeFigures) {
		return "", ErrRole
	}
	b.mu.RLock()
	exists := b.holders[name] != nil
	b.mu.RUnlock()
	if exists {
		return "", ErrExists
	}
	entry := Entry{Who: by.Name, Address: by.Address, What: "account.invited", Object: name, After: role.String()}
	if _, err := b.write(ctx, entry, record{kind: kindMake, name: name, role: role}); err != nil {
		return "", err
	}
	return b.newLink(ctx, name, now)
}

// Relink makes a new one-time link for an account, in place of one that is out: for who has forgotten the password.
func (b *Book) Relink(ctx context.Context, by Actor, name string, now time.Time) (secret string, err error) {
	if _, ok := b.Account(name); !ok {
		return "", ErrUnknown
	}
	entry := Entry{Who: by.Name, Address: by.Address, What: "account.link", Object: name}
	if err := b.Record(ctx, entry); err != nil {
		return "", err
	}
	return b.newLink(ctx, name, now)
}

// FirstLink makes a one-time link for the first administrator, and that account, as long as no administrator has a
// password; else ok is false.
func (b *Book) FirstLink(ctx context.Context, now time.Time) (secret string, ok bool, err error) {
	b.mu.RLock()
	name, made := FirstAdministrator, false
	for _, h := range b.holders {
		if h.Role != Administrator || !h.Active() {
			continue
		}
		if h.HasPassword {
			b.mu.RUnlock()
			return "", false, nil
		}
		if !made || h.Name < name {
			name, made = h.Name, true
		}
	}
	b.mu.RUnlock()
	if made {
		secret, err = b.Relink(ctx, System, name, now)
	} else {
		secret, err = b.Invite(ctx, System, name, Administrator, now)
	}
	return secret, err == nil, err
}

// SetRole gives an account another role; its sessions end.
func (b *Book) SetRole(ctx context.Context, by Actor, name string, role Role) error {
	if !role.May(SeeFigures) {
		return ErrRole
	}
	a, ok := b.Account(name)
	switch {
	case !ok:
		return ErrUnknown
	case a.Role == role:
		return nil
	case role != Administrator && b.last(name):
		return ErrLastAdministrator
	}
	entry := Entry{Who: by.Name, Address: by.Address, What: "account.role", Object: name, Before: a.Role.String(), After: role.String()}
	_, err := b.write(ctx, entry, record{kind: kindRole, name: name, role: role})
	return err
}

// Remove ends an account; its sessions end. See [Book.Restore].
func (b *Book) Remove(ctx context.Context, by Actor, name string) error {
	a, ok := b.Account(name)
	switch {
	case !ok:
		return ErrUnknown
	case b.last(name):
		return ErrLastAdministrator
	}
	entry := Entry{Who: by.Name, Address: by.Address, What: "account.removed", Object: name, Before: a.Role.String()}
	_, err := b.write(ctx, entry, record{kind: kindRemove, name: name})
	return err
}

// Restore takes a removal back, within [UndoLife].
func (b *Book) Restore(ctx context.Context, by Actor, name string, now time.Time) error {
	b.mu.RLock()
	h := b.holders[name]
	var role Role
	ok := h != nil && !h.Active() && now.Sub(h.Removed) < UndoLife
	if ok {
		role = h.Role
	}
	b.mu.RUnlock()
	if !ok {
		return ErrUnknown
	}
	entry := Entry{Who: by.Name, Address: by.Address, What: "account.restored", Object: name, After: role.String()}
	_, err := b.write(ctx, entry, record{kind: kindRestore, name: name})
	return err
}

// SetPassword gives an account a new password; all its sessions end.
func (b *Book) SetPassword(ctx context.Context, by Actor, name, password string) error {
	if _, ok := b.Account(name); !ok {
		return ErrUnknown
	}
	if !possiblePassword(password) {
		return ErrPassword
	}
	phc, err := b.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	entry := Entry{Who: by.Name, Address: by.Address, What: "account.password", Object: name}
	_, err = b.write(ctx, entry, record{kind: kindPassword, name: name, password: phc})
	return err
}

// Login checks a password. An unknown name takes as long as a wrong password.
func (b *Book) Login(ctx context.Context, name, password string) (Account, error) {
	b.mu.RLock()
	var phc string
	h := b.holders[name]
	if h != nil && h.Active() {
		phc = h.password
	}
	b.mu.RUnlock()
	ok, err := b.hasher.check(ctx, phc, password)
	if err != nil {
		return Account{}, err
	}
	a, active := b.Account(name)
	if !ok || !active {
		return Account{}, ErrLogin
	}
	return a, nil
}

// Redeem uses a one-time link.
func (b *Book) Redeem(ctx context.Context, by Actor, secret string, now time.Time) (Account, error) {
	d := digestOf(secret)
	b.mu.RLock()
	l := b.links[d]
	ok := l != nil && l.usable(now)
	name := ""
	if ok {
		name = l.name
	}
	b.mu.RUnlock()
	if !ok {
		return Account{}, ErrLink
	}
	entry := Entry{Who: name, Address: by.Address, What: "account.link_used", Object: name}
	id, err := b.write(ctx, entry, record{kind: kindUse, link: d})
	if err != nil {
		return Account{}, err
	}
	b.mu.RLock()
	won := b.links[d] != nil && b.links[d].usedBy == id
	b.mu.RUnlock()
	a, active := b.Account(name)
	if !won || !active {
		return Account{}, ErrLink
	}
	return a, nil
}

func (b *Book) newLink(ctx context.Context, name string, now time.Time) (secret string, err error) {
	var random [32]byte
	rand.Read(random[:]) // never fails: the program ends instead
	secret = base64.RawURLEncoding.EncodeToString(random[:])
	_, err = b.append(ctx, record{kind: kindLink, name: name, link: digestOf(secret), expires: now.Add(LinkLife).Unix()})
	return secret, err
}

func digestOf(secret string) digest { return sha256.Sum256([]byte(secret)) }

func (b *Book) last(name string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.isLast(name)
}

// write puts the entry into the trail, then makes the change.
func (b *Book) write(ctx context.Context, entry Entry, r record) (id string, err error) {
	if err := b.Record(ctx, entry); err != nil {
		return "", err
	}
	return b.append(ctx, r)
}

// append adds the record to the log and returns when it is applied here.
func (b *Book) append(ctx context.Context, r record) (id string, err error) {
	id = rand.Text()
	if _, err := b.journal.Append(ctx, journal.Accounts, id, r.marshal()); err != nil {
		return "", fmt.Errorf("change account: %w", err)
	}
	return id, b.catchUp(ctx)
}

// catchUp applies what the log has and the book has not; Run may do the same meanwhile.
func (b *Book) catchUp(ctx context.Context) error {
	b.mu.RLock()
	from := b.through + 1
	b.mu.RUnlock()
	_, err := b.journal.Replay(ctx, journal.Accounts, from, b.apply)
	return err
}
