package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var (
	first  = Schema{Version: 1, Create: "CREATE TABLE mails (id TEXT);"}
	second = Schema{Version: 2, Create: "CREATE TABLE mails (id TEXT, size INTEGER);",
		From: map[int]string{1: "ALTER TABLE mails ADD COLUMN size INTEGER;"}}
)

func mustOpen(t *testing.T, path string, s Schema) *sql.DB {
	t.Helper()
	db, err := Open(t.Context(), path, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// A file is its owner's alone, keeps what it has through a new version, and is refused by a program that is older than it.
func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a ? b.db")
	db := mustOpen(t, path, first)
	if _, err := db.Exec("INSERT INTO mails VALUES ('m1')"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	var synchronous, overwrites int
	if err := db.QueryRow("SELECT (SELECT synchronous FROM pragma_synchronous), (SELECT secure_delete FROM pragma_secure_delete)").Scan(&synchronous, &overwrites); err != nil ||
		synchronous != 2 || overwrites != 1 {
		t.Errorf("synchronous %d, secure_delete %d, %v", synchronous, overwrites, err)
	}
	db.Close()
	for range 2 { // the second time it is of that version
		db = mustOpen(t, path, second)
		var n int
		if err := db.QueryRow("SELECT count(*) FROM mails WHERE id = 'm1' AND size IS NULL").Scan(&n); err != nil || n != 1 {
			t.Errorf("%d rows, %v", n, err)
		}
		db.Close()
	}
	if _, err := Open(t.Context(), path, first); err == nil || !strings.Contains(err.Error(), "another version (2)") {
		t.Errorf("a newer file: %v", err)
	}
	if _, err := Open(t.Context(), filepath.Join(path, "x"), first); err == nil {
		t.Error("opened below a file")
	}
}

// A change that cannot be made leaves the file as it was.
func TestOpenHalf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	mustOpen(t, path, first).Close()
	bad := Schema{Version: 2, From: map[int]string{1: "ALTER TABLE mails ADD COLUMN size INTEGER; ALTER TABLE none ADD COLUMN x;"}}
	if _, err := Open(t.Context(), path, bad); err == nil {
		t.Fatal("changed a table that is not there")
	}
	mustOpen(t, path, second)
}

func TestInTx(t *testing.T) {
	db := mustOpen(t, filepath.Join(t.TempDir(), "x.db"), first)
	failed := errors.New("failed")
	for _, want := range []error{failed, nil} {
		err := InTx(t.Context(), db, func(tx *sql.Tx) error {
			_, err := tx.Exec("INSERT INTO mails VALUES ('m1')")
			return errors.Join(err, want)
		})
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	var n int
	if err := db.QueryRow("SELECT count(*) FROM mails").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := InTx(ended, db, func(*sql.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
