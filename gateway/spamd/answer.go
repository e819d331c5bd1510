package spamd

import (
	"fmt"
	"io"
	"net"
)

// write sends an answer; what it is made of is not copied.
func write(out io.Writer, head string, rest ...[]byte) error {
	all := append(net.Buffers{[]byte(head)}, rest...)
	_, err := all.WriteTo(out)
	return err
}

func writeRefusal(out io.Writer, r *refusal) {
	_ = write(out, fmt.Sprintf("SPAMD/1.0 %d %s: %s\r\n", r.status, statusWords[r.status], r.text)) // a client that left
}

// writeVerdict answers CHECK, SYMBOLS, REPORT and REPORT_IFSPAM. The order of the fields is spamd's: Exim reads no other.
func writeVerdict(out io.Writer, r *request, spam, body string) error {
	length := ""
	if r.version >= version13 && r.command != "CHECK" {
		length = fmt.Sprintf("Content-length: %d\r\n", len(body))
	}
	return write(out, "SPAMD/1.1 0 EX_OK\r\n"+length+spam+"\r\n\r\n"+body)
}

// writeMail answers HEADERS and PROCESS.
func writeMail(out io.Writer, r *request, spam string, parts [][]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	head := fmt.Sprintf("SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\n", n)
	switch {
	case r.version >= version13:
		head += spam + "\r\n\r\n"
	case r.version >= version12:
		head += "\r\n"
	default:
		head = "SPAMD/1.0 0 EX_OK\r\n"
	}
	return write(out, head, parts...)
}
