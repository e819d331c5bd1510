package mailbox

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rempart/message"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// tables is one table from the text of a file.
func tables(t testing.TB, delimiter, text string) *Tables {
	t.Helper()
	path := filepath.Join(t.TempDir(), "virtual")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := New(Config{Tables: []string{"texthash:" + path}, Delimiter: delimiter}, discard())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const virtual = `
# people
ann@example.org        ann@example.org, archive@example.org
sales@example.org      ann@example.org
Office@Example.org     sales@example.org
ben+lists@example.org  ben.lists@example.org
ben@example.org        ben.real@mail.example
team@example.org       ann@example.org,
    ben@example.org
all@example.org        team@example.org, office@example.org
root@example.org       root
ann-marie@example.org  ann-marie@example.org
boss@example.org       jean-luc@mail.example
@old.example           @example.org
@catch.example         postmaster@example.org
real@catch.example     real@catch.example
loop1@example.org      loop2@example.org
loop2@example.org      loop1@example.org
`

func TestMailbox(t *testing.T) {
	all := tables(t, "+", virtual)
	for address, want := range map[string]string{
		"ann@example.org":          "ann@example.org", // others get copies
		"ANN@example.org":          "ann@example.org",
		"ann+shop@example.org":     "ann@example.org",
		"sales@example.org":        "ann@example.org",
		"sales+x@example.org":      "ann@example.org",
		"office@example.org":       "ann@example.org", // by way of sales
		"ben+lists@example.org":    "ben.lists@example.org",
		"ben+other@example.org":    "ben.real@mail.example",
		"team@example.org":         "team@example.org", // several: nobody's in particular
		"all+x@example.org":        "all@example.org",
		"root@example.org":         "root",
		"ann@old.example":          "ann@example.org",
		"ann+a@old.example":        "ann@example.org",
		"nobody@old.example":       "nobody@example.org",
		"whoever@catch.example":    "postmaster@example.org",
		"real+x@catch.example":     "real@catch.example",
		"loop1@example.org":        "loop1@example.org",
		"unknown+ext@else.example": "unknown@else.example",
		"+ext@else.example":        "+ext@else.example",
		"no address":               "no address",
		"":                         "",
		"@":                        "@",
	} {
		if got, _, err := all.Mailbox(t.Context(), address); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", address, got, err, want)
		}
	}
}

func TestMap(t *testing.T) {
	all := tables(t, "+", virtual)
	m := &message.Message{Channel: message.Email, Direction: message.In, Recipients: []message.Recipient{
		{Address: "Ben@example.org", Domain: "example.org"}, {Address: "ann@old.example", User: "told by the front door"}, {Address: "root@example.org", Domain: "example.org"}}}
	all.Map(t.Context(), m)
	for i, want := range []message.Scope{
		{Domain: "mail.example", User: "ben.real@mail.example"}, {Domain: "old.example", User: "told by the front door"}, {Domain: "example.org", User: "root"},
	} {
		if got := m.ScopeOf(&m.Recipients[i]); got != want {
			t.Errorf("recipient %d: %+v, want %+v", i, got, want)
		}
	}
	out := &message.Message{Channel: message.Email, Direction: message.Out, Recipients: []message.Recipient{{Address: "ben@example.org"}}}
	if all.Map(t.Context(), out); out.Recipients[0].User != "" {
		t.Error("a recipient elsewhere was mapped")
	}
}

// Whatever tables say, an expansion ends, within its bounds.
func TestExpansionEnds(t *testing.T) {
	var chain, wide strings.Builder
	for i := range 30 {
		fmt.Fprintf(&chain, "a%d@x.example a%d@x.example\n", i, i+1)
	}
	wide.WriteString("list@x.example ")
	for i := range 1000 {
		fmt.Fprintf(&wide, "a%d@x.example ", i)
	}
	for text, address := range map[string]string{chain.String(): "a0@x.example", wide.String(): "list@x.example"} {
		if got, _, err := tables(t, "", text).Mailbox(t.Context(), address); err != nil || got != address {
			t.Errorf("%s: %q %v", address, got, err)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		var text strings.Builder
		for range rapid.IntRange(1, 20).Draw(r, "entries") {
			who := rapid.SampledFrom([]string{"a@x.example", "b@x.example", "c+e@x.example", "c@x.example", "@x.example", "@y.example"})
			fmt.Fprintf(&text, "%s %s\n", who.Draw(r, "key"), strings.Join(rapid.SliceOfN(who, 1, 4).Draw(r, "value"), " "))
		}
		all := tables(t, "+", text.String())
		boxes, _, err := all.expand(t.Context(), step{"c+e@x.example", "+e"})
		if err != nil || len(boxes) > maxAddresses {
			r.Fatalf("%v %v of\n%s", boxes, err, text.String())
		}
	})
}

func TestWrongTables(t *testing.T) {
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong")
	if err := os.WriteFile(wrong, []byte("a@x.example b\nkey\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"hash:/etc/postfix/virtual":      "texthash:",
		"texthash:" + wrong:              "line 2",
		"texthash:" + dir + "/none":      "no such file",
		"socketmap:inet:localhost:1":     "use ",
		"socketmap:unix:/x":              "use ",
		"socketmap:tcp:localhost:1:name": "use ",
		"socketmap:unix:/x:name with it": "use ",
		"tcp:localhost":                  "use ",
		"":                               "use ",
	} {
		_, err := New(Config{Tables: []string{"tcp:127.0.0.1:1", name}}, discard())
		if err == nil || !strings.HasPrefix(err.Error(), "mailbox.tables[1] = ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Config{Delimiter: "@"}, discard()); err == nil {
		t.Error("@ was taken for a delimiter")
	}
}

func TestResolve(t *testing.T) {
	before := Config{Tables: []string{"texthash:virtual", "texthash:/etc/virtual", "tcp:a:1"}}
	c := before
	c.Resolve("/etc/rempart")
	if got := strings.Join(c.Tables, " "); got != "texthash:/etc/rempart/virtual texthash:/etc/virtual tcp:a:1" || before.Tables[0] != "texthash:virtual" {
		t.Errorf("%s; before %s", got, before.Tables[0])
	}
	if files := c.Files(); len(files) != 2 || files[0] != "/etc/rempart/virtual" {
		t.Errorf("%v", files)
	}
}

// Whatever a file holds, it is read or refused, and its keys and values have what a table's have.
func FuzzFile(f *testing.F) {
	f.Add([]byte(virtual))
	f.Add([]byte("\"a \\\" b\"  c\n d\n#\n\n  # e\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parseFile(bytes.NewReader(b))
		if err != nil {
			return
		}
		for key, value := range entries {
			if key != strings.ToLower(key) || value == "" || strings.Trim(value, space) != value {
				t.Fatalf("%q: %q", key, value)
			}
		}
	})
}
