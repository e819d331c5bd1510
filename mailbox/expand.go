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

// Mailbox is the one mailbox that an address leads to, in lower case: an address, or a name if a table gives one. Without an entry, or
// with several mailboxes, it is the address itself without its extension.
func (t *Tables) Mailbox(ctx context.Context, address string) (string, error) {
	address = strings.ToLower(address)
	boxes, err := t.expand(ctx, address)
	if err != nil {
		return "", err
	}
	if len(boxes) != 1 {
		boxes = []string{address}
	}
	base, _ := t.split(boxes[0])
	return base, nil
}

// expand follows an address until nothing more is known of what it leads to.
func (t *Tables) expand(ctx context.Context, address string) ([]string, error) {
	var boxes []string
	seen := map[string]bool{address: true}
	level := []string{address}
	for range maxDepth {
		var next []string
		for _, a := range level {
			to, err := t.find(ctx, a)
			if err != nil {
				return nil, err
			}
			if len(to) == 0 || slices.Contains(to, a) { // who stands beside itself gets a copy
				boxes = append(boxes, a)
				continue
			}
			for _, b := range to {
				if len(seen) >= maxAddresses {
					return []string{address}, nil
				}
				if !seen[b] {
					seen[b] = true
					next = append(next, b)
				}
			}
		}
		if level = next; len(level) == 0 {
			if len(boxes) == 0 { // a loop
				return []string{address}, nil
			}
			return boxes, nil
		}
	}
	return []string{address}, nil
}

// find is what the tables say of one address, in the order of virtual(5); empty: no entry. An extension is taken over by the
// result of an entry without it (propagate_unmatched_extensions), a result "@domain" takes the name over.
func (t *Tables) find(ctx context.Context, address string) ([]string, error) {
	local, domain, ok := strings.Cut(address, "@")
	if !ok {
		return nil, nil // a name: a mailbox of the system
	}
	base, extension := t.split(address)
	keys := []string{address}
	if extension != "" {
		keys = append(keys, base)
	}
	keys = append(keys, "@"+domain)
	for i, key := range keys {
		value, ok, err := t.lookup(ctx, key)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		to := strings.FieldsFunc(strings.ToLower(value), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
		for j, a := range to {
			switch name, d, ok := strings.Cut(a, "@"); {
			case ok && name == "":
				to[j] = local + a
			case extension != "" && i > 0 && ok:
				to[j] = name + extension + "@" + d
			}
		}
		return to, nil
	}
	return nil, nil
}

// lookup asks the tables in their order.
func (t *Tables) lookup(ctx context.Context, key string) (value string, ok bool, err error) {
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
