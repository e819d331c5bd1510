package rempart

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The tables of docs/formats.md that name their constants ("<!-- tags: message event -->") have every tag of the code, in
// its order: message/event_codec.go begins with eventID, so row 1 is ID.
func TestFormatsNameEveryTag(t *testing.T) {
	page, err := os.ReadFile("docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(page), "<!-- tags: ")[1:]
	if len(sections) < 15 {
		t.Fatalf("%d tables found", len(sections))
	}
	row := regexp.MustCompile(`^\| (\d+) \| (\w+) \|`)
	for _, section := range sections {
		head, table, _ := strings.Cut(section, " -->\n")
		pkg, prefix, _ := strings.Cut(head, " ")
		want := tagsOf(t, pkg, prefix)
		n := 0
		for line := range strings.Lines(table) {
			if !strings.HasPrefix(line, "|") {
				break
			}
			m := row.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			if n++; n > len(want) || m[1] != strconv.Itoa(n) || m[2] != want[n-1] {
				t.Errorf("%s: row %s %s: the code has %v", head, m[1], m[2], want)
				break
			}
		}
		if n != len(want) {
			t.Errorf("%s: %d rows, the code has %v", head, n, want)
		}
	}
}

// tagsOf are the names of the one block of tags whose constants begin with prefix, without it, from tag 1 on. Where is a
// package, or a file of one.
func tagsOf(t *testing.T, where, prefix string) (names []string) {
	t.Helper()
	if !strings.HasSuffix(where, ".go") {
		where = filepath.Join(where, "*.go")
	}
	files, err := filepath.Glob(where)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			block, ok := d.(*ast.GenDecl)
			if !ok || block.Tok != token.CONST || !isTagBlock(block) {
				continue
			}
			for _, s := range block.Specs {
				for _, n := range s.(*ast.ValueSpec).Names {
					if name, ok := strings.CutPrefix(n.Name, prefix); ok && name != "" && name[0] >= 'A' && name[0] <= 'Z' {
						names = append(names, name)
					}
				}
			}
		}
	}
	return names
}

func isTagBlock(block *ast.GenDecl) bool {
	first := block.Specs[0].(*ast.ValueSpec)
	sel, ok := first.Type.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Tag" && len(first.Values) == 1
}
