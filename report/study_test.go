package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"rempart/geo"
	"rempart/measure"
	"rempart/message"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const hostile = `=cmd|'/c calc'!A1"><script>alert(1)</script>`

// studyOf measures made-up traffic: so many messages an hour on each channel, every fifth spam.
func studyOf(t testing.TB, from, to time.Time) Study {
	t.Helper()
	places, err := geo.Open(geo.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { places.Close() })
	tallies := measure.New("mx1.example.net", noon, 1000*time.Hour, [32]byte{1}, nil)
	for hour := range 5 {
		for i := range 20 {
			for _, ch := range []message.Channel{message.Email, message.SMS, message.Call, message.IM} {
				e := &message.Event{Time: noon.Add(time.Duration(hour) * time.Hour), Channel: ch, Direction: message.In, Door: "door",
					Source:   message.Source{Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), Country: []string{"BF", "FR", ""}[i%3], Network: []uint32{3215, 0}[i%2], ID: "sender.example"},
					Verdicts: []message.Verdict{{}}, Outcomes: []message.Outcome{{Decision: message.Decision{Action: message.Accept}}, {}}}
				if i%5 == 0 {
					e.Verdicts[0].Category, e.Outcomes[0].Decision.Action, e.Source.ID = message.Category(2+i%3), message.Tag, hostile
				}
				if ch == message.SMS {
					e.Route = []message.Hop{{From: hostile, With: "SMPP", Trusted: true}}
				}
				tallies.Fold(e)
			}
		}
	}
	return NewStudy(Material{Node: "mx1.example.net", Version: "1.0", From: from, To: to, Made: noon.Add(6 * time.Hour), Leaves: tallies.Leaves(from, to), Places: places})
}

func TestStudy(t *testing.T) {
	s := studyOf(t, noon.Add(-time.Hour), noon.Add(6*time.Hour))
	if s.Hours != 7 || s.Counted != 5 || s.Step != Hourly || len(s.Series) != 7 || len(s.Channels) != 4 || !reflect.DeepEqual(s.Origins, []string{"mx1.example.net"}) {
		t.Errorf("%d of %d hours, step %s, %d slots, %d channels, origins %v", s.Counted, s.Hours, s.Step, len(s.Series), len(s.Channels), s.Origins)
	}
	if v, counted := s.Series[0].Channels[message.Email]; counted {
		t.Errorf("an hour that nobody measured is shown as %+v", v)
	}
	if v := s.Series[1].Channels[message.Email]; v != (HamSpam{16, 4}) {
		t.Errorf("the first hour: %+v", v)
	}
	f := s.Channels[0]
	if f.Messages != 100 || f.Recipients != 200 || f.Spam != 20 || f.Countries[0] != (Source{Name: "BF", Label: "Burkina Faso", Messages: 35, Spam: 10}) {
		t.Errorf("mail: %d messages, %d recipients, %d spam, first country %+v", f.Messages, f.Recipients, f.Spam, f.Countries[0])
	}
	if n := f.Networks[1]; len(f.Networks) != 2 || n.Name != "AS3215" || n.Label == "" || n.Messages != 50 {
		t.Errorf("networks: %+v", f.Networks)
	}
	if n := len(s.Together.Countries); n != 3 || s.Together.Countries[0].Messages != 140 {
		t.Errorf("together: %+v", s.Together.Countries)
	}
	if len(s.Credits) == 0 {
		t.Error("nobody is credited for the places")
	}
	// As JSON it is the same: a command asks the running node for it.
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again Study
	if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(again, s) {
		t.Errorf("%v: on its way through JSON the study became %+v", err, again)
	}
	if days := studyOf(t, noon.Add(-50*24*time.Hour), noon.Add(12*time.Hour)); days.Step != Daily || len(days.Series) != 51 {
		t.Errorf("50 days: step %s, %d slots", days.Step, len(days.Series))
	}
}

