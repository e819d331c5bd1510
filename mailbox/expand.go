package mailbox

import (
	"context"
	"slices"
	"strings"
)

// Bounds of one expansion: who needs more has a mailing list.
const (
	maxDepth     = 10
	maxAddresses = 100
)

// Mailbox is the one mailbox that an address leads to, in lower case: an address, or a name if a table gives one. With several mailboxes
// it is the address itself. An extension is cut off unless a table has the address with it as a whole; of what a table leads to in
// another domain only the extension that was taken over is. Known is false if there are tables and none says anything of the address: it
// may be anybody's then, in a domain to which mail of ours is forwarded. It waits half a second at most.
func (t *Tables) Mailbox(ctx context.Context, address string) (box string, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, mapTime)
	defer cancel()
	return t.mailbox(ctx, address)
}

func (t *Tables) mailbox(ctx context.Context, address string) (box string, known bool, err error) {
	asked := step{address: strings.ToLower(address)}
	_, asked.extension = t.split(asked.address)
	boxes, key, err := t.expand(ctx, asked)
	if err != nil {
		return "", false, err
	}
	known = key != noKey || len(t.tables) == 0 // without tables nothing leads to another's mailbox
	if len(boxes) != 1 {
		return t.name(asked, key, asked.address), known, nil
	}
	return boxes[0], known, nil
}

// step is an address on the way to a mailbox, with the extension that it has of the address before it.
type step struct{ address, extension string }

// found is where one step leads, and which key of a table says so.
type found struct {
	to  []step
	key int
}

// The keys of an address, in the order of virtual(5).
const (
	noKey = iota
	wholeKey
	baseKey // without its extension
	domainKey
)

// name is a mailbox's, of the step on which nothing more is known.
func (t *Tables) name(s step, key int, asked string) string {
	local, domain, ok := strings.Cut(s.address, "@")
	_, home, _ := strings.Cut(asked, "@")
	switch {
	case key == wholeKey || !ok:
		return s.address
	case domain == home:
		base, _ := t.split(s.address)
		return base
	}
	return strings.TrimSuffix(local, s.extension) + "@" + domain
}

// expand follows an address until nothing more is known of what it leads to, and says which key the address itself has. No boxes: there
// is no end, or there are too many.
func (t *Tables) expand(ctx context.Context, asked step) (boxes []string, key int, err error) {
	seen := map[string]bool{asked.address: true}
	level := []step{asked}
	for depth := range maxDepth {
		var next []step
		for _, s := range level {
			f, err := t.find(ctx, s)
			if err != nil {
				return nil, noKey, err
			}
			if depth == 0 {
				key = f.key
			}
			if len(f.to) == 0 || slices.ContainsFunc(f.to, func(b step) bool { return b.address == s.address }) { // who stands beside itself gets a copy
				boxes = append(boxes, t.name(s, f.key, asked.address))
				continue
			}
			for _, b := range f.to {
				if len(seen) >= maxAddresses {
					return nil, key, nil
				}
				if !seen[b.address] {
					seen[b.address] = true
					next = append(next, b)
				}
			}
		}
		if level = next; len(level) == 0 {
			return boxes, key, nil
		}
	}
	return nil, key, nil
}

// find is what the tables say of one address. An extension is taken over by the result of an entry without it
// (propagate_unmatched_extensions), a result "@domain" takes the name over.
func (t *Tables) find(ctx context.Context, s step) (found, error) {
	local, domain, ok := strings.Cut(s.address, "@")
	if !ok {
		return found{}, nil // a name: a mailbox of the system
	}
	base, extension := t.split(s.address)
	for key, text := range []string{wholeKey: s.address, baseKey: base, domainKey: "@" + domain} {
		if key == noKey || key == baseKey && extension == "" {
			continue
		}
		value, ok, err := t.lookup(ctx, text)
		if err != nil {
			return found{}, err
		}
		if !ok {
			continue
		}
		f := found{key: key}
		for _, a := range strings.FieldsFunc(strings.ToLower(value), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' }) {
			to := step{address: a}
			switch name, d, ok := strings.Cut(a, "@"); {
			case ok && name == "":
				to = step{local + a, s.extension}
			case extension != "" && key != wholeKey && ok:
				to = step{name + extension + "@" + d, extension}
			}
			f.to = append(f.to, to)
		}
		return f, nil
	}
	return found{}, nil
}

// maxKey is longer than any address (RFC 5321 section 4.5.3.1). A server of tables may hang up on who asks for more.
const maxKey = 320

// lookup asks the tables in their order.
func (t *Tables) lookup(ctx context.Context, key string) (value string, ok bool, err error) {
	if len(key) > maxKey {
		return "", false, nil
	}
	for _, one := range t.tables {
		if value, ok, err = one.lookup(ctx, key); ok || err != nil {
			return value, ok, err
		}
	}
	return "", false, nil
}

// split takes the extension, with its delimiter, from an address.
func (t *Tables) split(address string) (base, extension string) {
	local, domain, ok := strings.Cut(address, "@")
	at := strings.IndexAny(local, t.delimiter)
	if t.delimiter == "" || at < 1 {
		return address, ""
	}
	base = local[:at]
	if ok {
		base += "@" + domain
	}
	return base, local[at:]
}
