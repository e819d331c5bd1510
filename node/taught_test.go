package node

import (
	"errors"
	"testing"
	"time"

	"rempart/console"
	"rempart/corpus"
	"rempart/index"
	"rempart/keyring"
	"rempart/message"
)

// Lessons are listed with the verdict before them, and one is taken back as if it had not been taught, in whose name ever it was.
func TestTakeBackFromList(t *testing.T) {
	path, _ := configuration(t, "")
	n, stop := serve(t, path)
	m := corpus.Mail([]byte("From: depot@example.com\r\nTo: ben@example.net\r\nSubject: your parcel\r\nMessage-ID: <1@example.com>\r\n\r\n" +
		"Your parcel 4471 is held at the depot, pay the fee of 2.99 at the page below within 24 hours\r\n"))
	ben := message.Scope{Domain: "example.net", User: "ben@example.net"}
	untaught := n.verdict(t.Context(), m, ben).Probability
	if _, _, err := n.Learn(t.Context(), m, message.Spam, 0, ben, "ann"); err != nil {
		t.Fatal(err)
	}
	list, err := n.TaughtLessons(t.Context(), time.Now().Add(-time.Hour), 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v %v", list, err)
	}
	l := list[0]
	if l.Label != message.Spam || l.Scope != ben || l.Teacher != "ann" || l.Before != untaught || l.Features != nil {
		t.Errorf("%+v, the probability was %v", l, untaught)
	}
	if _, stands, err := n.TaughtLesson(t.Context(), l.ID); err != nil || !stands {
		t.Errorf("stands: %v, %v", stands, err)
	}
	if n.verdict(t.Context(), m, ben).Probability <= untaught {
		t.Error("the lesson did nothing")
	}
	stop()
	n, _ = serve(t, path) // the list outlives a restart
	if err := n.TakeBack(t.Context(), l.ID, "cora"); err != nil {
		t.Fatal(err)
	}
	if got := n.verdict(t.Context(), m, ben).Probability; got != untaught {
		t.Errorf("probability %v, untaught %v", got, untaught)
	}
	if err := n.TakeBack(t.Context(), l.ID, "cora"); !errors.Is(err, console.ErrNotStanding) {
		t.Errorf("again: %v", err)
	}
	if err := n.TakeBack(t.Context(), "nothing", "cora"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("an unknown lesson: %v", err)
	}
	list, err = n.TaughtLessons(t.Context(), time.Now().Add(-time.Hour), 10)
	if err != nil || len(list) != 2 || list[0].Label != message.Forget || list[0].Teacher != "cora" || list[0].Replaces != l.ID {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := n.Erase(t.Context(), "ben@example.net", LocalActor); err != nil {
		t.Fatal(err)
	}
	if list, err = n.TaughtLessons(t.Context(), time.Now().Add(-time.Hour), 10); err != nil || len(list) != 0 {
		t.Errorf("of an erased person: %+v %v", list, err)
	}
	if _, _, err := n.TaughtLesson(t.Context(), l.ID); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("a lesson of an erased person: %v", err)
	}
	if err := n.TakeBack(t.Context(), l.ID, "cora"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("a lesson of an erased person, taken back: %v", err)
	}
}

// Of a record that is no lesson nothing is taught.
func TestTakeBackUnreadable(t *testing.T) {
	path, _ := configuration(t, "")
	n, _ := serve(t, path)
	sealed, err := n.keys.Seal(keyring.Scope{}, []byte("no lesson"), []byte("l1"))
	if err != nil {
		t.Fatal(err)
	}
	if l, err := n.openLesson("l1", sealed); l != nil || err == nil {
		t.Errorf("%+v, %v", l, err)
	}
	if err := n.index.AddLesson(t.Context(), index.Lesson{ID: "l1", Time: time.Now(), Seq: 1, Record: sealed}); err != nil {
		t.Fatal(err)
	}
	if err := n.TakeBack(t.Context(), "l1", "cora"); err == nil || errors.Is(err, index.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
