package email

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// TestParseReaderFails: what came before the failure is parsed, and the failure is told.
func TestParseReaderFails(t *testing.T) {
	broken := errors.New("connection reset")
	r := io.MultiReader(strings.NewReader("From: a@b.example\nSubject: cut\n\nHel"), failing{broken})
	m, err := Parse(r)
	if !errors.Is(err, broken) || m.Subject != "cut" || m.Text != "Hel" || m.Source.ID != "b.example" {
		t.Errorf("%v, %+v", err, m)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
