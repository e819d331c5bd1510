package corpus

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rempart/message"
)

// write makes files below a new directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const mail = "Received: from a.example (a.example [192.0.2.1]) by mx.b.example; Mon, 23 Nov 2026 10:00:00 +0000\n" +
	"From: ann@a.example\nSubject: notes\n\nHere they are.\n"

func TestEach(t *testing.T) {
	dir := write(t, map[string]string{
		"one.eml":      mail,
		"box.mbox":     "From ann Mon Nov 23 10:00:00 2026\nSubject: one\n\n>From the sea\n>>From quoted\nFrom inside\n\nFrom ann Mon Nov 23 10:01:00 2026\nSubject: two\n\nText.\n",
		"md/cur/1:2,S": mail,
		"md/new/2":     mail,
		"md/tmp/3":     mail,
		"md/.hidden":   mail,
		"t.tsv":        "spam\tWIN now\nham\tsee you\n\nno label at all\n",
		"t.jsonl":      `{"label":"spam","from":"+442079460001","to":"+442079460002","text":"WIN"}` + "\n",
	})
	var got []string
	err := Each([]string{dir}, nil, func(i Item) error {
		name, err := filepath.Rel(dir, i.Path)
		if err != nil {
			return err
		}
		got = append(got, fmt.Sprint(filepath.ToSlash(name), " ", i.Number, " ", i.Message.Channel, " ", i.Label, " ", i.Message.Subject, i.Message.Text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"box.mbox 1 email  oneFrom the sea\n>From quoted\nFrom inside\n\n",
		"box.mbox 2 email  twoText.\n",
		"md/cur/1:2,S 0 email  notesHere they are.\n",
		"md/new/2 0 email  notesHere they are.\n",
		"one.eml 0 email  notesHere they are.\n",
		"t.jsonl 1 sms spam WIN",
		"t.tsv 1 sms spam WIN now",
		"t.tsv 2 sms ham see you",
		"t.tsv 4 sms  no label at all",
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestArrivalIsTheLastHop(t *testing.T) {
	m := Mail([]byte(mail))
	if m.Direction != message.In || m.Arrived.Hour() != 10 || m.Arrived.Day() != 23 {
		t.Errorf("direction %v, arrived %v", m.Direction, m.Arrived)
	}
}

func TestStandardInputIsToldByItsFirstBytes(t *testing.T) {
	for in, channel := range map[string]message.Channel{
		mail:                        message.Email,
		`{"text":"see you"}` + "\n": message.SMS,
		"ham\tsee you\n":            message.SMS,
		"From x\nSubject: y\n\nz":   message.Email,
	} {
		n := 0
		err := Each([]string{"-"}, strings.NewReader(in), func(i Item) error {
			n++
			if i.Message.Channel != channel || i.Path != "-" {
				t.Errorf("%q: %v from %s", in, i.Message.Channel, i.Path)
			}
			return nil
		})
		if err != nil || n != 1 {
			t.Errorf("%q: %d messages, %v", in, n, err)
		}
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	dir := write(t, map[string]string{"a.tsv": "spam\tx\nmaybe\ty\n", "b.jsonl": "{\"text\":\"x\"}\n{\"txt\":\"y\"}\n"})
	for file, want := range map[string]string{"a.tsv": "a.tsv:2:", "b.jsonl": "b.jsonl:2:"} {
		err := Each([]string{filepath.Join(dir, file)}, nil, func(Item) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// Every byte of an mbox comes back in some message, but for the lines that begin one and the quotes taken off.
func FuzzMbox(f *testing.F) {
	f.Add([]byte("From a\nSubject: x\n\ny\n\nFrom b\n\n>From c\n"))
	f.Add([]byte("From \n\nFrom \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append([]byte("From a\n"), b...)
		n, size := 0, 0
		err := readMbox("x", bufio.NewReaderSize(bytes.NewReader(b), 16), func(i Item) error {
			n++
			size += len(i.Message.Raw)
			return nil
		})
		if err != nil || n == 0 || size > len(b) {
			t.Fatalf("%d messages of %d bytes from %d, %v", n, size, len(b), err)
		}
	})
}
