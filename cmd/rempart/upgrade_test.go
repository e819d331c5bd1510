//go:build integration

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rempart/eval"
)

// TestUpgrade teaches a node 1,000 mails, upgrades it to a build whose extractor differs, teaches it 600 more there, and
// judges the same 1,000 other mails before, right after the upgrade, and at the end: accuracy must not fall, and the old
// journal must be read. A backup from before gives the old verdicts under the new build.
func TestUpgrade(t *testing.T) {
	shared := os.Getenv("REMPART_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	mails := readIndex(t, filepath.Join(shared, "data", "email", "spamassassin", "index.shuffled"))
	dir := t.TempDir()
	old, next := buildRempart(t, dir, "old"), buildRempart(t, dir, "next", "-tags", "extractor2")
	data, judged := filepath.Join(dir, "data"), mails[2000:3000]

	teach(t, old, data, mails[:1000])
	before, scores := accuracy(t, old, data, judged)
	command(t, old, "backup", "--data", data, "--keys", "--passphrase-file", writeFile(t, dir, "passphrase", "correct horse"), filepath.Join(dir, "backup"))
	upgraded, same := accuracy(t, next, data, judged)
	if !bytes.Equal(scores, same) {
		t.Error("the upgrade alone changed verdicts: the old journal is not read as it was")
	}
	teach(t, next, data, mails[1000:1600])
	after, _ := accuracy(t, next, data, judged)
	t.Logf("(1-ROCA)%%: before %.4f, after the upgrade %.4f, after 600 more lessons %.4f", before, upgraded, after)
	if upgraded > before || after > before {
		t.Error("accuracy fell with the upgrade")
	}
	restored := filepath.Join(dir, "restored")
	command(t, next, "restore", "--data", restored, "--passphrase-file", filepath.Join(dir, "passphrase"), filepath.Join(dir, "backup"))
	if _, again := accuracy(t, next, restored, judged); !bytes.Equal(scores, again) {
		t.Error("the backup from before the upgrade gives other verdicts")
	}
}

type labelled struct{ label, path string }

func readIndex(t *testing.T, index string) (mails []labelled) {
	t.Helper()
	b, err := os.ReadFile(index)
	if err != nil {
		t.Skipf("the corpora are not here: set REMPART_SHARED (%v)", err)
	}
	for line := range strings.Lines(string(b)) {
		label, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		mails = append(mails, labelled{label, filepath.Join(filepath.Dir(index), path)})
	}
	return mails
}

func buildRempart(t *testing.T, dir, name string, flags ...string) string {
	t.Helper()
	binary := filepath.Join(dir, name)
	args := append(append([]string{"build"}, flags...), "-o", binary, ".")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, out)
	}
	return binary
}

func command(t *testing.T, binary string, args ...string) []byte {
	t.Helper()
	var errors bytes.Buffer
	c := exec.Command(binary, args...)
	c.Stderr = &errors
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(binary), args[0], err, errors.Bytes())
	}
	return out
}

// teach gives the mails in turns of fifty, spam and honest, as a postmaster's days bring them.
func teach(t *testing.T, binary, data string, mails []labelled) {
	t.Helper()
	for len(mails) > 0 {
		turn := mails[:min(50, len(mails))]
		mails = mails[len(turn):]
		for _, label := range []string{"spam", "ham"} {
			args := []string{"learn", label, "--data", data}
			for _, m := range turn {
				if m.label == label {
					args = append(args, m.path)
				}
			}
			if len(args) > 4 {
				command(t, binary, args...)
			}
		}
	}
}

// accuracy judges the mails and returns the area above the ROC curve and the scores as text.
func accuracy(t *testing.T, binary, data string, mails []labelled) (float64, []byte) {
	t.Helper()
	args := []string{"scan", "--json", "--data", data}
	for _, m := range mails {
		args = append(args, m.path)
	}
	var results []eval.Result
	var scores bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader(command(t, binary, args...)))
	lines.Buffer(nil, 1<<20)
	for i := 0; lines.Scan(); i++ {
		var v struct{ Score, Probability float64 }
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		results = append(results, eval.Result{Score: v.Score, Probability: v.Probability, Spam: mails[i].label == "spam"})
		fmt.Fprintln(&scores, v.Score)
	}
	if len(results) != len(mails) {
		t.Fatalf("%d verdicts for %d mails", len(results), len(mails))
	}
	return eval.Measure(results).OneMinusROCA, scores.Bytes()
}

func writeFile(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