// The page is whole: no key of the catalogue, no markup of a sender, nothing fetched, every id once, every chart beside a table.
func TestWriteHTML(t *testing.T) {
	for name, s := range map[string]Study{
		"hours": studyOf(t, noon, noon.Add(6*time.Hour)), "days": studyOf(t, noon.AddDate(0, -2, 0), noon.Add(6*time.Hour)),
		"one hour": studyOf(t, noon, noon.Add(time.Hour)), "nothing": studyOf(t, noon.AddDate(1, 0, 0), noon.AddDate(1, 1, 0)),
	} {
		var b bytes.Buffer
		if err := s.WriteHTML(&b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		page := b.String()
		for _, bad := range []string{"<script", "%!", "ZgotmplZ", "study.", "src=", "<link", "url(h"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page has %q", name, bad)
			}
		}
		doc, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		ids, tables, charts := map[string]bool{}, 0, 0
		for n := range doc.Descendants() {
			switch n.Data {
			case "table":
				tables++
			case "svg":
				charts++
			}
			for _, a := range n.Attr {
				if a.Key == "id" {
					if ids[a.Val] {
						t.Errorf("%s: id %s occurs twice", name, a.Val)
					}
					ids[a.Val] = true
				}
			}
		}
		if name == "nothing" {
			if tables+charts > 0 || !strings.Contains(page, "Nothing was counted") {
				t.Errorf("nothing was counted, and the page has %d tables and %d charts", tables, charts)
			}
		} else if tables < 8 || charts < 6 {
			t.Errorf("%s: %d tables, %d charts", name, tables, charts)
		}
	}
}

func TestWriteFiles(t *testing.T) {
	s := studyOf(t, noon, noon.Add(5*time.Hour))
	dir := t.TempDir()
	paths, err := s.WriteFiles(dir)
	if err != nil || len(paths) != len(tables)+1 || filepath.Base(paths[0]) != "study.html" {
		t.Fatalf("%v: %v", err, paths)
	}
	lines := map[string][][]string{}
	for _, path := range paths[1:] {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		if e := f.Close(); err != nil || e != nil {
			t.Fatal(path, err, e)
		}
		for _, row := range rows {
			for _, cell := range row {
				if strings.HasPrefix(cell, "=") {
					t.Errorf("%s: a spreadsheet would run %q", path, cell)
				}
			}
		}
		lines[filepath.Base(path)] = rows
	}
	if got := fmt.Sprint(lines["volumes.csv"][:3]); got != "[[time channel messages honest spam] [2026-11-24T12:00:00Z email 20 16 4] [2026-11-24T12:00:00Z sms 20 16 4]]" {
		t.Errorf("volumes.csv begins %s", got)
	}
	if got := fmt.Sprint(lines["sources.csv"][1]); got != "[all countries BF Burkina Faso 140 40 0 0]" {
		t.Errorf("sources.csv begins %s", got)
	}
	if n := len(lines["types.csv"]); n < 9 {
		t.Errorf("types.csv has %d lines", n)
	}
	if _, err := s.WriteFiles(filepath.Join(dir, "not", "there")); err == nil {
		t.Error("files were written into a directory that is not there")
	}
}

func TestPlain(t *testing.T) {
	for _, tt := range []struct {
		in   any
		want string
	}{
		{"=1+1", "'=1+1"}, {"@SUM(A1)", "'@SUM(A1)"}, {"-2+3", "'-2+3"}, {"\tx", "'\tx"}, {"+447700900123", "+447700900123"}, {"+4477009…", "+4477009…"},
		{"", ""}, {"a=b", "a=b"}, {[]string{"=a", "b"}, "'=a b"}, {0.25, "0.25"}, {uint64(7), "7"}, {noon, "2026-11-24T12:00:00Z"},
	} {
		if got := Plain(tt.in); got != tt.want {
			t.Errorf("Plain(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAFullDiskIsAnError(t *testing.T) {
	s := studyOf(t, noon, noon.Add(time.Hour))
	if err := s.WriteHTML(full{}); err == nil {
		t.Error("a page that could not be written was")
	}
	if err := writeTable(full{}, []string{"a"}, func(row func(...any)) { row(strings.Repeat("x", 1<<16)) }); err == nil {
		t.Error("a table that could not be written was")
	}
}
