// Package corpus reads messages from files: mail as single files (RFC 5322), mbox (RFC 4155) or maildir; texts as TSV
// ("spam|ham TAB text", or the text alone) or JSONL; calls and instant messages as SIP requests or JSONL. It is what scan, learn and eval read; bytes go to the parsers of
// package message as they are.
package corpus

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rempart/message"
	"rempart/message/email"
)

// MaxMessage is the most that is read of one message.
const MaxMessage = 64 << 20

// Item is one message of a file.
type Item struct {
	Path    string        // file it came from; "-" for standard input
	Number  int           // within the file, from 1; 0 if the file is one message
	Label   message.Label // if the file says it; 0 otherwise
	Message *message.Message
}

// Name tells the message from its neighbours: the path, and its number where the file holds several.
func (i Item) Name() string {
	if i.Number == 0 {
		return i.Path
	}
	return fmt.Sprintf("%s#%d", i.Path, i.Number)
}

// Each calls visit for every message under the paths, in order; a directory is walked in the order of names. "-" is
// standard input. What a file holds is told by its name (.tsv, .jsonl, .sip) or its first bytes.
func Each(paths []string, stdin io.Reader, visit func(Item) error) error {
	for _, path := range paths {
		if path == "-" {
			if err := read(path, stdin, visit); err != nil {
				return err
			}
			continue
		}
		if err := walk(path, visit); err != nil {
			return err
		}
	}
	return nil
}

func walk(root string, visit func(Item) error) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "tmp" && isMaildir(filepath.Dir(path)) {
				return filepath.SkipDir // what lies there is not delivered yet
			}
			return nil
		}
		if !d.Type().IsRegular() && d.Type()&fs.ModeSymlink == 0 || path != root && strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		return read(path, file, visit)
	})
}

func isMaildir(dir string) bool {
	for _, sub := range []string{"cur", "new"} {
		if s, err := os.Stat(filepath.Join(dir, sub)); err != nil || !s.IsDir() {
			return false
		}
	}
	return true
}

// read tells the kind of one file and reads it.
func read(path string, r io.Reader, visit func(Item) error) error {
	b := bufio.NewReaderSize(r, 1<<16)
	switch strings.ToLower(filepath.Ext(path)) {
	case ".tsv":
		return readLines(path, b, parseTSV, visit)
	case ".jsonl", ".ndjson":
		return readLines(path, b, parseJSON, visit)
	case ".sip":
		return readSIP(path, b, visit)
	}
	head, err := b.Peek(5)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	switch {
	case bytes.Equal(head, []byte("From ")):
		return readMbox(path, b, visit)
	case len(head) > 0 && head[0] == '{':
		return readLines(path, b, parseJSON, visit)
	case slices.Contains([]string{"spam\t", "ham\t"}, string(head[:min(len(head), 5)])) || bytes.HasPrefix(head, []byte("ham\t")):
		return readLines(path, b, parseTSV, visit)
	}
	raw, err := io.ReadAll(io.LimitReader(b, MaxMessage))
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return visit(Item{Path: path, Message: Mail(raw)})
}

// ReadMail reads a file that is one mail, whatever its first bytes.
func ReadMail(path string) (*message.Message, error) {
	raw, err := ReadRaw(path)
	if err != nil {
		return nil, err
	}
	return Mail(raw), nil
}

// ReadRaw reads the bytes of a file that is one mail.
func ReadRaw(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, MaxMessage))
}

// Mail is the message of a mail that was delivered to a file.
func Mail(raw []byte) *message.Message { return Delivered(email.ParseBytes(raw)) }

// Delivered completes a mail that was read from a file: it came in, when its last hop says, which is the mail store's own.
func Delivered(m *message.Message) *message.Message {
	m.Direction = message.In
	if len(m.Route) > 0 {
		m.Arrived = m.Route[0].At
	}
	return m
}

// readMbox splits at lines that begin with "From " after an empty line and takes back the quoting of such lines in text
// (mboxrd).
func readMbox(path string, r *bufio.Reader, visit func(Item) error) error {
	var raw []byte
	number, blank, started := 0, true, false
	flush := func() error {
		if !started {
			return nil
		}
		number++
		err := visit(Item{Path: path, Number: number, Message: Mail(raw)})
		raw = nil // the message keeps it
		return err
	}
	for {
		line, err := r.ReadSlice('\n')
		if blank && bytes.HasPrefix(line, []byte("From ")) {
			if err := flush(); err != nil {
				return err
			}
			started = true
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = r.ReadSlice('\n')
			}
		} else if started && len(raw)+len(line) <= MaxMessage {
			if quoted := bytes.TrimLeft(line, ">"); len(quoted) < len(line) && bytes.HasPrefix(quoted, []byte("From ")) {
				line = line[1:]
			}
			raw = append(raw, line...)
		}
		blank = len(bytes.TrimRight(line, "\r\n")) == 0
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
}
