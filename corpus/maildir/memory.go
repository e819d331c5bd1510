package maildir

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"rempart/message"
)

// memory is what was done with a store, in a file of lines, each written when it is so: "spam ID PROBABILITY" and "ham ID
// PROBABILITY" were taught, and judged so before; "held ID" is one of the last tenth, all of which stand there before the first
// is judged; "before ID PROBABILITY" is one judged before anything was taught; "done" ends a run. An ID is 16 hexadecimal digits of the SHA-256 of the mail's unique name. A line that was cut
// off is passed over: its mail is taught again, which does no harm.
type memory struct {
	file   *os.File
	taught map[string]memo
	held   map[string]bool    // of the run that is not done
	before map[string]float64 // as held
}

type memo struct {
	label       message.Label
	probability float64
}

func openMemory(path string) (*memory, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	m := &memory{file: file, taught: map[string]memo{}, held: map[string]bool{}, before: map[string]float64{}}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		m.read(lines.Text())
	}
	if err := lines.Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), file.Close())
	}
	if end, err := file.Seek(0, io.SeekEnd); err == nil && end > 0 {
		_, err = file.WriteString("\n") // ends a line that was cut off
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return m, nil
}

func (m *memory) read(line string) {
	if line == "done" {
		clear(m.held)
		clear(m.before)
		return
	}
	f := strings.Fields(line)
	if len(f) == 2 && f[0] == "held" && len(f[1]) == idLength {
		m.held[f[1]] = true
		return
	}
	if len(f) != 3 || len(f[1]) != idLength {
		return
	}
	p, err := strconv.ParseFloat(f[2], 64)
	if err != nil || !(p >= 0 && p <= 1) {
		return
	}
	switch f[0] {
	case "before":
		m.before[f[1]], m.held[f[1]] = p, true
	case message.Spam.String():
		m.taught[f[1]] = memo{message.Spam, p}
	case message.Ham.String():
		m.taught[f[1]] = memo{message.Ham, p}
	}
}

const idLength = 16

func idOf(name string) string {
	h := sha256.Sum256([]byte(name))
	return hex.EncodeToString(h[:idLength/2])
}

// knows reports that the mail was taught with the label that it has now.
func (m *memory) knows(e Entry) bool { return m.taught[idOf(e.Name)].label == e.Label }

// judged reports that the mail is of the last tenth and was judged before anything was taught.
func (m *memory) judged(e Entry) bool {
	_, known := m.before[idOf(e.Name)]
	return known
}

// hold keeps which mails are the last tenth.
func (m *memory) hold(entries []Entry) error {
	var b strings.Builder
	for _, e := range entries {
		line := "held " + idOf(e.Name)
		m.read(line)
		b.WriteString(line + "\n")
	}
	_, err := m.file.WriteString(b.String())
	return err
}

// write keeps what was found of a batch: word is "before", or empty for what was taught.
func (m *memory) write(word string, batch []Mail, probabilities []float64) error {
	var b strings.Builder
	for i, mail := range batch {
		w := word
		if w == "" {
			w = mail.Label.String()
		}
		line := fmt.Sprintf("%s %s %.6f", w, idOf(mail.Name), probabilities[i])
		m.read(line)
		b.WriteString(line + "\n")
	}
	_, err := m.file.WriteString(b.String())
	return err
}

func (m *memory) done() error {
	m.read("done")
	_, err := m.file.WriteString("done\n")
	return err
}
