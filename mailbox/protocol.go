package mailbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// query asks one key over a connection. A refusal is an error of the key's, errKey.
type query func(w io.Writer, r *bufio.Reader, key string) (value string, ok bool, err error)

// errKey: the server answered that it cannot say. The connection is good.
var errKey = errors.New("the table could not answer")

// maxSocketmap is what Postfix takes of a reply (socketmap_table(5)).
const maxSocketmap = 100_000

// socketmap asks by Postfix's protocol socketmap_table(5): a netstring "name key", answered by a netstring "OK value", "NOTFOUND ",
// or a failure.
func socketmap(name string) query {
	return func(w io.Writer, r *bufio.Reader, key string) (string, bool, error) {
		request := name + " " + key
		if _, err := fmt.Fprintf(w, "%d:%s,", len(request), request); err != nil {
			return "", false, err
		}
		reply, err := readNetstring(r)
		if err != nil {
			return "", false, err
		}
		status, value, _ := strings.Cut(reply, " ")
		switch status {
		case "OK":
			return value, true, nil
		case "NOTFOUND":
			return "", false, nil
		case "TEMP", "TIMEOUT", "PERM":
			return "", false, errKey
		}
		return "", false, fmt.Errorf("socketmap: unknown reply %.40q", reply)
	}
}

func readNetstring(r *bufio.Reader) (string, error) {
	n := 0
	for digits := 0; ; digits++ {
		b, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		if b == ':' && digits > 0 {
			break
		}
		if b < '0' || b > '9' || digits == 6 {
			return "", errors.New("socketmap: the reply is no netstring")
		}
		n = 10*n + int(b-'0')
	}
	if n > maxSocketmap {
		return "", fmt.Errorf("socketmap: a reply of %d bytes", n)
	}
	reply := make([]byte, n+1)
	if _, err := io.ReadFull(r, reply); err != nil {
		return "", err
	}
	if reply[n] != ',' {
		return "", errors.New("socketmap: the reply is no netstring")
	}
	return string(reply[:n]), nil
}

// maxTCPTable is the longest line of the protocol (tcp_table(5)).
const maxTCPTable = 4096

// tcpTable asks by Postfix's protocol tcp_table(5): "get key", answered by "200 value", "500 text" (no entry) or "400 text".
func tcpTable(w io.Writer, r *bufio.Reader, key string) (string, bool, error) {
	request := "get " + percentEncode(key) + "\n"
	if len(request) > maxTCPTable {
		return "", false, nil // no entry can be so long
	}
	if _, err := io.WriteString(w, request); err != nil {
		return "", false, err
	}
	var line []byte
	for len(line) == 0 || line[len(line)-1] != '\n' {
		b, err := r.ReadByte()
		if err != nil {
			return "", false, err
		}
		if line = append(line, b); len(line) > maxTCPTable {
			return "", false, errors.New("tcp table: the reply does not end")
		}
	}
	status, value, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
	switch status {
	case "200":
		value, err := percentDecode(value)
		return value, err == nil, err
	case "500":
		return "", false, nil
	case "400":
		return "", false, errKey
	}
	return "", false, fmt.Errorf("tcp table: unknown reply %.40q", line)
}

// percentEncode writes what is no printable letter of ASCII, and the percent sign, as %XX.
func percentEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func percentDecode(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+3 > len(s) {
			return "", errors.New("tcp table: a value ends within %XX")
		}
		c, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", errors.New("tcp table: a value has a wrong %XX")
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), nil
}
