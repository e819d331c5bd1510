package maildir

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart/message"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// deliver writes a mail into a store. Days is its age.
func deliver(t *testing.T, store, folder, sub string, days int, unique, flags string) {
	t.Helper()
	for _, dir := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(store, folder, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	name := fmt.Sprintf("%d.%s.mx", now.AddDate(0, 0, -days).Unix(), unique)
	if flags != "none" {
		name += ":2," + flags
	}
	mail := fmt.Sprintf("From: a@a.example\nMessage-ID: <%s@a.example>\nSubject: %s\n\nmail %s\n", unique, unique, unique)
	if err := os.WriteFile(filepath.Join(store, folder, sub, name), []byte(mail), 0o600); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, dir string, junk ...string) (Listing, *os.Root) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	l, err := List(root, junk, now)
	if err != nil {
		t.Fatal(err)
	}
	return l, root
}

// labels are "spam UNIQUE" and "ham UNIQUE", sorted.
func labels(l Listing) string {
	var all []string
	for _, e := range l.Entries {
		all = append(all, e.Label.String()+" "+strings.Split(e.Name, ".")[1])
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	deliver(t, dir, "", "cur", 2, "answered", "RS")
	deliver(t, dir, "", "cur", 2, "read", "S")
	deliver(t, dir, "", "cur", 40, "read_long_ago", "S")
	deliver(t, dir, "", "cur", 40, "old_unread", "")
	deliver(t, dir, "", "new", 40, "new", "none")
	deliver(t, dir, "", "cur", 40, "deleted", "RST")
	deliver(t, dir, "", "tmp", 40, "arriving", "none")
	deliver(t, dir, ".Junk", "cur", 1, "junk", "S")
	deliver(t, dir, ".Junk", "new", 1, "fresh_junk", "none")
	deliver(t, dir, ".Junk", "cur", 1, "moved_out", "ST")
	deliver(t, dir, ".Junk", "cur", 1, "answered_junk", "RS")
	deliver(t, dir, ".INBOX.Spam.2024", "cur", 1, "deep_junk", "S")
	deliver(t, dir, ".Work.Projects", "cur", 1, "filed", "")
	deliver(t, dir, ".&BCEEPwQwBDw-", "cur", 1, "russian_junk", "S")
	deliver(t, dir, ".Courrier ind\u00e9sirable", "cur", 1, "french_junk", "S")
	deliver(t, dir, ".Papelera", "cur", 1, "trashed", "S")
	deliver(t, dir, ".\u5df2\u53d1\u9001", "cur", 1, "sent", "S")
	deliver(t, dir, ".Drafts", "cur", 1, "draft", "S")
	deliver(t, dir, ".Werbung", "cur", 1, "adverts", "S")
	l, _ := list(t, dir, "Werbung")
	want := "ham answered, ham filed, ham read_long_ago, spam adverts, spam deep_junk, spam french_junk, spam fresh_junk, spam junk, spam russian_junk"
	if got := labels(l); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if i := slices.IndexFunc(l.Folders, func(f Folder) bool { return f.Name == "\u0421\u043f\u0430\u043c" && f.Spam == 1 }); i < 0 {
		t.Errorf("folders %v", l.Folders)
	}
}

// What a mail is called stays the same with its flags, also where the host's name ends as flags begin.
func TestCutFlags(t *testing.T) {
	for _, tt := range []struct{ file, name, flags string }{
		{"1700000000.M1P2.mx:2,RS", "1700000000.M1P2.mx", "RS"},
		{"1700000000.M1P2.mx", "1700000000.M1P2.mx", ""},
		{"1700000000.M1P2.mx-2,S=1234,W=1250", "1700000000.M1P2.mx-2,S=1234,W=1250", ""},
		{"1700000000.M1P2.mx-2,S=1234,W=1250:2,RSa", "1700000000.M1P2.mx-2,S=1234,W=1250", "RSa"},
		{"1700000000.M1P2.mx,S=12,W=13;2,", "1700000000.M1P2.mx,S=12,W=13", ""},
	} {
		if name, flags := cutFlags(tt.file); name != tt.name || flags != tt.flags {
			t.Errorf("%s: %q %q, want %q %q", tt.file, name, flags, tt.name, tt.flags)
		}
	}
}

// A directory of many, with folders as directories, gives each mailbox its own inbox.
func TestListOfMany(t *testing.T) {
	dir := t.TempDir()
	deliver(t, dir, "ann/Maildir", "cur", 2, "ann_read", "S")
	deliver(t, dir, "ann/Maildir/.Junk", "cur", 2, "ann_junk", "S")
	deliver(t, dir, "ben", "cur", 2, "ben_answered", "R")
	deliver(t, dir, "ben/Work/Projects", "cur", 2, "ben_filed", "")
	deliver(t, dir, "ben/Junk E-mail", "cur", 2, "ben_junk", "S")
	l, _ := list(t, dir)
	if got, want := labels(l), "ham ben_answered, ham ben_filed, spam ann_junk, spam ben_junk"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	var names []string
	for _, f := range l.Folders {
		names = append(names, f.Name)
	}
	if got, want := strings.Join(names, ", "), "ann/Maildir/INBOX, ann/Maildir/Junk, ben/INBOX, ben/Junk E-mail, ben/Work/Projects"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if l, _ := list(t, filepath.Join(dir, "ann/Maildir/.Junk")); labels(l) != "spam ann_junk" {
		t.Errorf("the path of Junk itself: %s", labels(l))
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	deliver(t, outside, "", "cur", 2, "secret", "R")
	deliver(t, dir, "", "cur", 2, "own", "R")
	for _, link := range [][2]string{{outside, filepath.Join(dir, ".Linked")}, {filepath.Join(outside, "cur"), filepath.Join(dir, ".Half/cur")},
		{filepath.Join(outside, "cur", "x"), filepath.Join(dir, "cur", "1.link.mx:2,R")}} {
		if err := os.MkdirAll(filepath.Dir(link[1]), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(link[0], link[1]); err != nil {
			t.Fatal(err)
		}
	}
	if l, _ := list(t, dir); labels(l) != "ham own" {
		t.Errorf("got %s", labels(l))
	}
}

func TestNoMaildir(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if _, err := List(root, nil, now); err != ErrNoMaildir {
		t.Errorf("error %v", err)
	}
}

func TestPlan(t *testing.T) {
	var entries []Entry
	for i := range 140 {
		e := Entry{Name: fmt.Sprintf("ham%03d", i), Label: message.Ham, At: now.AddDate(0, 0, -i)}
		if i%7 == 0 {
			e.Name, e.Label = fmt.Sprintf("spam%03d", i), message.Spam
		}
		entries = append(entries, e)
	}
	o := Plan(entries) // 20 spam, 120 honest: 80 of them are taught
	if o.Left != 40 || len(o.Taught) != 18+72 || len(o.Held) != 2+8 {
		t.Fatalf("%d taught, %d held, %d left", len(o.Taught), len(o.Held), o.Left)
	}
	for i, e := range o.Taught[:36] {
		if (e.Label == message.Spam) != (i%2 == 0) {
			t.Fatalf("lesson %d is %s", i, e.Name)
		}
	}
	last := map[message.Label]time.Time{message.Spam: now.AddDate(1, 0, 0), message.Ham: now.AddDate(1, 0, 0)}
	for _, e := range slices.Concat(o.Taught, o.Held) {
		if e.At.After(last[e.Label]) {
			t.Fatalf("%s comes after an older one", e.Name)
		}
		last[e.Label] = e.At
	}
	if o := Plan(slices.DeleteFunc(entries, func(e Entry) bool { return e.Label == message.Spam })); len(o.Taught)+len(o.Held) != 0 {
		t.Errorf("one kind alone: %d taught", len(o.Taught))
	}
}

func FuzzDecodeName(f *testing.F) {
	for _, s := range []string{"&BCEEPwQwBDw-", "A&-B", "&", "&AAA-", "plain", "&BCEEPwQwBDw"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := decodeName(s)
		if !strings.Contains(s, "&") && got != s || len(got) > 3*len(s)+3 {
			t.Fatalf("%q became %q", s, got)
		}
		natureOf(parts(s), nil)
		cutFlags(s)
	})
}

func TestDecodeName(t *testing.T) {
	for in, want := range map[string]string{"&BCEEPwQwBDw-": "\u0421\u043f\u0430\u043c", "A &- B": "A & B", "Entw&APw-rfe": "Entw\u00fcrfe",
		"Tom & Jerry": "Tom & Jerry", "\u0421\u043f\u0430\u043c": "\u0421\u043f\u0430\u043c"} {
		if got := decodeName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
