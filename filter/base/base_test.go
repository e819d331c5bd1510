package base

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"rempart/message"
	"rempart/wire"
)

func TestShippedWeights(t *testing.T) {
	if len(shipped) > 300_000 {
		t.Errorf("%d bytes of weights in the binary", len(shipped))
	}
	w := Shipped()
	if w.ID == "" || w.MadeFrom == [32]byte{} || len(w.Priors) == 0 {
		t.Errorf("id %q, made from %x, %d priors", w.ID, w.MadeFrom, len(w.Priors))
	}
	if !bytes.Equal(w.Append(nil), shipped) {
		t.Error("written again, the shipped weights are other bytes")
	}
}

func TestFormat(t *testing.T) {
	cells := NewCells()
	cells[setWords][7], cells[setForm][8000] = 1.5, -0.25
	w := New([32]byte{1, 2}, -message.One, map[string]message.LogOdds{"links": 17, "form": -3}, cells)
	b := w.Append(nil)
	again, err := Read(b)
	if err != nil || !bytes.Equal(again.Append(nil), b) || again.ID != w.ID || again.Priors["form"] != -3 || again.Bias != -message.One {
		t.Fatalf("read back: %v, %+v", err, again)
	}
	for _, tt := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, wire.ErrVersion},
		{"another version", append([]byte{9}, b[1:]...), wire.ErrVersion},
		{"cut off", b[:len(b)-1], ErrDamaged},
		{"head alone", b[:1], ErrDamaged},
		{"a bit", append(append(bytes.Clone(b[:500]), b[500]^1), b[501:]...), ErrDamaged},
		{"no tables", sealed(wire.AppendInt([]byte{formatVersion}, weightsBias, 1)), ErrDamaged},
	} {
		if _, err := Read(tt.in); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// What training sees is what judging sees.
func TestInputsAreTheScore(t *testing.T) {
	m := mail("Your parcel 4471 is held. Pay the fee at https://x9k.example.net/a1 today")
	cells := NewCells()
	want := 0.0
	for i, in := range Inputs(m) {
		v := float64(i%5-2) / 2
		cells[in.Set][in.Cell] = v
	}
	for _, in := range Inputs(m) {
		want += cells[in.Set][in.Cell] * in.Value
	}
	s := New([32]byte{}, 0, nil, cells).Score(m)
	if got := (s.Words + s.Form).Float(); max(got-want, want-got) > 0.2 {
		t.Errorf("score %v, the inputs say %v", got, want)
	}
}

func TestThemesMeetAcrossLanguages(t *testing.T) {
	for _, tt := range []struct{ a, b string }{
		{"Your password", "Ihr Kennwort"},
		{"verify", "vérifier"},
		{"attention", "ATENÇÃO"},
		{"password", "𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝"},
		{"security", "безопасность"},
		{"urgent", "紧急通知"},
	} {
		a, b := themesOf(tt.a), themesOf(tt.b)
		if len(a) != 1 || len(b) != 1 || a[0] != b[0] {
			t.Errorf("%q has themes %v, %q %v", tt.a, a, tt.b, b)
		}
	}
}

// A stem belongs to one theme, and a word is one stem: of two lines with one stem, one would say nothing.
func TestThemesDoNotClash(t *testing.T) {
	n := uint32(0)
	for line := range strings.Lines(themesText) {
		name, words, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		n++
		for _, word := range strings.Fields(words) {
			if got := themesOf(word); len(got) != 1 || got[0] != n {
				t.Errorf("%s: %q has the themes %v, not %d alone", name, word, got, n)
			}
		}
	}
}

func TestTelling(t *testing.T) {
	cells := NewCells()
	m := mail("pills for everybody, and pills again")
	f := &features{slots: make([]uint64, 1<<slotBits)}
	f.read(m)
	for _, s := range f.spelt {
		if string(f.fold[s.from:s.to]) == "pills" {
			cells[setWords][s.hash>>(32-tableBits[setWords])] = 3
		}
	}
	w := New([32]byte{}, 0, nil, cells)
	if s := w.Score(m); s.Telling != [2]string{"pills", ""} || s.Words <= 0 {
		t.Errorf("telling %q, words %v", s.Telling, s.Words)
	}
}

func FuzzRead(f *testing.F) {
	cells := NewCells()
	cells[setThemes][1] = 1
	f.Add(New([32]byte{1}, 5, map[string]message.LogOdds{"links": 1}, cells).Append(nil))
	f.Add([]byte{formatVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, sealed(b)} { // and what is damaged though its check is right
			if w, err := Read(b); err == nil {
				w.Score(mail("hello"))
			}
		}
	})
}

// What a verdict shows of a mail is words of its text: no numbers, which may be secrets, nothing of its subject, no half letters.
func TestTellingIsDiscreet(t *testing.T) {
	cells := NewCells()
	for i := range cells[setWords] {
		cells[setWords][i] = 1
	}
	w := New([32]byte{}, 0, nil, cells)
	m := mail("90417733 8123 4471-99 한국어한국어한국어한국어")
	m.Subject, m.From.Name = "confidential severance", ""
	s := w.Score(m)
	if s.Telling[0] == "" || s.Telling[1] != "" || !utf8.ValidString(s.Telling[0]) || !strings.HasPrefix("한국어한국어한국어한국어", s.Telling[0]) {
		t.Errorf("telling %q", s.Telling)
	}
}

// FuzzScore: any text gives a bounded score, and the same one again.
func FuzzScore(f *testing.F) {
	f.Add("a@b.example", "Ann", "Re: 中文", "text 漢字かな <x>", "https://a.example/x?y=z")
	f.Add("@", "\xff\xfe", "", "", "http://[::1]/")
	f.Fuzz(func(t *testing.T, local, name, subject, text, url string) {
		m := mail(text)
		m.From.Local, m.From.Name, m.Subject, m.HTMLText = local, name, subject, text
		m.From.Domain, m.MessageID = name, local+"@"+name
		m.Links = []message.Link{{URL: url, Host: url, Kind: message.LinkHref}, {URL: url, Host: name, Kind: message.LinkImage}}
		s := Shipped().Score(m)
		if s != Shipped().Score(m) {
			t.Fatal("one mail, two scores")
		}
		if !utf8.ValidString(s.Telling[0]) || !utf8.ValidString(s.Telling[1]) {
			t.Fatalf("telling %q", s.Telling)
		}
		if most := 1000 * message.One; s.Words > most || s.Words < -most || s.Form > most || s.Form < -most {
			t.Fatalf("score %+v", s)
		}
	})
}

func BenchmarkScore(b *testing.B) {
	m := mail(string(bytes.Repeat([]byte("Dear customer, your order has shipped and will arrive on Thursday. "), 40)))
	b.ReportAllocs()
	for b.Loop() {
		Shipped().Score(m)
	}
}

func mail(text string) *message.Message {
	return &message.Message{Channel: message.Email, Text: text, Subject: "hello there",
		From: message.Address{Name: "Ann Lee", Local: "ann", Domain: "a.example"}, MessageID: "1@a.example",
		Links: []message.Link{{URL: "https://x9k.example.net/a1", Host: "x9k.example.net", Kind: message.LinkText}}}
}

func themesOf(s string) []uint32 {
	f := &features{slots: make([]uint64, 1<<slotBits), gen: 1}
	f.readWordsOf(placeText, s, maxText)
	return f.about
}
