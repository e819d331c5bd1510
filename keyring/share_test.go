package keyring

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func secretOf(t *testing.T, s string) Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString([]byte(s))), 0o600); err != nil {
		t.Fatal(err)
	}
	secret, err := ReadSecret(path)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// What one node sealed another opens once it took the key, which is good for this question and this secret alone.
func TestShare(t *testing.T) {
	secret := secretOf(t, "a secret of thirty-two bytes, or more")
	from, to := mustOpen(t, t.TempDir()), mustOpen(t, t.TempDir())
	record, other := mustSeal(t, from, alice, "lesson"), mustSeal(t, from, bob, "lesson")
	check(t, to, record, "", ErrNoKey)
	id, err := KeyOf(record)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := from.Share(id, secret)
	if err != nil {
		t.Fatal(err)
	}
	otherID, _ := KeyOf(other)
	for name, err := range map[string]error{
		"another secret":   to.Take(id, shared, secretOf(t, "another secret of thirty-two bytes!!")),
		"another question": to.Take(otherID, shared, secret),
		"cut":              to.Take(id, shared[:len(shared)-1], secret),
		"nothing":          to.Take(id, nil, secret),
	} {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := to.Take(id, shared, secret); err != nil {
		t.Fatal(err)
	}
	check(t, to, record, "lesson", nil)
	check(t, to, other, "", ErrNoKey)
	if _, err := to.Share(otherID, secret); !errors.Is(err, ErrNoKey) {
		t.Errorf("shares a key that it has not: %v", err)
	}
	// An erased person's key does not come back, from whatever node it is asked for.
	if err := from.Destroy(alice); err != nil {
		t.Fatal(err)
	}
	gone, err := from.Share(id, secret)
	if err != nil {
		t.Fatal(err)
	}
	third := mustOpen(t, t.TempDir())
	if err := errors.Join(third.Take(id, gone, secret), third.Take(id, shared, secret)); err != nil {
		t.Fatal(err)
	}
	check(t, third, record, "", ErrDestroyed)
}
