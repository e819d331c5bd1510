// Command configdoc writes the manual of the configuration from the doc comments of the Config structs: the example file
// that `rempart config example` prints, and docs/configuration.md. Run it by go generate in package node.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: configdoc EXAMPLE.toml MANUAL.md, run in package node")
	}
	example, manual := manuals()
	for path, text := range map[string]string{os.Args[1]: example, os.Args[2]: manual} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// manuals makes both texts. It is called in a directory right below the module's root.
func manuals() (example, manual string) {
	root, err := filepath.Abs("..")
	if err != nil {
		log.Fatal(err)
	}
	w := &writer{root: root, packages: map[string]*pkg{}}
	config := w.typeIn(w.load("node"), "Config")
	w.example.WriteString("# Rempart's configuration with every key, its manual and its default. A line without its # is in force.\n")
	w.manual.WriteString("# Configuration\n\nOne TOML file, `rempart serve --config FILE`; every key has a default. This page is made from the code;\n`rempart config example` prints it as a file, `rempart config check FILE` checks one.\n\n")
	w.fields(config, "")
	return w.example.String(), w.manual.String()
}

// pkg is the syntax of one package directory.
type pkg struct {
	types   map[string]*ast.TypeSpec
	docs    map[string]string
	imports map[string]string // name -> directory below the module
	dir     string
}

// structType is a struct and the package in which its field types are looked up.
type structType struct {
	*ast.StructType
	in *pkg
}

type writer struct {
	root            string
	packages        map[string]*pkg
	example, manual strings.Builder
}

func (w *writer) load(dir string) *pkg {
	if p := w.packages[dir]; p != nil {
		return p
	}
	p := &pkg{types: map[string]*ast.TypeSpec{}, docs: map[string]string{}, imports: map[string]string{}, dir: dir}
	files, err := filepath.Glob(filepath.Join(w.root, dir, "*.go"))
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			log.Fatal(err)
		}
		p.add(f)
	}
	w.packages[dir] = p
	return p
}

func (p *pkg) add(f *ast.File) {
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		if dir, ours := strings.CutPrefix(path, "rempart/"); ours {
			p.imports[filepath.Base(dir)] = dir
		}
	}
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
			for _, s := range g.Specs {
				t := s.(*ast.TypeSpec)
				p.types[t.Name.Name] = t
			}
		}
	}
}

// typeIn finds a struct by name; nil if the name is no struct.
func (w *writer) typeIn(p *pkg, name string) *structType {
	if t := p.types[name]; t != nil {
		if s, ok := t.Type.(*ast.StructType); ok {
			return &structType{s, p}
		}
	}
	return nil
}

// structOf resolves a field's type to a struct, through pointers and slices.
func (w *writer) structOf(p *pkg, e ast.Expr) (s *structType, list bool) {
	switch t := e.(type) {
	case *ast.Ident:
		return w.typeIn(p, t.Name), false
	case *ast.SelectorExpr:
		if dir := p.imports[t.X.(*ast.Ident).Name]; dir != "" {
			return w.typeIn(w.load(dir), t.Sel.Name), false
		}
	case *ast.StarExpr:
		return w.structOf(p, t.X)
	case *ast.ArrayType:
		s, _ := w.structOf(p, t.Elt)
		return s, true
	}
	return nil, false
}

// fields writes the plain keys of s, then its tables.
func (w *writer) fields(s *structType, path string) {
	type table struct {
		of   *structType
		head string
		path string
		doc  string
	}
	var tables []table
	var walk func(*structType)
	walk = func(s *structType) {
		for _, f := range s.Fields.List {
			of, list := w.structOf(s.in, f.Type)
			if f.Names == nil && of != nil {
				walk(of) // embedded
				continue
			}
			key := ""
			if f.Tag != nil {
				tag, _ := strconv.Unquote(f.Tag.Value)
				key = reflect.StructTag(tag).Get("toml")
			}
			if key == "" || key == "-" {
				continue
			}
			doc := strings.Join(strings.Fields(f.Doc.Text()), " ")
			if doc == "" {
				log.Fatalf("%s%s has no manual: write its doc comment", path, key)
			}
			if of != nil {
				t := table{of, "[" + path + key + "]", path + key + ".", doc}
				if list {
					t.head = "[" + t.head + "]"
				}
				tables = append(tables, t)
				continue
			}
			w.key(key, doc, f.Type)
		}
	}
	walk(s)
	for _, t := range tables {
		fmt.Fprintf(&w.example, "\n%s\n# %s\n", wrap(t.doc, "# "), t.head)
		fmt.Fprintf(&w.manual, "\n## `%s`\n\n%s\n\n", t.head, t.doc)
		w.fields(t.of, t.path)
	}
}

func (w *writer) key(key, doc string, e ast.Expr) {
	value := "..."
	if i := strings.LastIndex(doc, "Default: "); i >= 0 {
		value = strings.TrimSuffix(strings.TrimPrefix(doc[i:], "Default: "), ".")
	}
	fmt.Fprintf(&w.example, "\n%s\n# %s = %s\n", wrap(doc, "# "), key, literal(value, e))
	fmt.Fprintf(&w.manual, "- **`%s`** %s\n", key, strings.ReplaceAll(doc, "|", "\\|"))
}

// literal writes a default in words as TOML would, as far as it is one.
func literal(value string, e ast.Expr) string {
	value, _, _ = strings.Cut(value, ";")
	value, _, _ = strings.Cut(value, " (")
	if _, list := e.(*ast.ArrayType); list {
		if strings.ContainsAny(value, " ") || value == "none" || value == "empty" {
			return "[]"
		}
		return fmt.Sprintf("[%q]", value)
	}
	if star, ok := e.(*ast.StarExpr); ok && value == "off" {
		if of, ok := star.X.(*ast.Ident); ok && of.Name == "float64" {
			return "0"
		}
	}
	if _, err := strconv.ParseFloat(value, 64); err == nil || value == "true" || value == "false" {
		return value
	}
	if strings.ContainsAny(value, " ,:") || value == "none" || value == "empty" || value == "off" {
		return `""`
	}
	return strconv.Quote(strings.Trim(value, `"`))
}

// wrap folds a paragraph to lines of at most 118 bytes, each after prefix.
func wrap(text, prefix string) string {
	var b strings.Builder
	line := prefix
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > 118 && line != prefix {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = prefix
		}
		line += word + " "
	}
	b.WriteString(strings.TrimRight(line, " "))
	return b.String()
}
