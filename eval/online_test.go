package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rempart/filter"
)

// bruteArea compares every honest message with every spam.
func bruteArea(results []Result) float64 {
	var wrong, pairs float64
	for _, h := range results {
		for _, s := range results {
			if h.Spam || !s.Spam {
				continue
			}
			pairs++
			switch {
			case h.Score > s.Score:
				wrong++
			case h.Score == s.Score:
				wrong += 0.5
			}
		}
	}
	if pairs == 0 {
		return 0
	}
	return 100 * wrong / pairs
}

// bruteMissed tries every threshold.
func bruteMissed(results []Result, share float64) float64 {
	var spam, ham float64
	for _, r := range results {
		if r.Spam {
			spam++
		} else {
			ham++
		}
	}
	if spam == 0 {
		return 0
	}
	best := spam
	for _, t := range results {
		var missed, blocked float64
		for _, r := range results {
			if r.Spam && r.Score < t.Score {
				missed++
			}
			if !r.Spam && r.Score >= t.Score {
				blocked++
			}
		}
		if blocked <= math.Floor(share*ham) {
			best = min(best, missed)
		}
	}
	return 100 * best / spam
}

func TestMeasureAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		results := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Result {
			return Result{Score: float64(rapid.IntRange(-6, 6).Draw(t, "score")), Spam: rapid.Bool().Draw(t, "spam")}
		}), 0, 60).Draw(t, "results")
		f := Measure(results)
		if want := bruteArea(results); math.Abs(f.OneMinusROCA-want) > 1e-9 {
			t.Fatalf("(1-ROCA)%% %v, brute force says %v", f.OneMinusROCA, want)
		}
		for _, tt := range []struct{ got, share float64 }{{f.SMAtHM01, 0.001}, {f.SMAtHM05, 0.005}} {
			if want := bruteMissed(results, tt.share); math.Abs(tt.got-want) > 1e-9 {
				t.Fatalf("missed at %v: %v, brute force says %v", tt.share, tt.got, want)
			}
		}
	})
}

// With enough honest mail that some may be blocked, and scores that tie.
func TestMissedAgainstBruteForce(t *testing.T) {
	for seed := range uint64(10) {
		results := sample(2400, seed)
		for i := range results {
			results[i].Score = math.Round(results[i].Score*200) / 200
		}
		f := Measure(results)
		if a, b := bruteMissed(results, 0.001), bruteMissed(results, 0.005); math.Abs(f.SMAtHM01-a) > 1e-9 || math.Abs(f.SMAtHM05-b) > 1e-9 {
			t.Errorf("missed %v and %v, brute force says %v and %v", f.SMAtHM01, f.SMAtHM05, a, b)
		}
	}
}

// To weigh a group is to have its messages so many times.
func TestWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weight := []int32{rapid.Int32Range(0, 500).Draw(t, "of the first"), 1, 2}
		var results, repeated []Result
		var groups []int32
		for range rapid.IntRange(0, 40).Draw(t, "messages") {
			r := Result{Score: float64(rapid.IntRange(-6, 6).Draw(t, "score")), Spam: rapid.Bool().Draw(t, "spam")}
			r.Probability = 1 / (1 + math.Exp(-r.Score))
			g := rapid.Int32Range(0, 2).Draw(t, "group")
			results, groups = append(results, r), append(groups, g)
			for range weight[g] {
				repeated = append(repeated, r)
			}
		}
		if got, want := newRanking(results, groups).figures(weight), Measure(repeated); !near(got, want) {
			t.Fatalf("weighted %+v, repeated %+v", got, want)
		}
	})
}

func near(a, b Figures) bool {
	return a.Spam == b.Spam && a.Ham == b.Ham && math.Abs(a.OneMinusROCA-b.OneMinusROCA) < 1e-9 &&
		a.SMAtHM01 == b.SMAtHM01 && a.SMAtHM05 == b.SMAtHM05 && a.Accuracy == b.Accuracy && math.Abs(a.MCC-b.MCC) < 1e-9
}

func TestAccuracyAndCorrelation(t *testing.T) {
	f := Measure([]Result{{Score: 1, Probability: 0.9, Spam: true}, {Score: 1, Probability: 0.8, Spam: true},
		{Probability: 0.2, Spam: true}, {Probability: 0.1}, {Probability: 0.6}})
	if math.Abs(f.Accuracy-60) > 1e-9 || math.Abs(f.MCC-1.0/6) > 1e-9 {
		t.Errorf("accuracy %v, correlation %v; want 60 and 0.1667", f.Accuracy, f.MCC)
	}
}

