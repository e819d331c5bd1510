package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"rempart/durable"
)

const (
	snapshotDir     = "snapshots"
	snapshotVersion = 1
	snapshotHead    = 1 + 8 + sha256.Size
)

var snapshotName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// ErrNoSnapshot: none was saved under that name.
var ErrNoSnapshot = errors.New("journal: no snapshot")

// SaveSnapshot keeps a view of a log as it stands after sequence number seq, synced and checked by SHA-256. It replaces
// the earlier one of that name. The snapshot is written in clear: what must not be read is sealed by the caller.
func (j *Journal) SaveSnapshot(name string, seq uint64, data []byte) error {
	if !snapshotName.MatchString(name) {
		return fmt.Errorf("journal: %q is no name for a snapshot", name)
	}
	b := make([]byte, snapshotHead, snapshotHead+len(data))
	b[0] = snapshotVersion
	binary.BigEndian.PutUint64(b[1:], seq)
	b = append(b, data...)
	sum := snapshotSum(b)
	copy(b[9:], sum[:])
	if err := durable.WriteFile(filepath.Join(j.dir, snapshotDir, name), b); err != nil {
		return fmt.Errorf("save snapshot %s: %w", name, err)
	}
	return nil
}

// LoadSnapshot reads what was saved. The errors are [ErrNoSnapshot] and [ErrDamaged]: in both cases the view is made anew
// from the log.
func (j *Journal) LoadSnapshot(name string) (seq uint64, data []byte, err error) {
	b, err := os.ReadFile(filepath.Join(j.dir, snapshotDir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil, ErrNoSnapshot
	}
	if err != nil {
		return 0, nil, fmt.Errorf("load snapshot: %w", err)
	}
	if len(b) < snapshotHead || b[0] != snapshotVersion || snapshotSum(b) != [sha256.Size]byte(b[9:snapshotHead]) {
		return 0, nil, fmt.Errorf("snapshot %s: %w", name, ErrDamaged)
	}
	return binary.BigEndian.Uint64(b[1:]), b[snapshotHead:], nil
}

// DropSnapshot deletes one: the view is made anew from the log. One that is not there is no error.
func (j *Journal) DropSnapshot(name string) error {
	if !snapshotName.MatchString(name) {
		return fmt.Errorf("journal: %q is no name for a snapshot", name)
	}
	if err := durable.Remove(filepath.Join(j.dir, snapshotDir, name)); err != nil {
		return fmt.Errorf("drop snapshot %s: %w", name, err)
	}
	return nil
}

func snapshotSum(b []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(b[:9])
	h.Write(b[snapshotHead:])
	return [sha256.Size]byte(h.Sum(nil))
}
