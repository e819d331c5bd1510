package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"filippo.io/age"

	"rempart/durable"
	"rempart/wire"
)

// Export writes all keys, encrypted to passphrase (age, scrypt): for a backup, or for another node of a cluster. `age -d`
// opens it without Rempart.
func (r *Ring) Export(w io.Writer, passphrase string) error {
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return fmt.Errorf("export keys: %w", err)
	}
	out, err := age.Encrypt(w, to)
	if err != nil {
		return fmt.Errorf("export keys: %w", err)
	}
	r.mu.Lock()
	names := slices.Clone(r.secret.names)
	r.mu.Unlock()
	b := []byte{entryVersion}
	for _, name := range names {
		b = wire.AppendBytes(b, tagExportName, name)
	}
	if _, err := out.Write(b); err != nil {
		return fmt.Errorf("export keys: %w", err)
	}
	handles, err := r.handles()
	if err != nil {
		return fmt.Errorf("export keys: %w", err)
	}
	for _, h := range handles {
		r.mu.Lock()
		e, err := r.load(h)
		r.mu.Unlock()
		if err != nil {
			return fmt.Errorf("export keys: %w", err)
		}
		b := wire.AppendBytes(nil, tagExportScope, e.appendPlain(h[:]))
		if _, err := out.Write(b); err != nil {
			return fmt.Errorf("export keys: %w", err)
		}
	}
	return out.Close()
}

// maxExport bounds the memory of an import: some two million scopes.
const maxExport = 256 << 20

// ErrPassphrase says that an export cannot be opened with the passphrase given.
var ErrPassphrase = errors.New("keyring: wrong passphrase")

// Import adds the keys of an export to the ring. What was destroyed here stays destroyed; what was destroyed there is
// destroyed here. It reads r to its end before it changes anything.
func (r *Ring) Import(from io.Reader, passphrase string) error {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return fmt.Errorf("import keys: %w", err)
	}
	in, err := age.Decrypt(from, id)
	if err != nil {
		var no *age.NoIdentityMatchError
		if errors.As(err, &no) {
			return ErrPassphrase
		}
		return fmt.Errorf("import keys: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(in, maxExport+1))
	if err != nil {
		return fmt.Errorf("import keys: %w", err)
	}
	if len(b) > maxExport {
		return fmt.Errorf("import keys: %w", wire.ErrVersion)
	}
	if err := r.addExport(b); err != nil {
		return fmt.Errorf("import keys: %w", err)
	}
	return nil
}

// addExport adds what an export holds.
func (r *Ring) addExport(b []byte) error {
	if len(b) == 0 || b[0] != entryVersion {
		return wire.ErrVersion
	}
	names, entries, err := readExport(b[1:])
	if err != nil {
		return err
	}
	return r.add(names, entries)
}

func readExport(b []byte) (names [][]byte, entries map[handle]*entry, err error) {
	entries = make(map[handle]*entry)
	err = wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case tagExportName:
			names = append(names, bytes.Clone(c))
		case tagExportScope:
			if len(c) < handleSize {
				return ErrDamaged
			}
			e, err := readPlain(c[handleSize:])
			if err != nil {
				return err
			}
			entries[handle(c[:handleSize])] = e
		}
		return nil
	})
	return names, entries, err
}

func (r *Ring) add(names [][]byte, entries map[handle]*entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	own, err := r.handles()
	if err != nil {
		return err
	}
	secret := nodeKeys{wrap: r.secret.wrap, names: slices.Clone(r.secret.names)}
	if len(own) == 0 {
		secret.names = nil // a fresh node takes over the names of its cluster or backup
	}
	for _, name := range names {
		if len(name) == keySize && !slices.ContainsFunc(secret.names, func(n []byte) bool { return bytes.Equal(n, name) }) {
			secret.names = append(secret.names, name)
		}
	}
	if len(secret.names) == 0 {
		return ErrDamaged
	}
	if err := durable.WriteFile(filepath.Join(r.dir, nodeFile), secret.append(nil)); err != nil {
		return fmt.Errorf("write node key: %w", err)
	}
	r.secret = secret
	for h, e := range entries {
		old, err := r.load(h)
		if errors.Is(err, ErrNoKey) {
			old, err = &entry{}, nil
		}
		if err != nil {
			return err
		}
		if err := r.store(h, old.merge(e)); err != nil {
			return err
		}
	}
	return nil
}