// writeCorpus makes an index of mails that a learner can tell apart after a few lessons.
func writeCorpus(t *testing.T, n int) string {
	t.Helper()
	return writeIndex(t, n, func(i int) (label, mail string) {
		label, body := "ham", "Minutes of the choir's meeting, item %d: the spring concert."
		if i%3 == 0 {
			label, body = "spam", "You have won the prize number %d, claim it within the hour!"
		}
		return label, fmt.Sprintf("From: a%d@a.example\nSubject: about %d\n\n"+body+"\n", i%5, i, i)
	})
}

// writeIndex writes n mails and their index.
func writeIndex(t *testing.T, n int, mailOf func(i int) (label, mail string)) string {
	t.Helper()
	dir := t.TempDir()
	var index strings.Builder
	for i := range n {
		label, mail := mailOf(i)
		name := fmt.Sprintf("m%03d.eml", i)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(mail), 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&index, "%s %s\n", label, name)
	}
	path := filepath.Join(dir, "index")
	if err := os.WriteFile(path, []byte(index.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOnline(t *testing.T) {
	index := writeCorpus(t, 60)
	at := func(l Lessons) Figures {
		f, results, err := Online(t.Context(), index, Setup{Lessons: l}, nil)
		if err != nil || len(results) != 60 || f.Spam != 20 {
			t.Fatalf("%d results, %+v, %v", len(results), f, err)
		}
		return f
	}
	immediate := at(Immediate)
	if immediate.OneMinusROCA > 10 {
		t.Errorf("taught at once: (1-ROCA)%% %v", immediate.OneMinusROCA)
	}
	if none := at(Lessons{}); none.OneMinusROCA != 50 {
		t.Errorf("nothing taught: (1-ROCA)%% %v, want 50", none.OneMinusROCA)
	}
	if wrong := at(Lessons{TeachSpam: 1, TeachHam: 1, Wrong: 1}); wrong.OneMinusROCA < 90 {
		t.Errorf("all taught wrong: (1-ROCA)%% %v", wrong.OneMinusROCA)
	}
	late := Lessons{Delay: 59, TeachSpam: 1, TeachHam: 1}
	if f := at(late); f.OneMinusROCA != 50 {
		t.Errorf("the only lesson comes after the last message: (1-ROCA)%% %v, want 50", f.OneMinusROCA)
	}
}

// Each part judges alone, and a mark that tells spam from ham tells nothing once it is masked.
func TestSetups(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	path := writeIndex(t, 200, func(int) (label, mail string) {
		label, to := "ham", "Delivered-To: yyyy@localhost.spamassassin.taint.org\n"
		if random.IntN(2) == 0 {
			label, to = "spam", ""
		}
		return label, fmt.Sprintf("%sFrom: a@a.example\nTo: b@b.example\nSubject: one\n\n%x %x\n", to, random.Uint64(), random.Uint64())
	})
	at := func(s Setup) float64 {
		s.Lessons = Immediate
		f, _, err := Online(t.Context(), path, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		return f.OneMinusROCA
	}
	whole, learners := at(Setup{}), at(Setup{Only: filter.Learners})
	signals, masked := at(Setup{Only: filter.SignalTables}), at(Setup{Mask: true})
	if whole > 5 || learners > 5 || signals < 35 || masked < 35 {
		t.Errorf("(1-ROCA)%%: whole %v, learners %v, signals %v, masked %v", whole, learners, signals, masked)
	}
}

func TestFolds(t *testing.T) {
	dir := t.TempDir()
	var texts, folds strings.Builder
	for i := range 60 {
		if i%2 == 0 {
			fmt.Fprintf(&texts, "spam\tWIN cash now, text PRIZE to 8%04d\n", i)
		} else {
			fmt.Fprintf(&texts, "ham\tsee you at the market at %d, bring the basket\n", i)
		}
		fmt.Fprintln(&folds, i/12)
	}
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f, results, err := Folds(t.Context(), write("texts.tsv", texts.String()), write("folds", folds.String()), nil)
	if err != nil || len(results) != 60 || f.OneMinusROCA != 0 || f.Accuracy != 100 {
		t.Errorf("%+v, %d results, %v", f, len(results), err)
	}
	if _, _, err := Folds(t.Context(), write("texts.tsv", "spam no tab\n"), write("folds", "0\n"), nil); err == nil || !strings.Contains(err.Error(), "texts.tsv:1") {
		t.Errorf("a line without a tab gives %v", err)
	}
}
