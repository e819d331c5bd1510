// Package keyring keeps the keys that stored content is sealed with, so that a person can be erased by destroying one
// key, wherever copies of the records lie: in the journal, on another node, in a backup.
//
// Each [Scope], a tenant and one of its users, has a data key, made when it is first needed and wrapped by the node's
// key. Records are sealed with XChaCha20-Poly1305 and name their key. The directory (mode 0700, files 0600) holds
//
//	node          the node's key and the keys that hide the names of scopes
//	SCOPE.key     the wrapped keys of one scope and the ids of its destroyed keys; SCOPE is 32 hexadecimal digits
//
// Every change is on disk before a function returns: a record is never sealed with a key that a crash could lose.
// docs/formats.md specifies the files and the sealed record. A Ring is safe for concurrent use; one process may have a
// directory open at a time (the node's lock sees to that).
package keyring

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"

	"rempart/durable"
	"rempart/wire"
)

// What callers decide on.
var (
	// ErrDestroyed: the person was erased; the record can never be read again. Replay passes over it.
	ErrDestroyed = errors.New("keyring: the key was destroyed")
	// ErrNoKey: the key was made on another node or lies in a backup: import it.
	ErrNoKey = errors.New("keyring: the key is not on this node")
	// ErrDamaged: the record is not what was sealed, or the additional data differ.
	ErrDamaged = errors.New("keyring: the record is damaged")
)

// Scope is whose data a key protects. An empty User is the tenant itself, an empty Tenant the node.
type Scope struct {
	Tenant string
	User   string
}

const (
	handleSize = 16 // of a scope: HMAC-SHA-256 of its names, truncated
	idSize     = 24 // of a key: its scope's handle and 8 random bytes
	keySize    = chacha20poly1305.KeySize
	nodeFile   = "node"
	keySuffix  = ".key"
	// maxCached bounds the memory: some 500 bytes a scope.
	maxCached = 4096
)

type (
	handle [handleSize]byte
	keyID  [idSize]byte
)

func (h handle) file() string { return hex.EncodeToString(h[:]) + keySuffix }

// Ring is an open directory of keys.
type Ring struct {
	dir  string
	node cipher.AEAD // wraps the data keys

	mu      sync.Mutex
	secret  nodeKeys
	entries map[handle]*entry // cache of what the files say
}

// Open opens the keys in dir and makes directory and node key if they are not there.
func Open(dir string) (*Ring, error) {
	if err := durable.MakeDir(dir); err != nil {
		return nil, fmt.Errorf("make directory of keys: %w", err)
	}
	if err := durable.Sweep(dir); err != nil {
		return nil, fmt.Errorf("sweep directory of keys: %w", err)
	}
	r := &Ring{dir: dir, entries: make(map[handle]*entry)}
	path := filepath.Join(dir, nodeFile)
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		if r.secret, err = readNodeKeys(b); err != nil {
			return nil, fmt.Errorf("read node key %s: %w", path, err)
		}
	case errors.Is(err, fs.ErrNotExist):
		if used, err := filepath.Glob(filepath.Join(dir, "*"+keySuffix)); err == nil && len(used) > 0 {
			return nil, fmt.Errorf("%s is missing, but %d keys wrapped by it are there: restore it from a backup", path, len(used))
		}
		r.secret = newNodeKeys()
		if err := durable.WriteFile(path, r.secret.append(nil)); err != nil {
			return nil, fmt.Errorf("write node key: %w", err)
		}
	default:
		return nil, fmt.Errorf("read node key: %w", err)
	}
	r.node, err = chacha20poly1305.NewX(r.secret.wrap)
	return r, err
}

// Seal encrypts plaintext for scope with scope's current key, which is made if there is none. Additional data are not
// stored, but [Ring.Open] must be given the same: use them to tie a record to its place.
func (r *Ring) Seal(scope Scope, plaintext, additional []byte) ([]byte, error) {
	key, err := r.current(scope)
	if err != nil {
		return nil, err
	}
	return seal(key, plaintext, additional), nil
}

// Open decrypts what [Ring.Seal] made. The errors are [ErrDestroyed], [ErrNoKey], [ErrDamaged], or those of the disk.
func (r *Ring) Open(record, additional []byte) ([]byte, error) {
	id, sealed, err := splitSealed(record)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	e, err := r.load(handle(id[:handleSize]))
	var key *dataKey
	if err == nil {
		key, err = e.find(id)
	}
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return open(key, sealed, additional)
}

