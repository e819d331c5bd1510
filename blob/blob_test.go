package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rempart/durable"
	"rempart/keyring"
)

var (
	ctx   = context.Background()
	alice = keyring.Scope{Tenant: "example.org", User: "alice"}
)

func mustOpen(t *testing.T, dir string) (*Store, *keyring.Ring) {
	t.Helper()
	keys, err := keyring.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(filepath.Join(dir, "blob"), keys, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return s, keys
}

func mustPut(t *testing.T, s *Store, id string, expires time.Time, text []byte) {
	t.Helper()
	if err := s.Put(ctx, id, alice, expires, bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
}

func get(s *Store, id string) ([]byte, error) {
	r, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestPutGet(t *testing.T) {
	dir := t.TempDir()
	s, keys := mustOpen(t, dir)
	later := time.Now().Add(time.Hour)
	for _, n := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 7} {
		text := bytes.Repeat([]byte("spam and "), n/9+1)[:n]
		mustPut(t, s, "m1", later, text)
		s, keys = mustOpen(t, dir)
		if got, err := get(s, "m1"); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes: got %d, %v", n, len(got), err)
		}
	}
	path, _ := s.path("m1")
	if b, _ := os.ReadFile(path); bytes.Contains(b, []byte("spam")) {
		t.Error("the body is on disk in clear")
	}
	failing := io.MultiReader(bytes.NewReader(make([]byte, 100)), iotestErr{})
	if err := s.Put(ctx, "m1", alice, later, failing); err == nil {
		t.Error("a broken reader was put")
	}
	if got, err := get(s, "m1"); err != nil || len(got) != 3*chunkSize+7 {
		t.Errorf("after a failed Put: %d bytes, %v", len(got), err)
	}
	if err := keys.Destroy(alice); err != nil {
		t.Fatal(err)
	}
	if _, err := get(s, "m1"); !errors.Is(err, keyring.ErrDestroyed) {
		t.Errorf("after erasing: %v", err)
	}
	for range 2 {
		if err := s.Delete(ctx, "m1"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := get(s, "m1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("after Delete: %v", err)
	}
	for _, id := range []string{"", "../x", "a/b", ".", "x" + durable.TempSuffix, string(make([]byte, 200))} {
		if err := s.Put(ctx, id, alice, later, bytes.NewReader(nil)); !errors.Is(err, ErrID) {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errors.New("connection lost") }

func TestDamage(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir())
	later := time.Now().Add(time.Hour)
	text := bytes.Repeat([]byte("0123456789"), 20_000) // four chunks
	mustPut(t, s, "a", later, text)
	path, _ := s.path("a")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	full := keyring.SealedSize(chunkSize)
	swapped := bytes.Clone(whole)
	copy(swapped[headSize:], whole[headSize+full:headSize+2*full])
	copy(swapped[headSize+full:], whole[headSize:headSize+full])
	longer := bytes.Clone(whole)
	longer[8] ^= 0x7f // lives longer than it was sealed for
	for name, b := range map[string][]byte{
		"empty": {}, "header": whole[:headSize], "cut in a chunk": whole[:len(whole)-1], "last chunk cut off": whole[:headSize+3*full],
		"first chunk left out": append(bytes.Clone(whole[:headSize]), whole[headSize+full:]...), "swapped": swapped, "expiry changed": longer,
		"longer": append(bytes.Clone(whole), 1),
	} {
		os.WriteFile(path, b, 0o600)
		if got, err := get(s, "a"); !errors.Is(err, ErrDamaged) || !bytes.HasPrefix(text, got) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	other, _ := s.path("b")
	os.WriteFile(other, whole, 0o600)
	if _, err := get(s, "b"); !errors.Is(err, ErrDamaged) {
		t.Errorf("under another id: %v", err)
	}
}

func TestSweepListRestore(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir)
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s.now = func() time.Time { return now }
	mustPut(t, s, "short", now.Add(time.Minute), []byte("a"))
	mustPut(t, s, "long", now.Add(time.Hour), []byte("b"))
	path, _ := s.path("long")
	os.WriteFile(path+".1"+durable.TempSuffix, []byte("half"), 0o600) // a crash
	var copied bytes.Buffer
	if err := s.Copy("long", &copied); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Minute)
	if _, err := get(s, "short"); !errors.Is(err, ErrNotFound) {
		t.Errorf("expired: %v", err)
	}
	if n, err := s.Sweep(ctx); n != 1 || err != nil {
		t.Errorf("Sweep: %d, %v", n, err)
	}
	s, _ = mustOpen(t, dir)
	s.now = func() time.Time { return now }
	var list []string
	if err := s.List(ctx, func(e Entry) error { list = append(list, e.ID); return nil }); err != nil || len(list) != 1 || list[0] != "long" {
		t.Errorf("List: %v, %v", list, err)
	}
	if _, err := os.Stat(path + ".1" + durable.TempSuffix); err == nil {
		t.Error("what the crash left is still there")
	}
	if err := s.Delete(ctx, "long"); err != nil {
		t.Fatal(err)
	}
	if err := s.Restore("long", &copied); err != nil {
		t.Fatal(err)
	}
	if got, err := get(s, "long"); err != nil || string(got) != "b" {
		t.Errorf("restored: %q, %v", got, err)
	}
}
