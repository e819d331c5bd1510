//go:build integration

package ops

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// promtool runs Debian's promtool; without it the test skips, which REMPART_NO_SKIP makes a failure.
func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("REMPART_NO_SKIP") != "" {
			t.Fatal("no promtool here: install Debian's package prometheus")
		}
		t.Skip("no promtool here: install Debian's package prometheus")
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestIntegrationRules(t *testing.T) {
	promtool(t, "prometheus", "check", "rules", "--lint=all", "--lint-fatal", "alerts.yml")
	promtool(t, "prometheus", "test", "rules", "alerts_test.yml")
}

// Every expression of the board is one that Prometheus reads.
func TestIntegrationBoard(t *testing.T) {
	fill := strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*")
	var rules strings.Builder
	rules.WriteString("groups:\n- name: board\n  rules:\n")
	for _, p := range readBoard(t).Panels {
		for i, target := range p.Targets {
			fmt.Fprintf(&rules, "  - record: panel:%d_%d\n    expr: %q\n", p.ID, i, fill.Replace(target.Expr))
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "board.yml"), []byte(rules.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	promtool(t, dir, "check", "rules", "board.yml")
}
