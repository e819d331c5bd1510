package spamd

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rempart/gateway"
	"rempart/message"
)

func page(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/frontdoor-spamd.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blocks are the page's snippets in that language.
func blocks(t *testing.T, language string) (all []string) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?ms)^ *```"+language+"\n(.*?)^ *```").FindAllStringSubmatch(page(t), -1) {
		all = append(all, regexp.MustCompile("(?m)^   ").ReplaceAllString(m[1], ""))
	}
	if len(all) == 0 {
		t.Fatalf("the page has no %s", language)
	}
	return all
}

// The page's table of actions is that of the code: each action stands in one row, with what the client is told and where the
// scale puts it.
func TestPageNamesActions(t *testing.T) {
	told := map[string][2]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| ([a-z, ]+) \\| `(Spam: \\w+)`[^|]*\\| ([^|]+) \\|").FindAllStringSubmatch(page(t), -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			told[name] = [2]string{row[2], row[3]}
		}
	}
	rows := map[gateway.Reaction][2]string{gateway.Pass: {"Spam: False", "below 5.0"}, gateway.Marked: {"Spam: True", "5.0 to 14.9"},
		gateway.Refused: {"Spam: True", "from 15.0 on"}}
	for a := message.Accept; a <= message.Remove; a++ {
		want := rows[reactionTo(a)]
		if a == message.Greylist { // never decided here
			want = [2]string{}
		}
		if got := told[a.String()]; got[0] != want[0] || !strings.HasPrefix(got[1], want[1]) {
			t.Errorf("%v: the page says %q, a client is told %q", a, got, want)
		}
	}
	if per := math.Round(scale.PerOdds()*100) / 1000; !strings.Contains(page(t), fmt.Sprintf("| below and above | %.3f points for each log-odds |", per)) {
		t.Errorf("the page lacks %.3f points for each log-odds", per)
	}
}

// The page's table of statuses has all of them but success.
func TestPageNamesStatuses(t *testing.T) {
	var named []int
	for _, row := range regexp.MustCompile(`(?m)^\| (\d\d) [A-Z(]`).FindAllStringSubmatch(page(t), -1) {
		n, _ := strconv.Atoi(row[1])
		named = append(named, n)
	}
	var all []int
	for s := range statusWords {
		if s != statusOK {
			all = append(all, int(s))
		}
	}
	if slices.Sort(all); !slices.Equal(all, named) {
		t.Errorf("the page names %v, the code has %v", named, all)
	}
}

// The page's table of requests has the commands of the code.
func TestPageNamesCommands(t *testing.T) {
	_, table, _ := strings.Cut(page(t), "| request | answer |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, c := range commands {
		if !strings.Contains(table, "`"+c+"`") {
			t.Errorf("the page lacks %s", c)
		}
	}
}
