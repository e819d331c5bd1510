package keyring

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"rempart/wire"
)

// Secret is what the nodes of a cluster share and nobody else has. Under it they hand each other keys.
type Secret struct{ bytes []byte }

// ReadSecret reads a file of 32 bytes or more in base64, as `head -c 32 /dev/urandom | base64` writes it.
func ReadSecret(path string) (Secret, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Secret{}, fmt.Errorf("read the cluster's secret: %w", err)
	}
	b, err = base64.StdEncoding.AppendDecode(nil, bytes.TrimSpace(b))
	if err != nil || len(b) < keySize {
		return Secret{}, fmt.Errorf("the cluster's secret in %s: use 32 random bytes in base64, made by `head -c 32 /dev/urandom | base64`", path)
	}
	return Secret{b}, nil
}

// Key is a key for one use, the same on every node.
func (s Secret) Key(use string) [keySize]byte {
	mac := hmac.New(sha256.New, s.bytes)
	mac.Write([]byte(use))
	return [keySize]byte(mac.Sum(nil))
}

func (s Secret) aead() (cipher.AEAD, error) {
	key := s.Key("share")
	return chacha20poly1305.NewX(key[:])
}

// KeyOf is the id of the key that a record is sealed with.
func KeyOf(record []byte) ([]byte, error) {
	id, _, err := splitSealed(record)
	return id[:], err
}

// Knows says whether the key of that id is here, or was and is destroyed.
func (r *Ring) Knows(id []byte) bool {
	if len(id) != idSize {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e, err := r.load(handle(id[:handleSize]))
	if err != nil {
		return false
	}
	_, err = e.find(keyID(id))
	return !errors.Is(err, ErrNoKey)
}

// Share is what another node needs to open records that are sealed with the key of that id, and others of its scope: the scope's
// keys, and which were destroyed. It is sealed under the secret, for an answer to a question about this id. [ErrNoKey] if this
// node does not know the key.
func (r *Ring) Share(id []byte, secret Secret) ([]byte, error) {
	if len(id) != idSize {
		return nil, ErrDamaged
	}
	aead, err := secret.aead()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	names := slices.Clone(r.secret.names)
	e, err := r.load(handle(id[:handleSize]))
	if err == nil {
		if _, lost := e.find(keyID(id)); lost == ErrNoKey {
			err = lost
		}
	}
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	plain := []byte{entryVersion}
	for _, name := range names {
		plain = wire.AppendBytes(plain, tagExportName, name)
	}
	plain = wire.AppendBytes(plain, tagExportScope, e.appendPlain(bytes.Clone(id[:handleSize])))
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, plain, id), nil
}

// Take adds to the ring what [Ring.Share] gave for id on another node with the same secret, as [Ring.Import] would. [ErrDamaged]
// if the secret is another.
func (r *Ring) Take(id, shared []byte, secret Secret) error {
	aead, err := secret.aead()
	if err != nil {
		return err
	}
	if len(shared) < chacha20poly1305.NonceSizeX {
		return ErrDamaged
	}
	plain, err := aead.Open(nil, shared[:chacha20poly1305.NonceSizeX], shared[chacha20poly1305.NonceSizeX:], id)
	if err != nil {
		return ErrDamaged
	}
	return r.addExport(plain)
}
