package chart

import (
	"encoding/xml"
	"errors"
	"flag"
	"html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

func format(v float64) string   { return strconv.FormatFloat(v, 'f', -1, 64) }
func share(v float64) string    { return strconv.Itoa(int(math.Round(100*v))) + " %" }
func moment(t time.Time) string { return t.Format("2 Jan 15:04") }
func words(id string, rtl bool) Words {
	return Words{id, "Title of " + id, "Describes <" + id + ">", rtl}
}

var arabic = []string{"ألمانيا", "مشغّل أ", "مشغّل ب", "بريد", "أخرى", "موثوق", "مزعوم", "مزعج"}

// figures are the charts that are kept as golden files, each in both directions of reading.
func figures() map[string]template.HTML {
	figures := map[string]template.HTML{}
	names := []string{"commercial", "phishing", "malware", "scam", "adult", "other", "unknown", "none"}
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var spam, ham []Sample
	for h := range 24 {
		at := day.Add(time.Duration(h) * time.Hour)
		v := 400 + 300*math.Sin(float64(h)/4)
		spam = append(spam, Sample{at, v, v * .9, v * 1.15})
		w := 900 - 20*float64(h)
		if h == 9 {
			w = math.NaN()
		}
		ham = append(ham, Sample{At: at, Value: w})
	}
	edges := []Edge{
		{"Land A", "Transit", 700, .62, true}, {"Land B", "Transit", 300, .05, true}, {"Land B", "Direct", 220, .2, false},
		{"Transit", "Home", 900, .4, true}, {"Direct", "Home", 220, .2, true}, {"Land C", "Home", 90, .9, false},
		{"Home", "Transit", 60, .1, true}, {"Tiny 1", "Home", 3, 1, false}, {"Tiny 2", "Home", 2, 0, true}, {"Land A", "Land A", 20, .5, true},
	}
	for _, rtl := range []bool{false, true} {
		suffix := ""
		labels := []string{"Germany <b>", "Operator A", "Operator B", "mail & more", "Others", "seen", "claimed", "spam"}
		if rtl {
			suffix, labels = "-rtl", arabic
		}
		figures["bars"+suffix] = Bars(words("bars"+suffix, rtl), []Bar{{labels[0], 1234, "1,234"}, {labels[1], 800, "800"}, {labels[2], 12.5, "12.5"}, {labels[3], 0, "0"}})
		figures["stack"+suffix] = Stack(words("stack"+suffix, rtl), names, []Row{{labels[1], "1,000", []float64{400, 200, 100, 100, 50, 60, 40, 50}},
			{labels[2], "0", nil}, {labels[3], "10", []float64{0, 10}}}, share)
		figures["lines"+suffix] = Lines(words("lines"+suffix, rtl), []Series{{labels[7], spam}, {labels[3], ham}}, func(v float64) string { return strconv.Itoa(int(v)) }, moment)
		figures["sankey"+suffix] = Sankey(FlowWords{words("sankey"+suffix, rtl), labels[4], labels[5], labels[6], labels[7]}, edges, 7, format, share)
		figures["map"+suffix] = Map(words("map"+suffix, rtl), invented, map[string]float64{"XA": 3, "XB": 80, "XC": 80, "XD": 1, "XE": 20, "XF": 7, "DE": 1}, format, labels[4])
	}
	return figures
}

// invented is a world of squares, and one dot.
var invented = func() (shapes []Shape) {
	for i, code := range []string{"XA", "XB", "XC", "XD", "XE", "XF", "XG"} {
		x := float64(20 + 130*i)
		shapes = append(shapes, Shape{code, "Land " + code, "M" + number(x) + " 100h100v200h-100z", Point{x + 50, 200}})
	}
	shapes[3].Path = ""
	return shapes
}()

func TestGolden(t *testing.T) {
	for name, got := range figures() {
		path := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not as in %s: look at it, then run with -update", name, path)
		}
	}
}

// Every chart is well-formed, needs no style attribute, style element or script, has role, title and description, uses no
// pattern that it does not define, and no class that chart.css does not know.
func TestChartsAreClean(t *testing.T) {
	all := figures()
	all["world"] = Map(words("world", false), World(), map[string]float64{"DE": 1, "TV": 2}, format, "none")
	all["empty-bars"] = Bars(words("eb", false), nil)
	all["empty-lines"] = Lines(words("el", false), []Series{{Name: "one", Points: []Sample{{Value: 1}}}, {Name: "none"}}, format, moment)
	all["empty-sankey"] = Sankey(FlowWords{Words: words("es", true)}, nil, 5, format, share)
	all["empty-map"] = Map(words("em", false), invented, nil, format, "none")
	ids := map[string]string{}
	for name, svg := range all {
		wellFormed(t, name, string(svg))
		defined := map[string]bool{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(string(svg), -1) {
			if ids[m[1]] != "" {
				t.Errorf("%s: id %s is also in %s", name, m[1], ids[m[1]])
			}
			defined[m[1]], ids[m[1]] = true, name
		}
		for _, m := range regexp.MustCompile(`url\(#([^)]*)\)`).FindAllStringSubmatch(string(svg), -1) {
			if !defined[m[1]] {
				t.Errorf("%s uses %s, which it does not define", name, m[1])
			}
		}
		for _, m := range regexp.MustCompile(` class="([^"]*)"`).FindAllStringSubmatch(string(svg), -1) {
			for _, class := range strings.Fields(m[1]) {
				if class != "chart-pattern" && !regexp.MustCompile(`\.`+class+`\b`).MatchString(CSS) {
					t.Errorf("%s: chart.css does not know %s", name, class)
				}
			}
		}
	}
}

func wellFormed(t interface{ Errorf(string, ...any) }, name, svg string) {
	d := xml.NewDecoder(strings.NewReader(svg))
	parents := []string{""}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		switch e := token.(type) {
		case xml.StartElement:
			if e.Name.Local == "script" || e.Name.Local == "style" || e.Name.Local == "foreignObject" {
				t.Errorf("%s has an element %s", name, e.Name.Local)
			}
			role := ""
			for _, a := range e.Attr {
				if a.Name.Local == "role" {
					role = a.Value
				}
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Errorf("%s: %s=%q", name, a.Name.Local, a.Value)
				}
			}
			if e.Name.Local == "svg" && parents[len(parents)-1] != "svg" && role != "img" {
				t.Errorf("%s: svg without role", name)
			}
			parents = append(parents, e.Name.Local)
		case xml.EndElement:
			parents = parents[:len(parents)-1]
		}
	}
}

