package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"rempart/node"
)

// pages are what readers copy commands from.
func pages(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(list, "../../README.md", "../../CONTRIBUTING.md")
}

// Every rempart command of the pages has the flags that it is shown with.
func TestPagesShowRealCommands(t *testing.T) {
	seen := 0
	for _, page := range pages(t) {
		for _, line := range commandsOf(t, page) {
			seen++
			p, err := kong.New(&commands{}, kong.Name("rempart"), kong.Exit(func(int) {}), kong.Writers(io.Discard, io.Discard))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Parse(strings.Fields(line)); err != nil {
				t.Errorf("%s: rempart %s: %v", page, line, err)
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d commands found: are the pages still read?", seen)
	}
}

// commandsOf are the arguments of the rempart lines of a page's shell blocks, without what the shell takes for itself.
func commandsOf(t *testing.T, page string) (out []string) {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	shell := false
	for line := range strings.Lines(strings.ReplaceAll(string(b), "\\\n", " ")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			shell = line == "```sh"
			continue
		}
		line = strings.TrimPrefix(strings.TrimPrefix(line, "$ "), "sudo -u rempart ")
		args, ok := strings.CutPrefix(line, "rempart ")
		if !shell || !ok {
			continue
		}
		for _, end := range []string{" # ", " | ", " > ", " < ", " && "} {
			args, _, _ = strings.Cut(args, end)
		}
		out = append(out, args)
	}
	return out
}

// What the README shows of a verdict is what scan prints.
func TestReadmeSample(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, sample, _ := strings.Cut(string(readme), "```text\n")
	sample, _, ok := strings.Cut(sample, "```")
	if !ok {
		t.Fatal("the README shows no verdict")
	}
	t.Chdir("testdata")
	var out bytes.Buffer
	e := &env{ctx: context.Background(), stdout: &out, stderr: io.Discard, now: time.Now}
	if code := run(e, []string{"scan", "readme.eml"}); code != exitOK || !strings.HasPrefix(out.String(), sample) {
		t.Errorf("exit code %d, the README has\n%s\nscan prints\n%s", code, sample, out.String())
	}
}

// A link of the pages leads to a file that is there.
func TestPagesLinkToFiles(t *testing.T) {
	for _, page := range pages(t) {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(b), "](")[1:] {
			target, _, ok := strings.Cut(part, ")")
			if !ok || strings.Contains(target, "://") || strings.HasPrefix(target, "#") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			target, _, _ = strings.Cut(target, "#")
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), target)); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

// Every block of configuration of these pages loads.
func TestPagesConfiguration(t *testing.T) {
	for _, page := range []string{"operate.md", "policy.md", "sieve.md", "abuse-desk.md"} {
		b, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		blocks := strings.Split(string(b), "```toml\n")[1:]
		for _, block := range blocks {
			text, _, _ := strings.Cut(block, "```")
			path := filepath.Join(t.TempDir(), "rempart.toml")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := node.Load(path); err != nil {
				t.Errorf("%s: %v in\n%s", page, err, text)
			}
		}
		if len(blocks) == 0 {
			t.Errorf("%s: no configuration found", page)
		}
	}
}

// The units are such as systemd takes.
func TestSystemdUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	args := []string{"verify"}
	for _, name := range []string{"rempart.service", "rempart-mx.socket"} {
		b, err := os.ReadFile("../../docs/systemd/" + name)
		if err != nil {
			t.Fatal(err)
		}
		unit := strings.ReplaceAll(string(b), "/usr/local/bin/rempart", self) // verify looks for the program
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	out, err := exec.Command(analyze, args...).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte(dir)) {
		t.Errorf("%v: %s", err, out)
	}
}
