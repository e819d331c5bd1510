package blob

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What is exported is there again elsewhere, with the same keys; what expired or is half written is not.
func TestExportImport(t *testing.T) {
	dir := t.TempDir()
	s, keys := mustOpen(t, dir)
	want := map[string]string{"m1": "spam", "m2": strings.Repeat("and spam ", 20_000), "m3": ""}
	for id, text := range want {
		mustPut(t, s, id, time.Now().Add(time.Hour), []byte(text))
	}
	mustPut(t, s, "old", time.Now().Add(-time.Second), []byte("old"))
	mustPut(t, s, "bad", time.Now().Add(time.Hour), []byte("bad"))
	path, _ := s.path("bad")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "blob", "00", "m1"), []byte("not its place"), 0o600); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Export(ctx, &b); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b.Bytes(), []byte("and spam")) {
		t.Error("the export is not sealed")
	}
	again, err := Open(filepath.Join(t.TempDir(), "blob"), keys, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Import(ctx, &b); err != nil {
		t.Fatal(err)
	}
	for id, text := range want {
		if got, err := get(again, id); string(got) != text || err != nil {
			t.Errorf("%s: %d bytes, %v", id, len(got), err)
		}
	}
	for _, id := range []string{"old", "bad"} {
		if _, err := get(again, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// An archive puts nothing beside the store.
func TestImportRefuses(t *testing.T) {
	for _, h := range []tar.Header{
		{Name: "../../keys/node", Size: headSize}, {Name: "/etc/x", Size: headSize}, {Name: ".x", Size: headSize}, {Name: "m1", Size: headSize - 1},
		{Name: "m1", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, {Name: "m1.tmp", Size: headSize},
	} {
		s, _ := mustOpen(t, t.TempDir())
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		h.Mode = 0o600
		if err := errors.Join(w.WriteHeader(&h)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
		if err := s.Import(ctx, &b); !errors.Is(err, ErrID) && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", h.Name, err)
		}
	}
}

// Whatever an archive holds, its bodies are inside the store or it is an error.
func FuzzImport(f *testing.F) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "m1", Size: headSize, Mode: 0o600}); err != nil {
		f.Fatal(err)
	}
	if _, err := w.Write(make([]byte, headSize)); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:600])
	dir := f.TempDir()
	s, err := Open(filepath.Join(dir, "blob"), nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		_ = s.Import(ctx, bytes.NewReader(b))
		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
			t.Fatalf("beside the store: %v %v", files, err)
		}
	})
}
