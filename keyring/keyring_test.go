package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"rempart/wire"
)

var (
	alice = Scope{"example.org", "alice"}
	bob   = Scope{"example.org", "bob"}
)

func mustOpen(t testing.TB, dir string) *Ring {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustSeal(t testing.TB, r *Ring, s Scope, text string) []byte {
	t.Helper()
	b, err := r.Seal(s, []byte(text), []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func check(t *testing.T, r *Ring, record []byte, want string, wantErr error) {
	t.Helper()
	got, err := r.Open(record, []byte("place"))
	if !errors.Is(err, wantErr) || string(got) != want {
		t.Errorf("Open: %q, %v; want %q, %v", got, err, want, wantErr)
	}
}

func TestSealSurvivesRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	r := mustOpen(t, dir)
	sealed := mustSeal(t, r, alice, "win a prize")
	empty := mustSeal(t, r, Scope{}, "")
	if bytes.Contains(sealed, []byte("prize")) || len(sealed) != SealedSize(len("win a prize")) {
		t.Error("not sealed")
	}
	r = mustOpen(t, dir)
	check(t, r, sealed, "win a prize", nil)
	check(t, r, empty, "", nil)
	if again := mustSeal(t, r, alice, "x"); !bytes.Equal(again[1:1+idSize], sealed[1:1+idSize]) {
		t.Error("a second key was made for the same scope")
	}
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		info, _ := f.Info()
		b, _ := os.ReadFile(filepath.Join(dir, f.Name()))
		if info.Mode().Perm() != 0o600 || bytes.Contains(b, []byte("alice")) {
			t.Errorf("%s: mode %v, or it names the person", f.Name(), info.Mode())
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	r := mustOpen(t, t.TempDir())
	sealed := mustSeal(t, r, alice, "text")
	if _, err := r.Open(sealed, []byte("elsewhere")); !errors.Is(err, ErrDamaged) {
		t.Errorf("other additional data: %v", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := r.Open(bad, []byte("place")); err == nil {
			t.Errorf("byte %d changed: opened", i)
		}
	}
	check(t, r, sealed[:10], "", ErrDamaged)
	check(t, r, append([]byte{9}, sealed[1:]...), "", wire.ErrVersion)
	check(t, mustOpen(t, t.TempDir()), sealed, "", ErrNoKey)
}

func TestDestroyErasesOnePerson(t *testing.T) {
	dir := t.TempDir()
	r := mustOpen(t, dir)
	a, b := mustSeal(t, r, alice, "a"), mustSeal(t, r, bob, "b")
	if err := r.Destroy(alice); err != nil {
		t.Fatal(err)
	}
	if err := r.Destroy(Scope{"example.org", "nobody"}); err != nil {
		t.Fatal(err)
	}
	later := mustSeal(t, r, alice, "a new life")
	for range 2 {
		check(t, r, a, "", ErrDestroyed)
		check(t, r, b, "b", nil)
		check(t, r, later, "a new life", nil)
		r = mustOpen(t, dir)
	}
}

func TestScopes(t *testing.T) {
	r := mustOpen(t, t.TempDir())
	for _, s := range []Scope{{"", "ben"}, {"village", "ben"}, {"village", "ann"}, {"village", ""}} {
		mustSeal(t, r, s, "x")
	}
	bens := func() int {
		t.Helper()
		list, err := r.Scopes(func(s Scope) bool { return s.User == "ben" })
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if n := bens(); n != 2 {
		t.Errorf("ben has %d scopes", n)
	}
	if err := r.Destroy(Scope{"village", "ben"}); err != nil {
		t.Fatal(err)
	}
	if n := bens(); n != 1 {
		t.Errorf("ben has %d scopes after one was destroyed", n)
	}
}

func TestExportImport(t *testing.T) {
	a := mustOpen(t, t.TempDir())
	kept, gone := mustSeal(t, a, alice, "kept"), mustSeal(t, a, bob, "gone")
	var backup bytes.Buffer
	if err := a.Export(&backup, "correct horse"); err != nil {
		t.Fatal(err)
	}
	if err := a.Destroy(bob); err != nil {
		t.Fatal(err)
	}
	// A restored backup does not raise the dead.
	if err := a.Import(bytes.NewReader(backup.Bytes()), "correct horse"); err != nil {
		t.Fatal(err)
	}
	check(t, a, gone, "", ErrDestroyed)

	fresh := mustOpen(t, t.TempDir())
	if err := fresh.Import(bytes.NewReader(backup.Bytes()), "wrong"); !errors.Is(err, ErrPassphrase) {
		t.Fatalf("wrong passphrase: %v", err)
	}
	used := mustOpen(t, t.TempDir())
	own := mustSeal(t, used, alice, "own")
	for _, r := range []*Ring{fresh, used} {
		if err := r.Import(bytes.NewReader(backup.Bytes()), "correct horse"); err != nil {
			t.Fatal(err)
		}
		check(t, r, kept, "kept", nil)
		check(t, r, gone, "gone", nil)
	}
	check(t, used, own, "own", nil)
	if err := used.Destroy(alice); err != nil {
		t.Fatal(err)
	}
	check(t, used, own, "", ErrDestroyed)
	check(t, used, kept, "", ErrDestroyed)
	if next := mustSeal(t, fresh, alice, "x"); !bytes.Equal(next[1:1+idSize], kept[1:1+idSize]) {
		t.Error("a fresh node made its own key for a scope that the import has")
	}
}

func TestNodeKeyLost(t *testing.T) {
	dir := t.TempDir()
	mustSeal(t, mustOpen(t, dir), alice, "x")
	if err := os.Remove(filepath.Join(dir, nodeFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("a new node key was made beside keys that it cannot unwrap")
	}
}

func TestConcurrent(t *testing.T) {
	r := mustOpen(t, t.TempDir())
	var g sync.WaitGroup
	for w := range 8 {
		g.Go(func() {
			for i := range 20 {
				s := Scope{"t", fmt.Sprint(i % 3)}
				sealed, err := r.Seal(s, []byte{byte(w)}, nil)
				if err != nil {
					t.Error(err)
				}
				if got, err := r.Open(sealed, nil); err != nil || got[0] != byte(w) {
					t.Errorf("%v, %v", got, err)
				}
			}
		})
	}
	g.Wait()
	if h, _ := r.handles(); len(h) != 3 {
		t.Errorf("%d scopes on disk", len(h))
	}
}

func FuzzReadEntry(f *testing.F) {
	e := &entry{scope: alice, destroyed: []keyID{{1}}}
	f.Add(e.appendPlain(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := readPlain(b)
		if err != nil {
			return
		}
		again, err := readPlain(e.appendPlain(nil))
		if err != nil || again.scope != e.scope || len(again.keys) != len(e.keys) || len(again.destroyed) != len(e.destroyed) {
			t.Fatalf("%+v became %+v, %v", e, again, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	r := mustOpen(b, b.TempDir())
	text := make([]byte, 2048)
	b.SetBytes(2048)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Seal(alice, text, nil); err != nil {
			b.Fatal(err)
		}
	}
}