// Whatever the text and the figures, a chart is well-formed and has no element that the text brought.
func TestAnyTextAndFigure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"><script>`, "</svg>", "&amp;", "a\x00b\ufffe", `' onload='x`}))
		figure := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 5e-324}))
		w := Words{"id", text.Draw(t, "title"), text.Draw(t, "description"), rapid.Bool().Draw(t, "rtl")}
		say := func(float64) string { return text.Example(0) }
		var bars []Bar
		var edges []Edge
		var rows []Row
		series := Series{Name: text.Draw(t, "name")}
		values := map[string]float64{}
		shapes := append([]Shape(nil), invented...)
		for i := range rapid.IntRange(0, 12).Draw(t, "n") {
			a, b, v := text.Draw(t, "a"), text.Draw(t, "b"), figure.Draw(t, "v")
			bars = append(bars, Bar{a, v, b})
			edges = append(edges, Edge{a, b, v, figure.Draw(t, "spam"), rapid.Bool().Draw(t, "trusted")})
			rows = append(rows, Row{a, b, []float64{v, figure.Draw(t, "part")}})
			series.Points = append(series.Points, Sample{time.Unix(int64(i)*3600, 0), v, figure.Draw(t, "low"), figure.Draw(t, "high")})
			if i < len(shapes) {
				shapes[i].Name = a
				values[shapes[i].Code] = v
			}
		}
		for name, svg := range map[string]template.HTML{
			"bars":   Bars(w, bars),
			"stack":  Stack(w, []string{"one", text.Draw(t, "part name")}, rows, say),
			"lines":  Lines(w, []Series{series}, say, moment),
			"sankey": Sankey(FlowWords{Words: w}, edges, 5, say, say),
			"map":    Map(w, shapes, values, say, "none"),
		} {
			wellFormed(t, name, string(svg))
		}
	})
}

func TestWorld(t *testing.T) {
	shapes := World()
	if len(shapes) < 241 {
		t.Errorf("%d territories", len(shapes))
	}
	pair := regexp.MustCompile(`^[MlzZ0-9. -]*$`)
	byCode := map[string]Shape{}
	for _, s := range shapes {
		if byCode[s.Code].Code != "" || len(s.Code) != 2 || s.Name == "" || !pair.MatchString(s.Path) {
			t.Errorf("%+v", s)
		}
		if s.Centre.X < 0 || s.Centre.X > MapWidth || s.Centre.Y < 0 || s.Centre.Y > MapHeight {
			t.Errorf("%s: centre %v", s.Code, s.Centre)
		}
		byCode[s.Code] = s
	}
	for _, code := range []string{"DE", "BF", "FJ", "RU", "XK", "TW", "PS", "EH", "GF", "UA"} {
		if byCode[code].Path == "" {
			t.Errorf("%s has no outline", code)
		}
	}
	for _, code := range []string{"TV", "MC", "SG", "VA"} {
		if s, ok := byCode[code]; !ok || s.Path != "" {
			t.Errorf("%s is no dot", code)
		}
	}
}

// What goes in comes out: the flow through the stops is that of the edges, circles are broken, and the rest is one.
func TestFlow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
		var edges []Edge
		sum := 0.0
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			e := Edge{name.Draw(t, "from"), name.Draw(t, "by"), float64(rapid.IntRange(1, 9).Draw(t, "value")), .5, rapid.Bool().Draw(t, "trusted")}
			edges = append(edges, e)
			sum += e.Value
		}
		f := flowOf(edges, 5, "other")
		got := 0.0
		for _, l := range f.links {
			got += l.Value
			if l.to.layer <= l.from.layer {
				t.Fatalf("%s in layer %d hands to %s in layer %d", l.from.name, l.from.layer, l.to.name, l.to.layer)
			}
		}
		if math.Abs(got-sum) > 1e-9 {
			t.Fatalf("%v flows, want %v", got, sum)
		}
		for _, s := range flowOf(edges, 2, "other").stops {
			if s.name != "other" && !keep(edges, 2)[s.name] {
				t.Fatalf("%s is drawn", s.name)
			}
		}
	})
}

func TestTick(t *testing.T) {
	for most, want := range map[float64]float64{0: 1, 1: .25, 3: 1, 9: 2.5, 100: 25, 450: 200, 0.07: .02} {
		got := tick(most)
		if most > 0 && (most/got > 4.0001 || most/got < 1) || math.Abs(got-want) > want && most > 0 {
			t.Errorf("%v: %v, want about %v", most, got, want)
		}
	}
}
