// Package base is what a new installation knows of mail before its first lesson: weights that come with the program.
//
// [Weights] are numbers only, made by package train from labelled public corpora: for each signal of the table a prior
// that was learned together with all the others, and two hashed tables, of what a mail says (its words, and the themes they
// belong to in a dozen languages) and of how it is made (who seems to send it, where its links lead, what it consists of).
// [Weights.Score] reads a message and gives both tables' log-odds, on integers: the same on every machine. The file's
// format is in docs/formats.md.
//
// Local lessons soon outweigh it; that is package learn's matter.
package base

import (
	"bytes"
	_ "embed"
	"math"
	"strings"
	"sync"

	"rempart/message"
)

//go:embed weights.bin
var shipped []byte

// Shipped are the weights in the binary.
var Shipped = sync.OnceValue(func() *Weights {
	w, err := Read(shipped)
	if err != nil {
		panic("base: the weights in the binary: " + err.Error()) // the build is broken: a test reads them
	}
	return w
})

// Weights are what was learned before. They are not changed once read.
type Weights struct {
	ID       string // of this very file: tells with verdicts and lessons what judged
	MadeFrom [32]byte
	Bias     message.LogOdds
	Priors   map[string]message.LogOdds // by signal; a signal that is not named keeps its table's
	tables   [tableCount]table
}

// Sets of features: words and themes are what a mail says, form is how it is made.
const (
	setWords = iota
	setThemes
	setForm
	tableCount
)

// Sizes of the tables, in binary digits.
var tableBits = [tableCount]uint{16, 13, 13}

// table holds a small number for each hash, folded to its size. Unit is the log-odds of 1 for a mail whose set has one
// feature; a set of n weighs the root of n more, not n times.
type table struct {
	unit    message.LogOdds
	weights []int8
}

// Score is what the weights make of one message, in log-odds.
type Score struct {
	Words, Form message.LogOdds
	Telling     [2]string // the words that say most for the sign of Words; empty where there are none
}

// Score reads what m says and how it is made.
func (w *Weights) Score(m *message.Message) Score {
	f := pool.Get().(*features)
	defer pool.Put(f)
	f.read(m)
	s := Score{Words: w.tables[setWords].score(f.words, setWords) + w.tables[setThemes].score(f.themes, setThemes),
		Form: w.tables[setForm].score(f.form, setForm)}
	s.Telling = w.telling(f, s.Words > 0)
	return s
}

func (t *table) score(hashes []uint32, set int) message.LogOdds {
	shift := 32 - tableBits[set]
	var sum int64
	for _, h := range hashes {
		sum += int64(t.weights[h>>shift])
	}
	return message.LogOdds(sum * int64(t.unit) << 10 / divisor(set, len(hashes)))
}

// fewest is the number of features of a set below which it says less: a few words prove little, whatever they are.
var fewest = [tableCount]int{setWords: 100, setThemes: 30}

// divisor is what the sum over a set of n features is divided by, of 1024. Square roots are correctly rounded on every
// machine (IEEE 754). All mails have about as many traits: their sum is not divided.
func divisor(set, n int) int64 {
	if set == setForm {
		return 1024
	}
	return int64(1024 * math.Sqrt(float64(max(n, fewest[set]))))
}

// telling finds the two words that say most.
func (w *Weights) telling(f *features, spam bool) (out [2]string) {
	t := &w.tables[setWords]
	shift := 32 - tableBits[setWords]
	var most [2]int8
	var at [2]int
	for i, s := range f.spelt {
		v := t.weights[s.hash>>shift]
		if !spam {
			v = -max(v, -127)
		}
		if v <= most[1] {
			continue
		}
		if b := f.fold[s.from:s.to]; len(b) < minTelling || bytes.ContainsAny(b, "0123456789") {
			continue // the weights know digits as one another; what they are may be a secret
		}
		if v > most[0] {
			most[0], most[1], at[0], at[1] = v, most[0], i, at[0]
		} else {
			most[1], at[1] = v, i
		}
	}
	for i := range out {
		if most[i] > 0 {
			s := f.spelt[at[i]]
			out[i] = strings.ToValidUTF8(string(f.fold[s.from:min(s.to, s.from+maxWord)]), "")
		}
	}
	return out
}

const (
	maxWord    = 30 // bytes shown of a word
	minTelling = 4  // bytes of a word that says something by itself
)
