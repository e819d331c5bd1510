package blob

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"rempart/durable"
)

// Export writes all bodies that have not expired as a tar, each as it lies on disk, sealed, under its id: for a backup, while the store
// is in use. A body that is deleted meanwhile is left out.
func (s *Store) Export(ctx context.Context, w io.Writer) error {
	t := tar.NewWriter(w)
	err := s.files(ctx, func(file string) error {
		id := filepath.Base(file)
		if path, err := s.path(id); err != nil || path != file {
			return nil // half written, or not ours
		}
		if err := s.exportOne(t, file); err != nil {
			return fmt.Errorf("export body %s: %w", id, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.Close()
}

func (s *Store) exportOne(t *tar.Writer, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	head, _, err := readHead(f)
	if err != nil {
		s.log.Error("a damaged body stays out of the export", "path", path)
		return nil // one must not keep all others out
	}
	if !expiry(head).After(s.now()) {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: filepath.Base(path), Size: info.Size(), Mode: 0o600}); err != nil {
		return err
	}
	_, err = io.Copy(t, f) // a body's file is replaced, never changed
	return err
}

// maxSealed is more than the largest body takes, sealed.
const maxSealed = MaxBytes + MaxBytes/16

// Import puts the bodies of an export into the store, sealed as they are: their keys must come, too, before they can be read.
func (s *Store) Import(ctx context.Context, r io.Reader) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("import bodies: %w", err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
		path, err := s.path(h.Name)
		if err == nil && (h.Typeflag != tar.TypeReg || h.Size < headSize || h.Size > maxSealed) {
			err = ErrDamaged
		}
		if err == nil {
			err = durable.Write(path, func(w io.Writer) error {
				_, err := io.Copy(w, t)
				return err
			})
		}
		if err != nil {
			return fmt.Errorf("import body %.100q: %w", h.Name, err)
		}
	}
}
