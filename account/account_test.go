package account

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart/journal"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var admin = Actor{Name: FirstAdministrator, Address: "192.0.2.1"}

const password = "correct horse battery"

func openJournal(t *testing.T) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), t.TempDir(), journal.Config{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func openBook(t *testing.T, j *journal.Journal) *Book {
	t.Helper()
	b, err := Open(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// must fails the test if a step of it did not work.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func first(t *testing.T, b *Book) string {
	t.Helper()
	secret, ok, err := b.FirstLink(t.Context(), now)
	if !ok || err != nil {
		t.Fatalf("FirstLink: %v, %v", ok, err)
	}
	return secret
}

func TestFirstLinkUntilThereIsAPassword(t *testing.T) {
	j := openJournal(t)
	b := openBook(t, j)
	old := first(t, b)
	secret := first(t, b) // the node was restarted
	if _, err := b.Redeem(t.Context(), Actor{}, old, now); err != ErrLink {
		t.Errorf("the replaced link: %v", err)
	}
	a := must(b.Redeem(t.Context(), Actor{}, secret, now))(t)
	if a.Name != FirstAdministrator || a.Role != Administrator || a.HasPassword {
		t.Errorf("%+v", a)
	}
	if err := b.SetPassword(t.Context(), admin, a.Name, password); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := b.FirstLink(t.Context(), now); ok || err != nil {
		t.Errorf("a link for a node that has its administrator: %v, %v", ok, err)
	}
	again := openBook(t, j)
	if _, err := again.Login(t.Context(), a.Name, password); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

func TestLinkIsGoodOnceAndForATime(t *testing.T) {
	j := openJournal(t)
	b := openBook(t, j)
	secret := first(t, b)
	if _, err := b.Redeem(t.Context(), Actor{}, secret, now.Add(LinkLife)); err != ErrLink {
		t.Errorf("expired: %v", err)
	}
	if _, err := b.Redeem(t.Context(), Actor{}, secret+"x", now); err != ErrLink {
		t.Errorf("guessed: %v", err)
	}
	other := openBook(t, j) // another node
	var won int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			book := b
			if i%2 == 1 {
				book = other
			}
			_, err := book.Redeem(context.Background(), Actor{}, secret, now)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if err != ErrLink {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won != 1 {
		t.Errorf("%d of 8 used the link", won)
	}
}

func TestPasswords(t *testing.T) {
	b := openBook(t, openJournal(t))
	first(t, b)
	for _, tt := range []struct {
		password string
		want     error
	}{
		{"short", ErrPassword},
		{strings.Repeat("é", MinPassword-1), ErrPassword},
		{strings.Repeat("x", maxPassword+1), ErrPassword},
		{strings.Repeat("é", MinPassword), nil},
		{password, nil},
	} {
		if err := b.SetPassword(t.Context(), admin, FirstAdministrator, tt.password); !errors.Is(err, tt.want) {
			t.Errorf("SetPassword(%d bytes): %v, want %v", len(tt.password), err, tt.want)
		}
	}
	for _, tt := range []struct {
		name, password string
		want           error
	}{
		{FirstAdministrator, password, nil},
		{FirstAdministrator, password + " ", ErrLogin},
		{FirstAdministrator, "", ErrLogin},
		{"nobody", password, ErrLogin},
		{"nobody", "", ErrLogin},
		{FirstAdministrator, strings.Repeat("x", 1<<20), ErrLogin},
	} {
		if _, err := b.Login(t.Context(), tt.name, tt.password); !errors.Is(err, tt.want) {
			t.Errorf("Login(%s, %d bytes): %v, want %v", tt.name, len(tt.password), err, tt.want)
		}
	}
}

func TestChangesEndSessionsAndCanBeUndone(t *testing.T) {
	j := openJournal(t)
	b := openBook(t, j)
	first(t, b)
	secret := must(b.Invite(t.Context(), admin, "care@example.org", Viewer, now))(t)
	before := must(b.Redeem(t.Context(), Actor{}, secret, now))(t)
	if err := b.SetRole(t.Context(), admin, before.Name, Operator); err != nil {
		t.Fatal(err)
	}
	after, _ := b.Account(before.Name)
	if after.Role != Operator || after.Generation == before.Generation {
		t.Errorf("%+v after %+v", after, before)
	}
	if err := b.Remove(t.Context(), admin, before.Name); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Account(before.Name); ok {
		t.Error("removed, but still there")
	}
	removed := b.Accounts(time.Now())
	if len(removed) != 2 || removed[1].Active() {
		t.Errorf("%+v", removed)
	}
	if len(b.Accounts(time.Now().Add(UndoLife))) != 1 {
		t.Error("shown for ever")
	}
	if err := b.Restore(t.Context(), admin, before.Name, time.Now()); err != nil {
		t.Fatal(err)
	}
	again := openBook(t, j)
	if a, ok := again.Account(before.Name); !ok || a.Role != Operator || a.Generation == after.Generation {
		t.Errorf("replayed: %+v", a)
	}
}

func TestRefusals(t *testing.T) {
	b := openBook(t, openJournal(t))
	first(t, b)
	invite := func(name string, role Role) error {
		_, err := b.Invite(t.Context(), admin, name, role, now)
		return err
	}
	for _, tt := range []struct {
		what string
		err  error
		want error
	}{
		{"no name", invite("", Viewer), ErrName},
		{"a name with markup", invite("<b>", Viewer), ErrName},
		{"a long name", invite(strings.Repeat("x", 65), Viewer), ErrName},
		{"a taken name", invite(FirstAdministrator, Viewer), ErrExists},
		{"no role", invite("care", 0), ErrRole},
		{"an unknown role", invite("care", 99), ErrRole},
		{"remove the last administrator", b.Remove(t.Context(), admin, FirstAdministrator), ErrLastAdministrator},
		{"demote the last administrator", b.SetRole(t.Context(), admin, FirstAdministrator, Viewer), ErrLastAdministrator},
		{"remove nobody", b.Remove(t.Context(), admin, "nobody"), ErrUnknown},
		{"restore nobody", b.Restore(t.Context(), admin, "nobody", now), ErrUnknown},
		{"restore who is there", b.Restore(t.Context(), admin, FirstAdministrator, now), ErrUnknown},
		{"a password for nobody", b.SetPassword(t.Context(), admin, "nobody", password), ErrUnknown},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.what, tt.err, tt.want)
		}
	}
}

// Two nodes that each remove one of two administrators at the same moment leave one.
func TestLastAdministratorByLog(t *testing.T) {
	j := openJournal(t)
	b := openBook(t, j)
	first(t, b)
	must(b.Invite(t.Context(), admin, "second", Administrator, now))(t)
	other := openBook(t, j)
	for i, name := range []string{FirstAdministrator, "second"} { // as both would append, not knowing of each other
		r := record{kind: kindRemove, name: name}
		if _, err := j.Append(t.Context(), journal.Accounts, "race"+string(rune('0'+i)), r.marshal()); err != nil {
			t.Fatal(err)
		}
	}
	for _, book := range []*Book{b, other} {
		if err := book.catchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, ok := book.Account("second"); !ok {
			t.Error("nobody is left")
		}
	}
}

func TestTrail(t *testing.T) {
	j := openJournal(t)
	b := openBook(t, j)
	secret := first(t, b)
	must(b.Redeem(t.Context(), Actor{Address: "192.0.2.9"}, secret, now))(t)
	if err := b.SetPassword(t.Context(), admin, FirstAdministrator, password); err != nil {
		t.Fatal(err)
	}
	must(b.Invite(t.Context(), admin, "care", Viewer, now))(t)
	if err := b.SetRole(t.Context(), admin, "care", Auditor); err != nil {
		t.Fatal(err)
	}
	var want = []Entry{
		{Who: "admin", Address: "192.0.2.1", What: "account.role", Object: "care", Before: "viewer", After: "auditor"},
		{Who: "admin", Address: "192.0.2.1", What: "account.invited", Object: "care", After: "viewer"},
		{Who: "admin", Address: "192.0.2.1", What: "account.password", Object: "admin"},
		{Who: "admin", Address: "192.0.2.9", What: "account.link_used", Object: "admin"},
		{Who: "rempart", What: "account.invited", Object: "admin", After: "administrator"},
	}
	for _, book := range []*Book{b, openBook(t, j)} {
		got := book.Latest(0, 100)
		if len(got) != len(want) {
			t.Fatalf("%+v", got)
		}
		for i, e := range got {
			if e.ID == "" || e.Time.IsZero() {
				t.Errorf("%+v", e)
			}
			e.ID, e.Time = "", time.Time{}
			if e != want[i] {
				t.Errorf("%d: %+v, want %+v", i, e, want[i])
			}
		}
	}
	n := 0
	if err := b.Trail(t.Context(), func(Entry) error { n++; return nil }); err != nil || n != len(want) {
		t.Errorf("%d entries, %v", n, err)
	}
	for _, s := range []journal.Stream{journal.Audit, journal.Accounts} { // no secret in the log
		_, err := j.Replay(t.Context(), s, 0, func(r journal.Record) error {
			if bytes.Contains(r.Data, []byte(secret)) || bytes.Contains(r.Data, []byte(password)) {
				t.Errorf("stream %s holds a secret", s)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A node learns by Run what another one changed.
func TestRunFollows(t *testing.T) {
	j := openJournal(t)
	b, other := openBook(t, j), openBook(t, j)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- other.Run(ctx) }()
	first(t, b)
	deadline := time.Now().Add(10 * time.Second)
	for len(other.Latest(0, 1)) == 0 || len(other.Accounts(now)) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the other node never heard of it")
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRights(t *testing.T) {
	for _, tt := range []struct {
		role Role
		may  []Right
		not  []Right
	}{
		{Viewer, []Right{SeeFigures, SeeMessages}, []Right{SeeSubjects, Teach, Switch, Manage, ReadAudit}},
		{Operator, []Right{Teach, Switch, SeeSubjects}, []Right{Manage, ReadAudit}},
		{Administrator, []Right{Teach, Switch, Manage, ReadAudit}, nil},
		{Auditor, []Right{ReadAudit, SeeMessages}, []Right{Teach, Switch, Manage, SeeSubjects}},
		{0, nil, []Right{SeeFigures}},
		{77, nil, []Right{SeeFigures}},
	} {
		for _, r := range tt.may {
			if !tt.role.May(r) {
				t.Errorf("%s may not %s", tt.role, r)
			}
		}
		for _, r := range tt.not {
			if tt.role.May(r) {
				t.Errorf("%s may %s", tt.role, r)
			}
		}
	}
}

// What a log holds never makes the book fail, and what was read reads back the same.
func FuzzRecord(f *testing.F) {
	f.Add(record{kind: kindMake, name: "care", role: Viewer}.marshal())
	f.Add(record{kind: kindLink, name: "care", link: digestOf("x"), expires: now.Unix()}.marshal())
	f.Add(record{kind: kindPassword, name: "care", password: encode(make([]byte, 16), make([]byte, 32))}.marshal())
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, b []byte) {
		book := &Book{holders: map[string]*holder{}, links: map[digest]*link{}}
		for i, data := range [][]byte{record{kind: kindMake, name: "care", role: Administrator}.marshal(), b} {
			if err := book.apply(journal.Record{Seq: uint64(i + 1), ID: "x", Data: data}); err != nil {
				t.Fatal(err)
			}
		}
		if a, ok := book.Account("care"); !ok || a.Role != Administrator {
			t.Fatalf("the last administrator is gone: %+v", a)
		}
		r, err := unmarshal(b)
		if err != nil {
			return
		}
		if again, err := unmarshal(r.marshal()); err != nil || again != r {
			t.Fatalf("%+v, then %+v, %v", r, again, err)
		}
	})
}

func FuzzStoredPassword(f *testing.F) {
	f.Add(encode(make([]byte, 16), make([]byte, 32)))
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$AAAA$AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := decode(s)
		if err == nil && (p.memory > 1<<20 || p.passes > 16 || p.passes == 0 || p.threads == 0) {
			t.Fatalf("costs out of bounds: %+v", p)
		}
	})
}
