// Package maildir learns from a mail store what its owners did with their mail: what lies in Junk is spam; what was answered,
// filed or read long ago is honest.
//
// [List] reads the names in a Maildir (cr.yp.to/proto/maildir.html) or Maildir++ (folders ".Junk", ".Work.Projects"), also
// with folders as directories ("Junk", "Work/Projects"), and in a directory of many of them. It opens no mail. [Plan] puts
// what it found in the order of teaching, and [Session] teaches it, in batches, remembering what was taught, so that a
// broken-off run goes on where it ended.
//
// Nothing is read outside the directory given: symbolic links are passed over.
package maildir

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart/message"
)

// Entry is one mail whose label its place or its flags tell.
type Entry struct {
	Name  string // unique, the same wherever the mail is moved and whatever flags it gets
	Path  string // below the store
	Label message.Label
	At    time.Time // when it was delivered
}

// Listing is what a store says of its mail.
type Listing struct {
	Entries []Entry
	Folders []Folder
	// Full: there was more than [MaxMails] or deeper than maxDepth; the rest was not looked at.
	Full bool
}

// Folder counts what one folder gave.
type Folder struct {
	Name      string // "INBOX" for the mailbox itself
	Spam, Ham int
	Unsure    int // passed over: unread, deleted, or in a folder that says nothing
}

// MaxMails bounds what is held of a store; an entry takes some 200 bytes.
const MaxMails = 1_000_000

const (
	maxDepth = 16
	// Old is the age from which on mail that was read and left in the inbox counts as honest: who is annoyed by a mail
	// deletes it sooner.
	Old = 30 * 24 * time.Hour
)

// List reads the store's names. Junk names folders, besides those known in many languages, whose mail is spam. now is for the age of
// mail.
func List(root *os.Root, junk []string, now time.Time) (Listing, error) {
	w := walk{root: root, now: now, junk: map[string]bool{}}
	for _, name := range junk {
		w.junk[foldName(name)] = true
	}
	err := w.dir(".", "", nil, 0)
	if err == nil && len(w.found.Folders) == 0 {
		err = ErrNoMaildir
	}
	return w.found, err
}

// ErrNoMaildir is a directory without a Maildir in it.
var ErrNoMaildir = errors.New("no Maildir there: no directory with cur and new in it")

type walk struct {
	root  *os.Root
	now   time.Time
	junk  map[string]bool
	found Listing
}

// dir looks at one directory. It belongs to a mailbox, if one stands above it, as the folder of that name.
func (w *walk) dir(at, mailbox string, folder []string, depth int) error {
	if depth > maxDepth {
		w.found.Full = true
		return nil
	}
	children, err := w.directories(at)
	if err != nil {
		return err
	}
	if slices.Contains(children, "cur") {
		if base := path.Base(at); mailbox == "" && len(base) > 1 && base[0] == '.' {
			mailbox, folder = path.Dir(at), parts(base) // a folder, though the mailbox itself is not there
		} else if mailbox == "" {
			mailbox, folder = at, nil
		}
		if err := w.folder(at, mailbox, folder); err != nil {
			return err
		}
	}
	for _, c := range children {
		if c == "cur" || c == "new" || c == "tmp" {
			continue
		}
		if err := w.dir(path.Join(at, c), mailbox, slices.Concat(folder, parts(c)), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// folder takes the mail of one folder. The mailbox itself can have a name that says something: someone gave the path of Junk.
func (w *walk) folder(at, mailbox string, name []string) error {
	kind := natureOf(name, w.junk)
	if len(name) == 0 {
		name, kind = []string{"INBOX"}, natureOf(parts(path.Base(path.Join(filepath.ToSlash(w.root.Name()), at))), w.junk)
		if kind == filed {
			kind = inbox
		}
	}
	f := Folder{Name: path.Join(mailbox, strings.Join(name, "/"))}
	for _, sub := range []string{"cur", "new"} {
		if err := w.mails(path.Join(at, sub), kind, &f); err != nil {
			return err
		}
	}
	w.found.Folders = append(w.found.Folders, f)
	return nil
}

func (w *walk) mails(dir string, kind nature, f *Folder) error {
	return w.each(dir, func(d fs.DirEntry) {
		if !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".") {
			return
		}
		name, flags := cutFlags(d.Name())
		at := w.delivered(name, d)
		label := labelOf(kind, flags, w.now.Sub(at))
		switch {
		case label == 0:
			f.Unsure++
			return
		case len(w.found.Entries) >= MaxMails:
			w.found.Full = true
			return
		case label == message.Spam:
			f.Spam++
		default:
			f.Ham++
		}
		w.found.Entries = append(w.found.Entries, Entry{Name: name, Path: path.Join(dir, d.Name()), Label: label, At: at})
	})
}

// labelOf is what place and flags say; 0: nothing. A mail marked as deleted was dealt with in a way that says nothing of it:
// clients that move mail out of Junk leave it there so.
func labelOf(kind nature, flags string, age time.Duration) message.Label {
	is := func(flag byte) bool { return strings.IndexByte(flags, flag) >= 0 }
	switch {
	case is('T') || is('D'):
		return 0
	case kind == junk && !is('R'):
		return message.Spam
	case kind == filed, kind == inbox && (is('R') || is('S') && age > Old):
		return message.Ham
	}
	return 0
}

// cutFlags splits the name of a file in cur: "1700000000.M1P2.host:2,RS". Where a colon is not allowed another sign stands
// in its place; that may also end the host's name before the sizes of Maildir++, "mx-2,S=1234,W=1250".
func cutFlags(file string) (name, flags string) {
	if i := strings.LastIndex(file, "2,"); i > 0 && strings.IndexByte(":;!-", file[i-1]) >= 0 && !strings.Contains(file[i:], "=") {
		return file[:i-1], file[i+2:]
	}
	return file, ""
}

// delivered is the time that the name begins with, or the file's.
func (w *walk) delivered(name string, d fs.DirEntry) time.Time {
	digits, _, _ := strings.Cut(name, ".")
	if sec, err := strconv.ParseInt(digits, 10, 64); err == nil && sec > 600_000_000 && sec < w.now.Unix()+86_400 {
		return time.Unix(sec, 0)
	}
	if info, err := d.Info(); err == nil {
		return info.ModTime()
	}
	return time.Time{} // it went away; who reads it will see
}

// directories are the directories in one, in the order of their names.
func (w *walk) directories(at string) (names []string, err error) {
	err = w.each(at, func(d fs.DirEntry) {
		if d.IsDir() {
			names = append(names, d.Name())
		}
	})
	slices.Sort(names)
	return names, err
}

// each reads a directory piece by piece: there may be a million mails in it. One that went away is empty.
func (w *walk) each(dir string, do func(fs.DirEntry)) error {
	f, err := w.root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		entries, err := f.ReadDir(1000)
		for _, e := range entries {
			do(e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// newestFirst sorts by delivery, then by name, so that a listing has one order.
func newestFirst(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Name, b.Name)) })
}