// Destroy erases the person: all keys of scope are overwritten and deleted, and what was sealed with them gives
// [ErrDestroyed] from then on. Something new sealed for the scope gets a new key. On a disk that copies on write (flash,
// snapshots) old blocks may outlive the overwriting: there only the node's key, or the disk's, protects them.
func (r *Ring) Destroy(scope Scope) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range r.secret.names {
		h := handleOf(name, scope)
		e, err := r.load(h)
		if errors.Is(err, ErrNoKey) {
			continue
		}
		if err != nil {
			return err
		}
		gone := e.withoutKeys()
		if err := overwrite(filepath.Join(r.dir, h.file())); err != nil {
			return fmt.Errorf("overwrite key: %w", err)
		}
		if err := r.store(h, gone); err != nil {
			return err
		}
	}
	return nil
}

// Scopes lists the scopes that have a key and that match; it reads every key.
func (r *Ring) Scopes(match func(Scope) bool) ([]Scope, error) {
	handles, err := r.handles()
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	var list []Scope
	for _, h := range handles {
		r.mu.Lock()
		e, err := r.load(h)
		r.mu.Unlock()
		if err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		if len(e.keys) > 0 && match(e.scope) && !slices.Contains(list, e.scope) {
			list = append(list, e.scope)
		}
	}
	return list, nil
}

// current is the key that new records of scope are sealed with.
func (r *Ring) current(scope Scope) (*dataKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range r.secret.names {
		e, err := r.load(handleOf(name, scope))
		if err == nil && len(e.keys) > 0 {
			return &e.keys[0], nil
		}
		if err != nil && !errors.Is(err, ErrNoKey) {
			return nil, err
		}
	}
	h := handleOf(r.secret.names[0], scope)
	e, err := r.load(h)
	if errors.Is(err, ErrNoKey) {
		e, err = &entry{scope: scope}, nil
	}
	if err != nil {
		return nil, err
	}
	key, err := newDataKey(h)
	if err != nil {
		return nil, err
	}
	made := &entry{scope: scope, keys: []dataKey{key}, destroyed: e.destroyed}
	if err := r.store(h, made); err != nil {
		return nil, err
	}
	return &made.keys[0], nil
}

// load reads one scope's file through the cache; [ErrNoKey] if there is none. The caller holds mu.
func (r *Ring) load(h handle) (*entry, error) {
	if e := r.entries[h]; e != nil {
		return e, nil
	}
	path := filepath.Join(r.dir, h.file())
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	e, err := readEntry(b, h, r.node)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", path, err)
	}
	r.cache(h, e)
	return e, nil
}

// store writes one scope's file. The caller holds mu, also over the disk: a key must not be used before it is durable.
func (r *Ring) store(h handle, e *entry) error {
	b, err := e.append(nil, h, r.node)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(r.dir, h.file()), b); err != nil {
		delete(r.entries, h) // what is on disk is not known: read it again
		return fmt.Errorf("write key: %w", err)
	}
	r.cache(h, e)
	return nil
}

func (r *Ring) cache(h handle, e *entry) {
	if len(r.entries) >= maxCached {
		for old := range r.entries { // any one: the order of a map is random enough
			delete(r.entries, old)
			break
		}
	}
	r.entries[h] = e
}

// handles lists the scopes on disk.
func (r *Ring) handles() ([]handle, error) {
	files, err := os.ReadDir(r.dir)
	if err != nil {
		return nil, err
	}
	var list []handle
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), keySuffix)
		if !ok || len(name) != 2*handleSize {
			continue
		}
		var h handle
		if _, err := hex.Decode(h[:], []byte(name)); err == nil {
			list = append(list, h)
		}
	}
	return list, nil
}

// handleOf hides the scope's names: a key's id stands in the journal, where a plain hash could be guessed.
func handleOf(name []byte, s Scope) (h handle) {
	mac := hmac.New(sha256.New, name)
	mac.Write(wire.AppendString(wire.AppendString(nil, tagTenant, s.Tenant), tagUser, s.User))
	copy(h[:], mac.Sum(nil))
	return h
}

// overwrite replaces the bytes of a file in place.
func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	noise := make([]byte, info.Size())
	rand.Read(noise)
	if _, err := f.WriteAt(noise, 0); err != nil {
		return err
	}
	return f.Sync()
}
