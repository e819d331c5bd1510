package node

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A backup is one file, a tar compressed with zstd, so that it can be opened without Rempart: manifest.json comes first
// and names every other member with its size and SHA-256. docs/formats.md specifies it.
// Format 1 had no quarantine in it and is still read.
const archiveFormat = 2

// Members of a backup.
const (
	memberManifest = "manifest.json"
	memberConfig   = "rempart.toml"
	memberJournal  = "journal"
	memberIndex    = "index.db"
	memberCopies   = "quarantine.db"
	memberBodies   = "blob.tar"
	memberKeys     = "keys.age"
	memberSketch   = "sketch.age"
)

// maxManifest bounds what is read into memory before anything is known of a file.
const maxManifest = 1 << 20

// maxPadding is what may follow the last block of a tar: some programs fill up to a block of their own.
const maxPadding = 1 << 20

// ErrDamagedBackup is a file that is not, or not any more, what [Node.Backup] wrote; the text around it names the part.
var ErrDamagedBackup = errors.New("the backup is damaged")

// Manifest says what a backup holds.
type Manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // of the program that asked for it
	Model   string    `json:"model"`   // version of the learning algorithm
	Node    string    `json:"node"`
	Made    time.Time `json:"made"`
	Lessons uint64    `json:"lessons"`
	Keys    bool      `json:"keys"` // the keys are in it, encrypted to a passphrase
	Members []Member  `json:"members"`
}

// Member is one part of a backup.
type Member struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// spool is a directory in which the members of a backup lie as files.
type spool struct {
	dir      string
	manifest Manifest
}

// add makes a member of what fill writes.
func (s *spool) add(name string, fill func(io.Writer) error) (err error) {
	f, err := os.OpenFile(filepath.Join(s.dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	err = fill(io.MultiWriter(f, sum))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	info, err := os.Stat(f.Name())
	if err != nil {
		return err
	}
	s.manifest.Members = append(s.manifest.Members, Member{name, info.Size(), hex.EncodeToString(sum.Sum(nil))})
	return nil
}

// writeTo writes the file.
func (s *spool) writeTo(w io.Writer) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	manifest, err := json.MarshalIndent(s.manifest, "", "  ")
	if err == nil {
		err = s.header(t, memberManifest, int64(len(manifest)))
	}
	if err == nil {
		_, err = t.Write(manifest)
	}
	for _, m := range s.manifest.Members {
		if err == nil {
			err = s.write(t, m)
		}
	}
	if err == nil {
		err = t.Close()
	}
	if closeErr := z.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (s *spool) header(t *tar.Writer, name string, bytes int64) error {
	return t.WriteHeader(&tar.Header{Name: name, Size: bytes, Mode: 0o600, ModTime: s.manifest.Made})
}

func (s *spool) write(t *tar.Writer, m Member) error {
	f, err := os.Open(filepath.Join(s.dir, m.Name))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.header(t, m.Name, m.Bytes); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}

// readArchive checks a backup from its first byte to its last, and gives each member to take, which reads it to its end or
// not at all. What take has been given is only trusted when readArchive returned without error.
func readArchive(r io.Reader, take func(name string, content io.Reader) error) (Manifest, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return Manifest{}, err
	}
	defer z.Close()
	t := tar.NewReader(z)
	m, err := readManifest(t)
	if err != nil {
		return m, err
	}
	for _, want := range m.Members {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return m, fmt.Errorf("%w: it ends before %s", ErrDamagedBackup, want.Name)
		case err != nil:
			return m, fmt.Errorf("%w: before %s: %w", ErrDamagedBackup, want.Name, err)
		case h.Name != want.Name || h.Size != want.Bytes:
			return m, fmt.Errorf("%w: %s with %d bytes stands where the manifest has %s with %d", ErrDamagedBackup, h.Name, h.Size, want.Name, want.Bytes)
		}
		if err := readMember(t, want, take); err != nil {
			return m, err
		}
	}
	if h, err := t.Next(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = fmt.Errorf("%s is not in the manifest", h.Name)
		}
		return m, fmt.Errorf("%w: at its end: %w", ErrDamagedBackup, err)
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, maxPadding+1)) // to the end of the stream: its check sum
	if err == nil && n > maxPadding {
		err = errors.New("more follows")
	}
	if err != nil {
		return m, fmt.Errorf("%w: at its end: %w", ErrDamagedBackup, err)
	}
	return m, nil
}

func readMember(t io.Reader, want Member, take func(string, io.Reader) error) error {
	var broken error // of the file; take's own errors are about the disk
	sum := sha256.New()
	content := io.TeeReader(readerFunc(func(p []byte) (int, error) {
		n, err := t.Read(p)
		if err != nil && !errors.Is(err, io.EOF) {
			broken = err
		}
		return n, err
	}), sum)
	err := take(want.Name, content)
	if err == nil {
		_, err = io.Copy(io.Discard, content)
	}
	switch {
	case broken != nil:
		return fmt.Errorf("%w: %s cannot be read: %w", ErrDamagedBackup, want.Name, broken)
	case err != nil:
		return err
	case hex.EncodeToString(sum.Sum(nil)) != want.SHA256:
		return fmt.Errorf("%w: %s is not what was written (its SHA-256 differs from the manifest's)", ErrDamagedBackup, want.Name)
	}
	return nil
}

func readManifest(t *tar.Reader) (m Manifest, err error) {
	h, err := t.Next()
	if err != nil {
		return m, fmt.Errorf("%w: not a tar in zstd: %w", ErrDamagedBackup, err)
	}
	if h.Name != memberManifest || h.Size > maxManifest {
		return m, fmt.Errorf("%w: it does not begin with %s", ErrDamagedBackup, memberManifest)
	}
	if err := json.NewDecoder(t).Decode(&m); err != nil {
		return m, fmt.Errorf("%w: %s: %w", ErrDamagedBackup, memberManifest, err)
	}
	if m.Format < 1 || m.Format > archiveFormat {
		return m, fmt.Errorf("this backup has format %d, which rempart %s made; this program reads formats up to %d", m.Format, m.Version, archiveFormat)
	}
	known := []string{memberConfig, memberJournal, memberIndex, memberCopies, memberBodies, memberKeys, memberSketch}
	seen := map[string]bool{}
	for _, p := range m.Members {
		if !slices.Contains(known, p.Name) || seen[p.Name] || p.Bytes < 0 {
			return m, fmt.Errorf("%w: %s lists %q", ErrDamagedBackup, memberManifest, p.Name)
		}
		seen[p.Name] = true
	}
	for _, name := range []string{memberJournal, memberIndex} {
		if !seen[name] {
			return m, fmt.Errorf("%w: %s lists no %s", ErrDamagedBackup, memberManifest, name)
		}
	}
	if seen[memberCopies] != seen[memberBodies] {
		return m, fmt.Errorf("%w: %s lists half of a quarantine", ErrDamagedBackup, memberManifest)
	}
	if m.Keys != seen[memberKeys] || m.Keys != seen[memberSketch] {
		return m, fmt.Errorf("%w: %s and the parts disagree on keys", ErrDamagedBackup, memberManifest)
	}
	return m, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
