package eval

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"rempart/filter"
	"rempart/message"
	"rempart/message/sms"
)

// Folds cross-validates texts: each fold is judged by a filter that was taught the others, once and in the file's order,
// and the scores are pooled. texts has "spam|ham TAB text" a line, folds the fold's number of each line. The threshold
// for accuracy and correlation is probability 0.5, fixed beforehand.
func Folds(ctx context.Context, texts, folds string, progress func(done, of int)) (Figures, []Result, error) {
	corpus, err := readTexts(texts)
	if err != nil {
		return Figures{}, nil, err
	}
	fold, count, err := readFolds(folds)
	if err != nil {
		return Figures{}, nil, err
	}
	if len(fold) != len(corpus) {
		return Figures{}, nil, fmt.Errorf("%s names the folds of %d texts, %s has %d", folds, len(fold), texts, len(corpus))
	}
	start := time.Now()
	var results []Result
	for judged := range count {
		if err := ctx.Err(); err != nil {
			return Figures{}, nil, err
		}
		results = append(results, judgeFold(ctx, corpus, fold, judged)...)
		if progress != nil {
			progress(judged+1, count)
		}
	}
	figures := Measure(results)
	figures.Corpus, figures.Protocol = texts, "folds"
	figures.MessagesPerSecond = float64(len(corpus)*count) / time.Since(start).Seconds()
	return figures, results, nil
}

func judgeFold(ctx context.Context, corpus []text, fold []int, judged int) (results []Result) {
	f := filter.New(filter.Options{Scratch: true})
	for i, t := range corpus {
		if fold[i] != judged {
			f.Apply(f.Lesson(ctx, t.message(), t.label(), message.Scope{}, "eval"))
		}
	}
	for i, t := range corpus {
		if fold[i] == judged {
			results = append(results, judge(ctx, f, t.message(), strconv.Itoa(i), t.spam))
		}
	}
	return results
}

type text struct {
	spam bool
	text string
}

func (t text) label() message.Label {
	if t.spam {
		return message.Spam
	}
	return message.Ham
}

func (t text) message() *message.Message {
	m := sms.New("", "", t.text)
	m.Direction = message.In
	return m
}

func readTexts(path string) ([]text, error) {
	var corpus []text
	err := eachLine(path, func(n int, line string) error {
		label, t, ok := strings.Cut(line, "\t")
		if !ok || label != "spam" && label != "ham" {
			return fmt.Errorf("%s:%d: want \"spam\" or \"ham\", a tab, and the text", path, n)
		}
		corpus = append(corpus, text{label == "spam", t})
		return nil
	})
	if err == nil && len(corpus) == 0 {
		err = fmt.Errorf("%s: %w", path, ErrEmpty)
	}
	return corpus, err
}

// readFolds returns the fold of each line, and their number.
func readFolds(path string) (folds []int, count int, err error) {
	err = eachLine(path, func(n int, line string) error {
		k, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || k < 0 || k > 1000 {
			return fmt.Errorf("%s:%d: want the number of a fold, 0 to 1000", path, n)
		}
		folds = append(folds, k)
		count = max(count, k+1)
		return nil
	})
	return folds, count, err
}

func eachLine(path string, do func(n int, line string) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	scan := bufio.NewScanner(file)
	scan.Buffer(nil, 1<<20)
	for n := 1; scan.Scan(); n++ {
		if scan.Text() == "" {
			continue
		}
		if err := do(n, scan.Text()); err != nil {
			return err
		}
	}
	if err := scan.Err(); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
