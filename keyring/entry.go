package keyring

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"rempart/wire"
)

// Versions of the three formats; each is the first byte.
const (
	nodeVersion   = 1
	entryVersion  = 1
	sealedVersion = 1
)

// Tags of the node file, of a scope's file and of what is wrapped in it; see docs/formats.md.
const (
	tagWrapKey wire.Tag = 1 // node file
	tagNameKey wire.Tag = 2 // node file, repeated

	tagWrapped wire.Tag = 1 // scope's file

	tagTenant    wire.Tag = 1 // wrapped
	tagUser      wire.Tag = 2
	tagKey       wire.Tag = 3 // repeated: id and key
	tagDestroyed wire.Tag = 4 // repeated: id

	tagExportName  wire.Tag = 1 // export
	tagExportScope wire.Tag = 2 // repeated: what a scope's file wraps
)

// nodeKeys is the content of the node file. The first name key hides the names of new scopes; further ones came with
// imported keys.
type nodeKeys struct {
	wrap  []byte
	names [][]byte
}

func newNodeKeys() nodeKeys {
	k := nodeKeys{wrap: make([]byte, keySize), names: [][]byte{make([]byte, keySize)}}
	rand.Read(k.wrap)
	rand.Read(k.names[0])
	return k
}

func (k nodeKeys) append(b []byte) []byte {
	b = append(b, nodeVersion)
	b = wire.AppendBytes(b, tagWrapKey, k.wrap)
	for _, name := range k.names {
		b = wire.AppendBytes(b, tagNameKey, name)
	}
	return b
}

func readNodeKeys(b []byte) (k nodeKeys, err error) {
	if len(b) == 0 || b[0] != nodeVersion {
		return k, wire.ErrVersion
	}
	err = wire.Fields(b[1:], func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case tagWrapKey:
			k.wrap = bytes.Clone(c)
		case tagNameKey:
			k.names = append(k.names, bytes.Clone(c))
		}
		return nil
	})
	if err == nil && (len(k.wrap) != keySize || len(k.names) == 0) {
		err = ErrDamaged
	}
	return k, err
}

// entry is all keys of one scope. It is never changed, only replaced.
type entry struct {
	scope     Scope
	keys      []dataKey // the first is current; the others came from other nodes
	destroyed []keyID
}

type dataKey struct {
	id     keyID
	secret [keySize]byte
	aead   cipher.AEAD
}

func newDataKey(h handle) (dataKey, error) {
	var id keyID
	copy(id[:], h[:])
	rand.Read(id[handleSize:])
	var secret [keySize]byte
	rand.Read(secret[:])
	return makeDataKey(id, secret)
}

func makeDataKey(id keyID, secret [keySize]byte) (dataKey, error) {
	aead, err := chacha20poly1305.NewX(secret[:])
	return dataKey{id, secret, aead}, err
}

func (e *entry) find(id keyID) (*dataKey, error) {
	for i := range e.keys {
		if e.keys[i].id == id {
			return &e.keys[i], nil
		}
	}
	if slices.Contains(e.destroyed, id) {
		return nil, ErrDestroyed
	}
	return nil, ErrNoKey
}

func (e *entry) withoutKeys() *entry {
	gone := &entry{destroyed: slices.Clone(e.destroyed)} // without the scope's names: they are the person's
	for _, k := range e.keys {
		gone.destroyed = append(gone.destroyed, k.id)
	}
	return gone
}

// merge takes over what another node or a backup knows of the same scope. A destroyed key stays destroyed.
func (e *entry) merge(o *entry) *entry {
	m := &entry{scope: e.scope, destroyed: slices.Clone(e.destroyed)}
	for _, id := range o.destroyed {
		if !slices.Contains(m.destroyed, id) {
			m.destroyed = append(m.destroyed, id)
		}
	}
	for _, k := range append(slices.Clone(e.keys), o.keys...) {
		known := slices.ContainsFunc(m.keys, func(x dataKey) bool { return x.id == k.id })
		if !known && !slices.Contains(m.destroyed, k.id) {
			m.keys = append(m.keys, k)
		}
	}
	if len(m.keys) > 0 && m.scope == (Scope{}) {
		m.scope = o.scope
	}
	return m
}

