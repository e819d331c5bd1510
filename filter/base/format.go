package base

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"rempart/message"
	"rempart/wire"
)

const formatVersion = 1

// Tags of a file of weights; see docs/formats.md.
const (
	weightsMadeFrom wire.Tag = iota + 1
	weightsBias
	weightsPrior
	weightsTable
)

const (
	priorSignal wire.Tag = iota + 1
	priorOdds
)

const (
	tableUnit wire.Tag = iota + 1
	tableCells
)

// checkBytes of the SHA-256 over all that stands before them end the file; they are also its id.
const checkBytes = 8

// ErrDamaged is a file of weights that is not as it was written.
var ErrDamaged = errors.New("the weights are damaged")

// Append appends w as a file of weights. Equal weights give equal bytes.
func (w *Weights) Append(b []byte) []byte {
	return append(b, sealed(w.content())...)
}

// sealed is the content with its check.
func sealed(content []byte) []byte {
	sum := sha256.Sum256(content)
	return append(content[:len(content):len(content)], sum[:checkBytes]...)
}

func (w *Weights) content() []byte {
	b := []byte{formatVersion}
	b = wire.AppendBytes(b, weightsMadeFrom, w.MadeFrom[:])
	b = wire.AppendInt(b, weightsBias, int64(w.Bias))
	for _, name := range slices.Sorted(maps.Keys(w.Priors)) {
		b = wire.AppendRecord(b, weightsPrior, func(b []byte) []byte {
			b = wire.AppendString(b, priorSignal, name)
			return wire.AppendInt(b, priorOdds, int64(w.Priors[name]))
		})
	}
	for _, t := range w.tables {
		b = wire.AppendRecord(b, weightsTable, func(b []byte) []byte {
			b = wire.AppendUint(b, tableUnit, uint64(t.unit))
			cells := make([]byte, len(t.weights))
			for i, v := range t.weights {
				cells[i] = byte(v)
			}
			return wire.AppendBytes(b, tableCells, cells)
		})
	}
	return b
}

// Read reads a file of weights. It fails with [ErrDamaged] or [wire.ErrVersion].
func Read(b []byte) (*Weights, error) {
	if len(b) == 0 || b[0] != formatVersion {
		return nil, fmt.Errorf("read weights: %w", wire.ErrVersion)
	}
	if len(b) < 1+checkBytes {
		return nil, fmt.Errorf("read weights: %w", ErrDamaged)
	}
	content, check := b[:len(b)-checkBytes], b[len(b)-checkBytes:]
	if sum := sha256.Sum256(content); !bytes.Equal(sum[:checkBytes], check) {
		return nil, fmt.Errorf("read weights: %w", ErrDamaged)
	}
	w := &Weights{ID: hex.EncodeToString(check), Priors: map[string]message.LogOdds{}}
	tables := 0
	err := wire.Fields(content[1:], func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case weightsMadeFrom:
			copy(w.MadeFrom[:], c)
		case weightsBias:
			w.Bias = message.LogOdds(c.Int())
		case weightsPrior:
			return w.readPrior(c)
		case weightsTable:
			tables++
			return w.readTable(tables-1, c)
		}
		return nil
	})
	if err == nil && tables != tableCount {
		err = fmt.Errorf("%d tables: %w", tables, ErrDamaged)
	}
	if err != nil {
		return nil, fmt.Errorf("read weights: %w", err)
	}
	return w, nil
}

func (w *Weights) readPrior(c wire.Content) error {
	var name string
	var odds message.LogOdds
	err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case priorSignal:
			name = c.String()
		case priorOdds:
			odds = message.LogOdds(c.Int())
		}
		return nil
	})
	w.Priors[name] = odds
	return err
}

func (w *Weights) readTable(set int, c wire.Content) error {
	if set >= tableCount {
		return ErrDamaged
	}
	t := &w.tables[set]
	err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case tableUnit:
			t.unit = message.LogOdds(c.Uint())
		case tableCells:
			t.weights = make([]int8, len(c))
			for i, v := range c {
				t.weights[i] = int8(v)
			}
		}
		return nil
	})
	if err == nil && (len(t.weights) != 1<<tableBits[set] || t.unit < 0 || t.unit > maxUnit) {
		err = ErrDamaged
	}
	return err
}

// maxUnit: no sum of a mail's features can leave 64 bits.
const maxUnit = 100 * message.One

// Cells is what training moves: a number, in log-odds, for each cell of each table.
type Cells [tableCount][]float64

// NewCells returns cells that are zero.
func NewCells() (c Cells) {
	for set := range c {
		c[set] = make([]float64, 1<<tableBits[set])
	}
	return c
}

// Input is one cell that a mail touches, and how much it counts.
type Input struct {
	Set, Cell int
	Value     float64
}

// Inputs are the cells that m touches: the sum of their numbers times their values is what [Weights.Score] would give.
func Inputs(m *message.Message) (in []Input) {
	f := pool.Get().(*features)
	defer pool.Put(f)
	f.read(m)
	for set, hashes := range [tableCount][]uint32{f.words, f.themes, f.form} {
		value := 1024 / float64(divisor(set, len(hashes)))
		for _, h := range hashes {
			in = append(in, Input{set, int(h >> (32 - tableBits[set])), value})
		}
	}
	return in
}

// New rounds cells to weights of a byte each.
func New(madeFrom [32]byte, bias message.LogOdds, priors map[string]message.LogOdds, cells Cells) *Weights {
	w := &Weights{MadeFrom: madeFrom, Bias: bias, Priors: priors}
	for set, values := range cells {
		most := 0.0
		for _, v := range values {
			most = max(most, math.Abs(v))
		}
		t := table{unit: message.Odds(most / 127), weights: make([]int8, len(values))}
		if t.unit > 0 {
			for i, v := range values {
				t.weights[i] = int8(min(max(math.Round(v/t.unit.Float()), -127), 127))
			}
		}
		w.tables[set] = t
	}
	sum := sha256.Sum256(w.content())
	w.ID = hex.EncodeToString(sum[:checkBytes])
	return w
}
