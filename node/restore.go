package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"filippo.io/age"

	"rempart/blob"
	"rempart/durable"
	"rempart/journal"
	"rempart/keyring"
)

// restoreWork holds what a restore makes until all of it is there. A node does not start on a directory that has one.
const restoreWork = "restore" + durable.TempSuffix

// What callers decide on.
var (
	// ErrNotEmpty: a restore does not mix a backup with what is there.
	ErrNotEmpty = errors.New("the directory is not empty")
	// ErrHalfRestored: a restore was broken off.
	ErrHalfRestored = errors.New("a restore into this directory was not finished")
	// ErrNoKeysInBackup: it was made without --keys.
	ErrNoKeysInBackup = errors.New("the backup holds no keys")
)

// noHalfRestore keeps a node from starting on half of its state.
func noHalfRestore(dir string) error {
	_, err := os.Stat(filepath.Join(dir, restoreWork))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("%w: %s", ErrHalfRestored, dir)
	}
	return err
}

// Restore makes a data directory from a backup; dir must be empty or not there. Nothing is changed in it until the whole
// backup was read and found right. The passphrase is asked for if there are keys in the backup; nil restores without them:
// lessons then cannot be read until [ImportKeys].
func Restore(ctx context.Context, r io.Reader, dir string, passphrase func() (string, error), log *slog.Logger) (m Manifest, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	if len(entries) > 0 {
		return m, fmt.Errorf("restore into %s: %w", dir, ErrNotEmpty)
	}
	work := filepath.Join(dir, restoreWork)
	if err := durable.MakeDir(dir); err != nil {
		return m, err
	}
	if err := durable.MakeDir(work); err != nil {
		return m, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("restore: %w", err), os.RemoveAll(work))
		}
	}()
	if m, err = unpack(r, work, func(string) bool { return true }); err != nil {
		return m, err
	}
	parts := []string{memberIndex}
	if hasMember(m, memberCopies) {
		if err := restoreBodies(ctx, work, log); err != nil {
			return m, err
		}
		parts = append(parts, memberCopies, blobDir)
	}
	if hasMember(m, memberConfig) {
		parts = append(parts, memberConfig)
	}
	if m.Keys && passphrase != nil {
		keys, err := keyring.Open(filepath.Join(work, "keys"))
		if err != nil {
			return m, err
		}
		if err := importFrom(work, keys, filepath.Join(work, "keys"), passphrase); err != nil {
			return m, err
		}
		parts = append(parts, "keys")
	}
	if err := restoreJournal(ctx, work, log); err != nil {
		return m, err
	}
	for _, part := range append(parts, "journal") {
		if err := os.Rename(filepath.Join(work, part), filepath.Join(dir, part)); err != nil {
			return m, err
		}
	}
	if err := durable.SyncDir(dir); err != nil {
		return m, err
	}
	if err := os.RemoveAll(work); err != nil {
		return m, err
	}
	return m, durable.SyncDir(dir)
}

// unpack writes the wanted members to dir, synced, and checks all.
func unpack(r io.Reader, dir string, wanted func(name string) bool) (Manifest, error) {
	return readArchive(r, func(name string, content io.Reader) error {
		if !wanted(name) {
			return nil
		}
		if name == memberJournal {
			name = journalPart
		}
		return durable.Write(filepath.Join(dir, name), func(w io.Writer) error {
			_, err := io.Copy(w, content)
			return err
		})
	})
}

// journalPart is the journal's archive until it has become the directory journal.
const journalPart = "journal.archive"

func hasMember(m Manifest, name string) bool {
	for _, p := range m.Members {
		if p.Name == name {
			return true
		}
	}
	return false
}

// restoreJournal makes work/journal. The configuration restored beside it says how large the journal may grow; where the
// log is a cluster's, the copy becomes an embedded one.
func restoreJournal(ctx context.Context, work string, log *slog.Logger) (err error) {
	var config journal.Config
	if c, err := Load(filepath.Join(work, memberConfig)); err == nil {
		config.MaxBytes = c.Journal.MaxBytes
	}
	j, err := journal.Open(ctx, filepath.Join(work, "journal"), config, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	f, err := os.Open(filepath.Join(work, journalPart))
	if err != nil {
		return err
	}
	defer f.Close()
	return j.Restore(ctx, f)
}

// blobDir is where package quarantine keeps its bodies.
const blobDir = "blob"

// restoreBodies makes work/blob of the bodies, which stay sealed.
func restoreBodies(ctx context.Context, work string, log *slog.Logger) error {
	bodies, err := blob.Open(filepath.Join(work, blobDir), nil, log) // it opens none
	if err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(work, memberBodies))
	if err != nil {
		return err
	}
	defer f.Close()
	return bodies.Import(ctx, f)
}

// importFrom opens keys.age and sketch.age in dir.
func importFrom(dir string, keys *keyring.Ring, to string, passphrase func() (string, error)) error {
	phrase, err := passphrase()
	if err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(dir, memberKeys))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := keys.Import(f, phrase); err != nil {
		return err
	}
	id, err := age.NewScryptIdentity(phrase)
	if err != nil {
		return err
	}
	sealed, err := os.Open(filepath.Join(dir, memberSketch))
	if err != nil {
		return err
	}
	defer sealed.Close()
	content, err := age.Decrypt(sealed, id)
	if err != nil {
		return fmt.Errorf("%s: %w", memberSketch, err)
	}
	key, err := io.ReadAll(io.LimitReader(content, 64))
	if err != nil {
		return fmt.Errorf("%s: %w", memberSketch, err)
	}
	return durable.WriteFile(filepath.Join(to, sketchFile), key)
}

// ImportKeys takes the keys out of a backup into the data directory of a node that does not run: after a restore without
// them, or for a new node of a cluster. The lessons are then all read again at the next start.
func ImportKeys(ctx context.Context, r io.Reader, data string, passphrase func() (string, error), log *slog.Logger) (m Manifest, err error) {
	if _, err := os.Stat(filepath.Join(data, "journal")); err != nil {
		return m, fmt.Errorf("import keys: no data directory of a node: %w", err)
	}
	if err := noHalfRestore(data); err != nil {
		return m, err
	}
	j, err := journal.Open(ctx, filepath.Join(data, "journal"), journal.Config{}, log) // its lock keeps nodes away
	if err != nil {
		return m, fmt.Errorf("import keys: %w", err)
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	keys, err := keyring.Open(filepath.Join(data, "keys"))
	if err != nil {
		return m, fmt.Errorf("import keys: %w", err)
	}
	work, err := os.MkdirTemp(data, "keys.*"+durable.TempSuffix)
	if err != nil {
		return m, fmt.Errorf("import keys: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	m, err = unpack(r, work, func(name string) bool { return name == memberKeys || name == memberSketch })
	if err != nil {
		return m, fmt.Errorf("import keys: %w", err)
	}
	if !m.Keys {
		return m, fmt.Errorf("import keys: %w", ErrNoKeysInBackup)
	}
	if err := importFrom(work, keys, filepath.Join(data, "keys"), passphrase); err != nil {
		return m, fmt.Errorf("import keys: %w", err)
	}
	// What was learned without the keys lacks the lessons that they open.
	return m, j.DropSnapshot(filterSnapshot)
}
