package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart/index"
	"rempart/keyring"
	"rempart/message"
	"rempart/message/email"
	"rempart/quarantine"
)

// phrase answers the question for the passphrase.
func phrase(s string) func() (string, error) { return func() (string, error) { return s, nil } }

const testPhrase = "correct horse battery"

func letter(i int) *message.Message {
	return email.ParseBytes([]byte(fmt.Sprintf("From: a%d@a.example\r\nTo: ben@b.example\r\nMessage-ID: <%d@a.example>\r\n"+
		"Subject: note %d\r\n\r\nthe %s of the week, number %d, is at https://h%d.example/\r\n", i, i, i, []string{"offer", "minutes"}[i%2], i, i)))
}

// taught makes a node that runs, was taught lessons by two users, and has judged.
func taught(t *testing.T) *Node {
	t.Helper()
	path, _ := configuration(t, "")
	n, _ := serve(t, path)
	for i := range 30 {
		scope := message.Scope{User: "ben@b.example"}
		if i%3 == 0 {
			scope.User = "ann@b.example"
		}
		label := []message.Label{message.Spam, message.Ham}[i%2]
		if _, _, err := n.Learn(t.Context(), letter(i), label, message.CategoryNone, scope, "test"); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		m := letter(i)
		m.Door, m.MailFrom = "mx", fmt.Sprintf("a%d@a.example", i)
		m.Recipients = []message.Recipient{{Address: "ben@b.example"}}
		n.Judge(t.Context(), m)
	}
	waitForEvents(t, n, "ben@b.example", 40)
	if err := n.quarantine.Keep(t.Context(), keptMail); err != nil {
		t.Fatal(err)
	}
	return n
}

// keptMail is the one mail that a taught node keeps.
var keptMail = quarantine.Mail{ID: "m1", Time: time.Now(), Tenant: "t", Recipients: []string{"ben@b.example"}, Raw: bytes.Repeat([]byte("a line of it\r\n"), 9000)}

// scores judges the same messages.
func scores(n *Node) (out []message.LogOdds) {
	for i := range 40 {
		m := letter(100 + i)
		out = append(out, n.filter.Judge(context.Background(), m, nil).Worst().Score)
	}
	return out
}

