package train

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rempart/corpus"
	"rempart/eval"
)

// writeCorpus writes an index of invented mails: n of each label, each with a near copy.
func writeCorpus(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	var index strings.Builder
	for i := range n {
		for _, label := range []string{"spam", "ham"} {
			text := fmt.Sprintf("The minutes of meeting %d are ready, please read what Tom wrote about item %d and the %s before Friday.\n", i, i*i, nouns[i%len(nouns)])
			if label == "spam" {
				text = fmt.Sprintf("Claim your free prize number %d now at https://x%dk.example.net/a and win the %s of your dreams today!\n", i, i, nouns[i%len(nouns)])
			}
			for copied := range 2 {
				name := fmt.Sprintf("%s%d-%d.eml", label, i, copied)
				raw := fmt.Sprintf("From: %s%d <a%d@%s.example>\nTo: user@example.com\nSubject: %s of today\nDate: Mon, 6 May 2024 10:00:00 +0000\n\n%s",
					label, i, i, label, nouns[i%len(nouns)], text)
				if err := os.WriteFile(filepath.Join(dir, name), []byte(raw), 0o600); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&index, "%s %s\n", label, name)
			}
		}
	}
	path := filepath.Join(dir, "index")
	if err := os.WriteFile(path, []byte(index.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var nouns = []string{"garden", "bridge", "kitchen", "harbour", "library", "mountain", "engine", "village", "orchard", "theatre", "workshop"}

func TestEqualInputGivesEqualWeights(t *testing.T) {
	index := writeCorpus(t, 12)
	var files [2][]byte
	for i := range files {
		mails, err := Read(t.Context(), []string{index, index})
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewStudy(t.Context(), mails)
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.Weights(-1)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = w.Append(nil)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("made twice, the weights are unlike")
	}
}

func TestAFoldIsJudgedUnseen(t *testing.T) {
	mails, err := Read(t.Context(), []string{writeCorpus(t, 20)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewStudy(t.Context(), mails)
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Weights(0)
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Weights(-1)
	if err != nil {
		t.Fatal(err)
	}
	if w.MadeFrom == all.MadeFrom {
		t.Error("with and without a fold, the weights say they were made from the same")
	}
	r, err := s.Measure(t.Context(), w, 0, mails[:1])
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Ham[0].Of + r.Spam[0].Of; n < 10 || n > 22 {
		t.Errorf("%d of 80 mails are in the first fold", n)
	}
	if r.Ham[0].Hit > 0 || r.Spam[0].Hit == 0 || r.Phishing.Of != 1 || r.Plain.Of != 1 || len(r.Rewrapped) != 3 || r.Rewrapped[0].Of != r.Ham[0].Of {
		t.Errorf("report %+v", r)
	}
}

// Copies and one sender's mails are in one fold, and folds are about as large as one another.
func TestDeal(t *testing.T) {
	mails, err := Read(t.Context(), []string{writeCorpus(t, 20)})
	if err != nil {
		t.Fatal(err)
	}
	fold := map[string]int{}
	var size [Folds]int
	for _, m := range mails {
		sender := corpus.Mail(m.Raw).From.String()
		if k, ok := fold[sender]; ok && k != m.Fold {
			t.Errorf("mails of %s are in folds %d and %d", sender, k, m.Fold)
		}
		fold[sender] = m.Fold
		size[m.Fold]++
	}
	for k, n := range size {
		if n < 8 || n > 24 {
			t.Errorf("fold %d has %d of %d mails", k, n, len(mails))
		}
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	one := filepath.Join(dir, "one")
	if err := os.WriteFile(one, []byte("ham h.eml\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(t.Context(), []string{one}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a mail that is not there: %v", err)
	}
	if _, err := ReadPhishing(dir); !errors.Is(err, eval.ErrEmpty) {
		t.Errorf("a directory without mail: %v", err)
	}
	study, err := NewStudy(t.Context(), []Mail{{Path: "a", Raw: []byte("From: a@a.example\n\nbuy now\n"), Spam: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := study.Weights(-1); !errors.Is(err, ErrOneKind) { // though the primer has both
		t.Errorf("spam alone: %v", err)
	}
}

// Every form keeps the author, the subject and every word, and its links are https.
func TestForms(t *testing.T) {
	raw := []byte("From: =?utf-8?q?Ann_L=C3=A9e?= <ann@a.example>\nTo: tom@b.example\nSubject: =?utf-8?q?caf=C3=A9?= at noon\nDate: Mon, 6 May 2002 10:00:00 +0000\nMessage-ID: <1@a.example>\n\n" +
		"Shall we meet?\n\nThe place is <new>: http://cafe.example/map\n")
	for _, form := range append(append([]string{}, trainingForms...), controlForms...) {
		for draw := range uint64(64) {
			m := corpus.Mail(Modern(raw, form, draw))
			if m.From.Name != "Ann Lée" || m.Subject != "café at noon" || len(m.Anomalies) > 0 {
				t.Fatalf("%s, draw %d: from %q, subject %q, anomalies %v", form, draw, m.From.Name, m.Subject, m.Anomalies)
			}
			for _, word := range []string{"Shall we meet?", "<new>"} {
				if !strings.Contains(m.HTMLText, word) {
					t.Fatalf("%s, draw %d: %q is not in %q", form, draw, word, m.HTMLText)
				}
			}
			if m.Header.Count("DKIM-Signature") != 1 || m.Header.Count("ARC-Seal") != 1 {
				t.Fatalf("%s: signatures are missing", form)
			}
			secure := 0
			for _, l := range m.Links {
				if l.Kind != 0 && l.Scheme == "https" {
					secure++
				}
			}
			if secure == 0 {
				t.Fatalf("%s: no https link among %v", form, m.Links)
			}
		}
	}
	m := corpus.Mail(Plain(Modern(raw, "control-digest.html", 7), true))
	if m.HTML != "" || m.Subject != "café at noon" || !strings.Contains(m.Text, "Shall we meet?") || !strings.Contains(m.Text, "https://cafe.example/map") {
		t.Errorf("plain: subject %q, text %q", m.Subject, m.Text)
	}
}

func TestPrimer(t *testing.T) {
	kinds := map[bool]int{}
	for _, p := range primer() {
		m := corpus.Mail(p.Raw)
		if m.From.Domain == "" || m.Subject == "" || m.Text == "" || len(m.Anomalies) > 0 {
			t.Errorf("%s: from %v, subject %q, anomalies %v", p.Path, m.From, m.Subject, m.Anomalies)
		}
		kinds[p.Spam]++
	}
	if kinds[true] < 40 || kinds[false] < 40 {
		t.Errorf("%d spam and %d honest", kinds[true], kinds[false])
	}
}

// FuzzForms: what comes out of any mail can be read again.
func FuzzForms(f *testing.F) {
	f.Add([]byte("From: a@a.example\nSubject: x\n\nhello http://b.example/"), uint64(3))
	f.Add([]byte("From: \xff\nSubject: \x00\r\n\r\n<b>"), uint64(8))
	f.Fuzz(func(t *testing.T, raw []byte, draw uint64) {
		form := append(trainingForms, controlForms...)[draw%6]
		for _, out := range [][]byte{Modern(raw, form, draw), Plain(raw, draw%2 == 0)} {
			if m := corpus.Mail(out); m.Header.Count("MIME-Version") == 0 {
				t.Fatalf("no header in %q", out)
			}
		}
	})
}
