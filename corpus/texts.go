package corpus

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"rempart/message"
	"rempart/message/call"
	"rempart/message/im"
	"rempart/message/sms"
)

// maxLine bounds one line of a file of texts; a longer one is an error, since what follows would be read as another.
const maxLine = 1 << 20

// readLines reads one text a line; parse knows the kind of file.
func readLines(path string, r *bufio.Reader, parse func(line []byte) (message.Label, *message.Message, error), visit func(Item) error) error {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 0, 4096), maxLine)
	number := 0
	for scan.Scan() {
		number++
		line := bytes.TrimRight(scan.Bytes(), "\r")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		label, m, err := parse(line)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, number, err)
		}
		m.Direction = message.In
		if err := visit(Item{Path: path, Number: number, Label: label, Message: m}); err != nil {
			return err
		}
	}
	if err := scan.Err(); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s:%d: %w", path, number+1, err)
	}
	return nil
}

// parseTSV reads "spam TAB text", "ham TAB text", or a text alone.
func parseTSV(line []byte) (message.Label, *message.Message, error) {
	s := string(line)
	first, rest, ok := strings.Cut(s, "\t")
	if !ok {
		return 0, sms.New("", "", s), nil
	}
	var label message.Label
	if err := label.UnmarshalText([]byte(first)); err != nil {
		return 0, nil, errors.New("want \"spam\" or \"ham\", a tab, and the text")
	}
	return label, sms.New("", "", rest), nil
}

// parseJSON reads one object of [sms.ParseJSON], or as its "channel" says of [call.ParseJSON] or [im.ParseJSON]. It may
// also have a "label".
func parseJSON(line []byte) (message.Label, *message.Message, error) {
	var head struct {
		Label   message.Label   `json:"label"`
		Channel message.Channel `json:"channel"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return 0, nil, err
	}
	parse := sms.ParseJSON
	switch head.Channel {
	case message.Call:
		parse = call.ParseJSON
	case message.IM:
		parse = im.ParseJSON
	case message.Email:
		return 0, nil, errors.New("a mail is a file of its own, not a line")
	}
	m, err := parse(line)
	return head.Label, m, err
}
