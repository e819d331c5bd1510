// Package sqlite opens the SQLite files of what must survive: only their owner can read them, what was committed is synced, and what was
// deleted is overwritten.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"rempart/durable"
)

// Schema is the tables of a file.
type Schema struct {
	Version int
	Create  string         // statements that make them in an empty file
	From    map[int]string // statements that make a file of an older version one of Version
}

// Open opens the file, makes it if there is none, and brings an older one to the version of s; one of a version that s does not know is
// refused. Transactions take the lock on the file when they begin.
func Open(ctx context.Context, path string, s Schema) (*sql.DB, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite would make it readable for all
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Close(), durable.SyncDir(filepath.Dir(path))); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(1)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	if err := s.apply(ctx, db, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (s *Schema) apply(ctx context.Context, db *sql.DB, path string) error {
	var version, tables int
	if err := db.QueryRowContext(ctx, "SELECT (SELECT user_version FROM pragma_user_version), count(*) FROM sqlite_master").Scan(&version, &tables); err != nil {
		return err
	}
	change := s.Create
	if tables > 0 {
		if version == s.Version {
			return nil
		}
		if change = s.From[version]; change == "" {
			return fmt.Errorf("%s was written by another version (%d)", path, version)
		}
	}
	_, err := db.ExecContext(ctx, "BEGIN;"+change+fmt.Sprintf("PRAGMA user_version = %d; COMMIT", s.Version))
	return err
}

// InTx does something whole or not at all.
func InTx(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
