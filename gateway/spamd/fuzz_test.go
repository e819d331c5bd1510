package spamd

import (
	"bufio"
	"bytes"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rempart/message/email"
)

// Whatever is sent: an answer of the protocol whose length is right, and no more of the mail than max_size.
func FuzzRequest(f *testing.F) {
	files, err := filepath.Glob("testdata/*.request")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		f.Add([]byte(read(f, filepath.Base(name))))
	}
	f.Add([]byte("HEADERS SPAMC/1.3\r\nUser: >@,\r\n\r\nX-Envelope-To: ,@\nReceived:\n\n"))
	f.Add([]byte("PROCESS SPAMC/1.5\nCompress: ZLIB\nContent-Length: 3\n\nx\x9c\x00"))
	r := newRig(f, "max_size = 65536\nteachers = ['192.0.2.1']", "")
	status := regexp.MustCompile(`^SPAMD/1\.[015] (0|65|69|70|74|75|76|79) `)
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		r.door.exchange(t.Context(), bufio.NewReaderSize(bytes.NewReader(b), maxLine), &out, netip.MustParseAddr("192.0.2.1"))
		select {
		case m := <-r.asked:
			if len(m.Raw) > 65536 {
				t.Errorf("%d bytes were kept", len(m.Raw))
			}
		default:
		}
		if out.Len() > 0 && !status.Match(out.Bytes()) || bytes.HasPrefix(out.Bytes(), []byte("SPAMD/1.0 70 ")) {
			t.Fatalf("%q", out.Bytes())
		}
		head, body, _ := strings.Cut(out.String(), "\r\n\r\n")
		for line := range strings.SplitSeq(head, "\r\n") {
			if length, ok := strings.CutPrefix(line, "Content-length: "); ok && length != strconv.Itoa(len(body)) {
				t.Errorf("%q with a body of %d", head, len(body))
			}
		}
	})
}

// A mail taken apart and put together again is the very mail.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("From x\nA: b\r\n c\n\r\nbody"))
	f.Add([]byte(scam))
	f.Add([]byte(" fold first\nX-Spam-A\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		top, header, rest, _ := email.Split(b)
		if got := bytes.Join([][]byte{top, bytes.Join(header, nil), rest}, nil); !bytes.Equal(got, b) {
			t.Errorf("%q became %q", b, got)
		}
	})
}
