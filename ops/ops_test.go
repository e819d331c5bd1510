// Package ops holds what monitors a node: alert rules for Prometheus and a board for Grafana. Its tests hold both to the
// metrics that a node has.
package ops

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// metric is one line of metrics.txt.
type metric struct {
	kind   string
	labels []string
}

func readMetrics(t *testing.T) map[string]metric {
	t.Helper()
	out := map[string]metric{}
	last := ""
	for line := range strings.Lines(read(t, "metrics.txt")) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) < 2 || fields[0] <= last {
			t.Fatalf("metrics.txt: %q is out of order or has no kind", line)
		}
		last = fields[0]
		m := metric{kind: fields[1]}
		if len(fields) > 2 {
			m.labels = strings.Split(fields[2], ",")
		}
		out[fields[0]] = m
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// board is what the tests look at of a Grafana board.
type board struct {
	Panels []struct {
		ID          int
		Title       string
		Description string
		GridPos     struct{ X, Y, W, H int }
		FieldConfig struct{ Defaults struct{ Unit string } }
		Targets     []struct{ Expr, LegendFormat, RefID string }
	}
}

func readBoard(t *testing.T) board {
	t.Helper()
	var b board
	if err := json.Unmarshal([]byte(read(t, "grafana/rempart.json")), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

var (
	metricName = regexp.MustCompile(`\brempart_[a-z_]+(\{[^}]*\})?`)
	labelName  = regexp.MustCompile(`([a-z_]+)(?:=~|!=|=|!~)"`)
	grouping   = regexp.MustCompile(`\bby \(([^)]*)\)`)
	alertName  = regexp.MustCompile(`- alert: (\w+)`)
)

// checkExpression holds every metric, and every label that picks or groups, to the list.
func checkExpression(t *testing.T, where, expr string, known map[string]metric) {
	t.Helper()
	labels := []string{"instance", "job", "le"}
	for _, found := range metricName.FindAllString(expr, -1) {
		name, pick, _ := strings.Cut(found, "{")
		m, ok := known[name]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base := strings.TrimSuffix(name, suffix); !ok && base != name && known[base].kind == "histogram" {
				m, ok = known[base], true
			}
		}
		if !ok {
			t.Errorf("%s: no node has the metric %s", where, name)
		}
		for _, l := range labelName.FindAllStringSubmatch(pick, -1) {
			if !slices.Contains(m.labels, l[1]) && l[1] != "instance" && l[1] != "le" {
				t.Errorf("%s: %s has no label %s", where, name, l[1])
			}
		}
		labels = append(labels, m.labels...)
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(g[1], ",") {
			if !slices.Contains(labels, strings.TrimSpace(l)) {
				t.Errorf("%s: grouped by %s, which none of its metrics has", where, l)
			}
		}
	}
}

func TestMetricsAreKnown(t *testing.T) {
	known := readMetrics(t)
	alerts := read(t, "prometheus/alerts.yml")
	for rule := range strings.SplitSeq(alerts, "- alert: ") {
		name, rest, _ := strings.Cut(rule, "\n")
		expr, _, _ := strings.Cut(rest, "labels:")
		checkExpression(t, "alerts.yml "+name, expr, known)
	}
	checkExpression(t, "alerts_test.yml", read(t, "prometheus/alerts_test.yml"), known)
	all := alerts + read(t, "grafana/rempart.json")
	for _, p := range readBoard(t).Panels {
		for _, target := range p.Targets {
			checkExpression(t, "board, "+p.Title, target.Expr, known)
		}
	}
	for name := range known {
		if !strings.Contains(all, name) {
			t.Errorf("%s is neither on the board nor in a rule", name)
		}
	}
}

// Every alert is tested and says what to do.
func TestAlertsAreTestedAndDocumented(t *testing.T) {
	tests, doc := read(t, "prometheus/alerts_test.yml"), read(t, "../docs/operate-monitoring.md")
	names := alertName.FindAllStringSubmatch(read(t, "prometheus/alerts.yml"), -1)
	if len(names) == 0 {
		t.Fatal("no alert found")
	}
	for _, n := range names {
		if !regexp.MustCompile(`alertname: ` + n[1] + `\s+exp_alerts:`).MatchString(tests) {
			t.Errorf("%s: no test in which it fires", n[1])
		}
		if !strings.Contains(doc, "| `"+n[1]+"` |") {
			t.Errorf("%s: docs/operate-monitoring.md does not say what to do", n[1])
		}
	}
	for name := range readMetrics(t) {
		if !strings.Contains(doc, "`"+name+"`") {
			t.Errorf("%s: docs/operate-monitoring.md does not name it", name)
		}
	}
}

func TestBoard(t *testing.T) {
	ids := map[int]bool{}
	var taken [200][24]bool
	for _, p := range readBoard(t).Panels {
		if ids[p.ID] || p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d %q: twice, or without title, description, unit or target", p.ID, p.Title)
		}
		ids[p.ID] = true
		for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				if taken[y][x] {
					t.Fatalf("panel %q lies on another", p.Title)
				}
				taken[y][x] = true
			}
		}
	}
}
