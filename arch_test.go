package rempart

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// layers lists the packages from the top down; what stands in one row are neighbours that do not know each other. A
// package imports only from rows below its own, or within its own tree (gateway/smpp from gateway).
var layers = [][]string{
	{"cmd/rempart"},
	{"node"},
	{"train"},
	{"eval"},
	{"world/send"},
	{"console"},
	{"gateway"},
	{"report"},
	{"policy"},
	{"filter"},
	{"corpus"},
	{"campaign"},
	{"measure"},
	{"world"},
	{"abuse", "account", "sign"},
	{"dns", "geo", "mailbox"},
	{"journal", "quarantine"},
	{"index", "blob"},
	{"keyring"},
	{"catalogue", "chart"},
	{"message"},
	{"config"},
	{"wire", "durable", "nexthop"},
	{"third_party"},
}

// Front doors share gateway's types and the parsers below, never each other's code.
var strangers = []string{"gateway/milter", "gateway/smtp", "gateway/smpp", "gateway/sip", "gateway/api", "gateway/rspamd", "gateway/spamd"}

func TestImportsRunDownwards(t *testing.T) {
	checked := 0
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && file != "." || d.Name() == "testdata" || d.Name() == "third_party") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		from := path.Dir(filepath.ToSlash(file))
		if from == "." || strings.HasPrefix(from, "tools") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			to, _ := strconv.Unquote(spec.Path.Value)
			if to, ours := strings.CutPrefix(to, "rempart/"); ours {
				checked++
				if why := forbidden(from, to); why != "" {
					t.Errorf("%s imports rempart/%s: %s", file, to, why)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked == 0 {
		t.Fatal("no import was checked: does the walk still find the sources?")
	}
}

// forbidden says why one package may not import another, or "".
func forbidden(from, to string) string {
	fromLayer, fromTree := layerOf(from)
	toLayer, toTree := layerOf(to)
	switch {
	case fromLayer < 0:
		return "rempart/" + from + " stands in no layer: add it to arch_test.go and docs/architecture.md"
	case toLayer < 0:
		return "rempart/" + to + " stands in no layer: add it to arch_test.go and docs/architecture.md"
	case fromTree == toTree:
		if strangerOf(from) != "" && strangerOf(to) != "" && strangerOf(from) != strangerOf(to) {
			return "front doors do not know each other"
		}
		return ""
	case toLayer == fromLayer:
		return "neighbours do not know each other"
	case toLayer < fromLayer:
		return toTree + " stands above " + fromTree
	}
	return ""
}

func layerOf(pkg string) (layer int, tree string) {
	layer = -1
	for i, row := range layers {
		for _, name := range row {
			if (pkg == name || strings.HasPrefix(pkg, name+"/")) && len(name) > len(tree) {
				layer, tree = i, name
			}
		}
	}
	return layer, tree
}

func strangerOf(pkg string) string {
	for _, s := range strangers {
		if pkg == s || strings.HasPrefix(pkg, s+"/") {
			return s
		}
	}
	return ""
}

func TestForbidden(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		ok       bool
	}{
		{"filter", "message", true},
		{"filter/learn", "filter/content", true},
		{"message/email", "message", true},
		{"world/send", "gateway", true},
		{"world", "gateway", false},
		{"message", "filter", false},
		{"dns", "geo", false},
		{"gateway/milter", "gateway", true},
		{"gateway/milter", "gateway/smpp", false},
		{"nowhere", "message", false},
	} {
		if got := forbidden(tt.from, tt.to); (got == "") != tt.ok {
			t.Errorf("forbidden(%q, %q) = %q", tt.from, tt.to, got)
		}
	}
}
