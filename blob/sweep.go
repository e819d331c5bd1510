package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rempart/durable"
)

// Entry is a body on disk.
type Entry struct {
	ID      string
	Expires time.Time
	Bytes   int64 // of the file
}

// files visits the path of every file in the store, half written ones too, in no order; an error of visit ends it.
func (s *Store) files(ctx context.Context, visit func(path string) error) error {
	for first := range 256 {
		dir := filepath.Join(s.dir, fmt.Sprintf("%02x", first))
		files, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("list bodies: %w", err)
		}
		for _, f := range files {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := visit(filepath.Join(dir, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// List visits every body, expired ones too, in no order; an error of visit ends it.
func (s *Store) List(ctx context.Context, visit func(Entry) error) error {
	return s.files(ctx, func(path string) error {
		if strings.HasSuffix(path, durable.TempSuffix) {
			return nil
		}
		e, err := s.entry(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // deleted meanwhile
		case errors.Is(err, ErrDamaged):
			s.log.Warn("body is damaged", "id", filepath.Base(path))
			return nil
		case err != nil:
			return fmt.Errorf("list bodies: %w", err)
		}
		return visit(e)
	})
}

func (s *Store) entry(path string) (Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return Entry{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Entry{}, err
	}
	head, _, err := readHead(f)
	if err != nil {
		return Entry{}, err
	}
	return Entry{ID: filepath.Base(path), Expires: expiry(head), Bytes: info.Size()}, nil
}

// Sweep deletes what has expired and returns how many.
func (s *Store) Sweep(ctx context.Context) (deleted int, err error) {
	now := s.now()
	err = s.List(ctx, func(e Entry) error {
		if e.Expires.After(now) {
			return nil
		}
		deleted++
		return s.Delete(ctx, e.ID)
	})
	return deleted, err
}

// Run sweeps at once and then every ten minutes until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		switch n, err := s.Sweep(ctx); {
		case err != nil && ctx.Err() == nil:
			s.log.Error("bodies were not swept", "error", err)
		case n > 0:
			s.log.Info("bodies have expired", "count", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Copy writes a body as it lies on disk, sealed, for a backup.
func (s *Store) Copy(id string, w io.Writer) error {
	path, err := s.path(id)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("copy body: %w", err)
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// Restore puts back what [Store.Copy] wrote, synced. Whether it can be read depends on the keys.
func (s *Store) Restore(id string, r io.Reader) error {
	path, err := s.path(id)
	if err != nil {
		return err
	}
	return durable.Write(path, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
}