func (e *entry) appendPlain(b []byte) []byte {
	b = wire.AppendString(b, tagTenant, e.scope.Tenant)
	b = wire.AppendString(b, tagUser, e.scope.User)
	for _, k := range e.keys {
		b = wire.AppendBytes(b, tagKey, append(k.id[:], k.secret[:]...))
	}
	for _, id := range e.destroyed {
		b = wire.AppendBytes(b, tagDestroyed, id[:])
	}
	return b
}

func readPlain(b []byte) (*entry, error) {
	e := &entry{}
	err := wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case tagTenant:
			e.scope.Tenant = c.String()
		case tagUser:
			e.scope.User = c.String()
		case tagKey:
			if len(c) != idSize+keySize {
				return ErrDamaged
			}
			k, err := makeDataKey(keyID(c[:idSize]), [keySize]byte(c[idSize:]))
			if err != nil {
				return err
			}
			e.keys = append(e.keys, k)
		case tagDestroyed:
			if len(c) != idSize {
				return ErrDamaged
			}
			e.destroyed = append(e.destroyed, keyID(c))
		}
		return nil
	})
	return e, err
}

// append writes the scope's file: version, and the plain fields sealed with the node's key, tied to the file's name.
func (e *entry) append(b []byte, h handle, node cipher.AEAD) ([]byte, error) {
	b = append(b, entryVersion)
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return wire.AppendBytes(b, tagWrapped, node.Seal(nonce, nonce, e.appendPlain(nil), h[:])), nil
}

func readEntry(b []byte, h handle, node cipher.AEAD) (*entry, error) {
	if len(b) == 0 || b[0] != entryVersion {
		return nil, wire.ErrVersion
	}
	var wrapped []byte
	err := wire.Fields(b[1:], func(tag wire.Tag, c wire.Content) error {
		if tag == tagWrapped {
			wrapped = c
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(wrapped) < chacha20poly1305.NonceSizeX {
		return nil, errors.New("not wrapped by this node's key")
	}
	plain, err := node.Open(nil, wrapped[:chacha20poly1305.NonceSizeX], wrapped[chacha20poly1305.NonceSizeX:], h[:])
	if err != nil {
		return nil, errors.New("not wrapped by this node's key, or damaged")
	}
	return readPlain(plain)
}

// A sealed record is version, key id, nonce, ciphertext with tag. The version and the key id are authenticated with the
// additional data: what precedes the nonce is part of them.

func seal(k *dataKey, plaintext, additional []byte) []byte {
	b := make([]byte, 0, SealedSize(len(plaintext)))
	b = append(b, sealedVersion)
	b = append(b, k.id[:]...)
	ad := authenticated(b, additional)
	nonce := b[len(b) : len(b)+chacha20poly1305.NonceSizeX]
	rand.Read(nonce)
	b = b[:len(b)+len(nonce)]
	return k.aead.Seal(b, nonce, plaintext, ad)
}

// SealedSize is the length of a record that seals n bytes.
func SealedSize(n int) int {
	return 1 + idSize + chacha20poly1305.NonceSizeX + n + chacha20poly1305.Overhead
}

func splitSealed(record []byte) (id keyID, sealed []byte, err error) {
	if len(record) < SealedSize(0) {
		return id, nil, ErrDamaged
	}
	if record[0] != sealedVersion {
		return id, nil, wire.ErrVersion
	}
	return keyID(record[1 : 1+idSize]), record[1+idSize:], nil
}

func open(k *dataKey, sealed, additional []byte) ([]byte, error) {
	head := append([]byte{sealedVersion}, k.id[:]...)
	nonce, text := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	plain, err := k.aead.Open(nil, nonce, text, authenticated(head, additional))
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

func authenticated(head, additional []byte) []byte {
	ad := make([]byte, 0, len(head)+len(additional))
	return append(append(ad, head...), additional...)
}
