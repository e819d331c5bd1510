package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/eval"
)

// The figures of docs/accuracy.md are those of this build: the learner counts in integers, so they are the same on every
// machine. Where they differ, run the commands of the page again.
func TestAccuracyPage(t *testing.T) {
	if testing.Short() {
		t.Skip("judges and teaches six thousand mails")
	}
	root := os.Getenv("REMPART_SHARED")
	if root == "" {
		root = "../../../shared"
	}
	root = filepath.Join(root, "data")
	index := filepath.Join(root, "email/spamassassin/index")
	if _, err := os.Stat(index); err != nil {
		t.Skipf("the corpora are not here: set REMPART_SHARED (%v)", err)
	}
	b, err := os.ReadFile("../../docs/accuracy.md")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(b), "**", "")
	for _, args := range [][]string{
		{"eval", "--json", "--index", index},
		{"eval", "--json", "--index", index, "--only", "learners"},
		{"eval", "--json", "--index", index, "--only", "signals"},
		{"eval", "--json", "--sms", filepath.Join(root, "sms/sms-spam-collection.tsv"), "--folds", filepath.Join(root, "sms/folds")},
	} {
		var out bytes.Buffer
		e := &env{ctx: context.Background(), stdout: &out, stderr: io.Discard, now: time.Now}
		if code := run(e, args); code != exitOK {
			t.Fatalf("%v: exit code %d", args, code)
		}
		var f eval.Figures
		if err := json.Unmarshal(out.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		i := f.Intervals
		row := fmt.Sprintf("| %.4f (%.4f to %.4f) | %s | %s | %s |", f.OneMinusROCA, i.OneMinusROCA[0], i.OneMinusROCA[1],
			cell(f.SMAtHM01, i.SMAtHM01), cell(f.SMAtHM05, i.SMAtHM05), cell(f.Accuracy, i.Accuracy))
		if !strings.Contains(page, row) {
			t.Errorf("docs/accuracy.md lacks the row %s of %s", row, f.Corpus)
		}
	}
}

// cell is a figure of the page with its interval.
func cell(f float64, i eval.Interval) string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", f, i[0], i[1])
}
