package smtp

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

// reply is an answer of a server (RFC 5321 section 4.2): a code and at least one line of text, without line ends. The
// enhanced status (RFC 3463) is the text's first word. The zero reply is none.
type reply struct {
	code    int
	lines   []string
	fromHop bool // the next hop said it: it is no fault of how the client speaks
}

func say(code int, text string) reply { return reply{code: code, lines: []string{text}} }

// refusal is a reply with a text of policy's, on one line of ASCII.
func refusal(code int, status, text string) reply {
	words := strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, ascii(text)))
	line := status + " " + strings.Join(words, " ")
	return say(code, line[:min(len(line), maxText)])
}

// maxText is what a reply's line may have (section 4.5.3.1.5) without its code and its end.
const maxText = 512 - len("550 \r\n")

func (r reply) ok() bool { return r.code/100 == 2 }

func (r reply) none() bool { return r.code == 0 }

func (r reply) String() string { return fmt.Sprint(r.code, " ", strings.Join(r.lines, " / ")) }

// append writes the reply as the wire has it.
func (r reply) append(b []byte) []byte {
	for i, line := range r.lines {
		sep := byte('-')
		if i == len(r.lines)-1 {
			sep = ' '
		}
		b = append(b, byte('0'+r.code/100), byte('0'+r.code/10%10), byte('0'+r.code%10), sep)
		b = append(append(b, line...), '\r', '\n')
	}
	return b
}

// Bounds of what a next hop may answer.
const (
	maxReplyLines = 100
	hopBuffer     = 4096
)

var errReply = errors.New("smtp: the next hop's answer is none of SMTP's")

// readReply reads one reply, which may have several lines. r's buffer bounds a line.
func readReply(r *bufio.Reader) (reply, error) {
	var out reply
	for range maxReplyLines {
		b, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return reply{}, errReply
		case err != nil:
			return reply{}, err
		}
		line := strings.TrimRight(string(b), "\r\n")
		if len(line) < 3 || !digits(line[:3]) || line[0] < '2' || line[0] > '5' || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
			return reply{}, errReply
		}
		code := int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
		if out.code != 0 && out.code != code {
			return reply{}, errReply
		}
		out.code = code
		out.lines = append(out.lines, text(line[min(4, len(line)):]))
		if len(line) == 3 || line[3] == ' ' {
			return out, nil
		}
	}
	return reply{}, errReply
}

// text is a line that is fit to be passed on.
func text(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