func ids(t *testing.T, n *Node) (out []string) {
	t.Helper()
	page, err := n.index.Search(t.Context(), index.Query{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Events {
		out = append(out, e.ID)
	}
	return out
}

// reopen opens a restored directory.
func reopen(t *testing.T, dir string) *Node {
	t.Helper()
	n, err := Open(t.Context(), Config{Data: dir, DNS: DNSConfig{Off: true}}, discard(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// backup asks the running node over its control socket.
func backup(t *testing.T, n *Node, passphrase string) []byte {
	t.Helper()
	c, err := Dial(n.config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var b bytes.Buffer
	r := BackupRequest{Version: "test", Passphrase: passphrase, Config: []byte("name = \"n1\"\n")}
	m, err := CheckedBackup(&b, func(w io.Writer) error { return c.Backup(t.Context(), w, r) })
	if err != nil {
		t.Fatal(err)
	}
	if m.Lessons != 30 || m.Keys != (passphrase != "") || m.Node != "n1" {
		t.Errorf("manifest %+v", m)
	}
	if _, err := os.Stat(filepath.Join(n.config.Data, backupSpool)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the spool stays: %v", err)
	}
	return b.Bytes()
}

func TestBackupRestore(t *testing.T) {
	n := taught(t)
	file := backup(t, n, testPhrase)
	if got := n.accounts.Latest(0, 1)[0]; got.What != "backup.with_keys" || got.Who != "local" {
		t.Errorf("the trail ends with %+v", got)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := Restore(t.Context(), bytes.NewReader(file), dir, phrase(testPhrase), discard()); err != nil {
		t.Fatal(err)
	}
	again := reopen(t, dir)
	if got, want := fmt.Sprint(scores(again)), fmt.Sprint(scores(n)); got != want {
		t.Errorf("scores\n%s, before the backup\n%s", got, want)
	}
	if got, want := again.filter.Lessons(), n.filter.Lessons(); got != want || want != 30 {
		t.Errorf("%d lessons, before the backup %d", got, want)
	}
	if got, want := fmt.Sprint(ids(t, again)), fmt.Sprint(ids(t, n)); got != want {
		t.Errorf("events %s, before the backup %s", got, want)
	}
	a, _ := n.sketchKey()
	b, _ := again.sketchKey()
	if a != b {
		t.Error("another key of sketches: their counts could not be merged any more")
	}
	raw, err := again.QuarantinedMail(t.Context(), keptMail.ID)
	if kept, listErr := again.Quarantined(t.Context(), quarantine.Query{Mailboxes: []string{"ben@b.example"}}); err != nil || listErr != nil ||
		len(kept.Copies) != 1 || !bytes.Equal(raw, keptMail.Raw) {
		t.Errorf("in quarantine %+v, %d bytes, %v %v", kept, len(raw), err, listErr)
	}
	config, err := os.ReadFile(filepath.Join(dir, memberConfig))
	if err != nil || string(config) != "name = \"n1\"\n" {
		t.Errorf("configuration %q, %v", config, err)
	}
	info, err := os.Stat(filepath.Join(dir, "index.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("index.db: %v %v", info.Mode(), err)
	}
}

// Without the keys all but the lessons is there; with the keys of another backup the lessons are, too.
func TestRestoreWithoutKeys(t *testing.T) {
	n := taught(t)
	withKeys, without := backup(t, n, testPhrase), backup(t, n, "")
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := Restore(t.Context(), bytes.NewReader(without), dir, phrase("never asked"), discard()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rempart.toml")
	if err := os.WriteFile(path, []byte(fmt.Sprintf("data = %q\n[console]\nlisten = []\n[dns]\noff = true\n", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	locked, stop := serve(t, path)
	if locked.filter.Lessons() != 0 || locked.locked.Load() != 30 || len(ids(t, locked)) != 40 {
		t.Errorf("%d lessons, %d locked, %d events", locked.filter.Lessons(), locked.locked.Load(), len(ids(t, locked)))
	}
	if _, _, err := locked.Learn(t.Context(), letter(50), message.Spam, message.CategoryNone, message.Scope{}, "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := ImportKeys(t.Context(), bytes.NewReader(withKeys), dir, phrase(testPhrase), discard()); err == nil {
		t.Error("keys imported under a running node")
	}
	if raw, err := locked.QuarantinedMail(t.Context(), keptMail.ID); !errors.Is(err, keyring.ErrNoKey) {
		t.Errorf("without its key a mail in quarantine is read: %d bytes, %v", len(raw), err)
	}
	stop()
	if _, err := ImportKeys(t.Context(), bytes.NewReader(without), dir, phrase(testPhrase), discard()); !errors.Is(err, ErrNoKeysInBackup) {
		t.Errorf("a backup without keys: %v", err)
	}
	if _, err := ImportKeys(t.Context(), bytes.NewReader(withKeys), dir, phrase("wrong passphrase"), discard()); !errors.Is(err, keyring.ErrPassphrase) {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if _, err := ImportKeys(t.Context(), bytes.NewReader(withKeys), dir, phrase(testPhrase), discard()); err != nil {
		t.Fatal(err)
	}
	open := reopen(t, dir)
	if got := open.filter.Lessons(); got != 31 {
		t.Errorf("%d lessons after the keys were imported, want 30 and the one since", got)
	}
	if raw, err := open.QuarantinedMail(t.Context(), keptMail.ID); !bytes.Equal(raw, keptMail.Raw) {
		t.Errorf("with its key a mail in quarantine is not read: %d bytes, %v", len(raw), err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	n := taught(t)
	file := backup(t, n, testPhrase)
	t.Run("a directory that is not empty", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(t.Context(), bytes.NewReader(file), dir, nil, discard()); !errors.Is(err, ErrNotEmpty) {
			t.Error(err)
		}
	})
	t.Run("a wrong passphrase", func(t *testing.T) {
		dir := t.TempDir()
		if _, err := Restore(t.Context(), bytes.NewReader(file), dir, phrase("nonsense"), discard()); !errors.Is(err, keyring.ErrPassphrase) {
			t.Error(err)
		}
		mustBeEmpty(t, dir)
	})
	for at := len(file) - 1; at > 0; at -= len(file)/40 + 1 {
		flipped := bytes.Clone(file)
		flipped[at] ^= 0x20
		for what, bad := range map[string][]byte{"flipped": flipped, "cut": file[:at]} {
			dir := t.TempDir()
			_, err := Restore(t.Context(), bytes.NewReader(bad), dir, phrase(testPhrase), discard())
			if !errors.Is(err, ErrDamagedBackup) {
				t.Errorf("%s at %d of %d: %v", what, at, len(file), err)
			}
			mustBeEmpty(t, dir)
		}
	}
}

// What is wrong is named: here each part by turn has a byte changed before it was packed.
func TestDamageIsNamed(t *testing.T) {
	n := taught(t)
	s, err := n.gather(t.Context(), BackupRequest{Passphrase: testPhrase, Config: []byte("# mine\n")})
	if err != nil {
		t.Fatal(err)
	}
	defer n.dropSpool(s)
	if err := n.Backup(t.Context(), io.Discard, BackupRequest{}); !errors.Is(err, ErrBackupRuns) {
		t.Errorf("a second backup at the same time would need the room twice: %v", err)
	}
	for _, part := range []string{memberJournal, memberIndex, memberCopies, memberBodies, memberKeys, memberSketch, memberConfig} {
		path := filepath.Join(s.dir, part)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Clone(content)
		changed[len(changed)/2] ^= 1
		var b bytes.Buffer
		if err := errors.Join(os.WriteFile(path, changed, 0o600), s.writeTo(&b), os.WriteFile(path, content, 0o600)); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		_, err = Restore(t.Context(), &b, dir, phrase(testPhrase), discard())
		if !errors.Is(err, ErrDamagedBackup) || !strings.Contains(err.Error(), part+" is not what was written") {
			t.Errorf("%s: %v", part, err)
		}
		mustBeEmpty(t, dir)
	}
}

// A backup of format 1, without a quarantine, is still read.
func TestRestoreFormat1(t *testing.T) {
	n := taught(t)
	s, err := n.gather(t.Context(), BackupRequest{Passphrase: testPhrase})
	if err != nil {
		t.Fatal(err)
	}
	defer n.dropSpool(s)
	s.manifest.Format = 1
	s.manifest.Members = slices.DeleteFunc(s.manifest.Members, func(m Member) bool { return m.Name == memberCopies || m.Name == memberBodies })
	var b bytes.Buffer
	if err := s.writeTo(&b); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := Restore(t.Context(), &b, dir, phrase(testPhrase), discard()); err != nil {
		t.Fatal(err)
	}
	again := reopen(t, dir)
	if waiting, err := again.quarantine.Waiting(t.Context()); again.filter.Lessons() != 30 || waiting != 0 || err != nil {
		t.Errorf("%d lessons, %d mails in quarantine, %v", again.filter.Lessons(), waiting, err)
	}
}

func mustBeEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

func TestHalfRestoredDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, restoreWork), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Data: dir}, discard(), time.Now); !errors.Is(err, ErrHalfRestored) {
		t.Error(err)
	}
}

// Whatever is fed, an archive is whole and as its manifest says, or an error.
func FuzzReadArchive(f *testing.F) {
	s := &spool{dir: f.TempDir(), manifest: Manifest{Format: archiveFormat}}
	for _, name := range []string{memberJournal, memberIndex} {
		if err := s.add(name, func(w io.Writer) error { _, err := io.WriteString(w, "content of "+name); return err }); err != nil {
			f.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := s.writeTo(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:b.Len()/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		taken := map[string]int64{}
		m, err := readArchive(bytes.NewReader(b), func(name string, r io.Reader) error {
			n, err := io.Copy(io.Discard, r)
			taken[name] = n
			return err
		})
		if err != nil {
			return
		}
		for _, p := range m.Members {
			if taken[p.Name] != p.Bytes {
				t.Fatalf("%s: %d bytes taken, %d in the manifest", p.Name, taken[p.Name], p.Bytes)
			}
		}
	})
}
