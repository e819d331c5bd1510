package spamd

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rempart/gateway"
)

func deflated(t testing.TB, b []byte) string {
	t.Helper()
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	if _, err := z.Write(b); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return out.String()
}

// random is bytes that no one compresses, always the same.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// A bomb is decompressed up to max_size and no further, and judged on what was read; what is no zlib is no mail.
func TestCompressed(t *testing.T) {
	r := newRig(t, "max_size = 65536", "")
	whole := deflated(t, []byte(mail))
	for _, tt := range []struct {
		name, sent, want string
		raw              int
	}{
		{"whole", whole, "SPAMD/1.1 0 EX_OK", len(mail)},
		{"a bomb", deflated(t, append([]byte(mail), make([]byte, 200<<20)...)), "SPAMD/1.1 0 EX_OK", 65536},
		{"cut", whole[:len(whole)-6], "SPAMD/1.0 65 Data Error: (zlib: unexpected EOF)", 0},
		{"damaged", whole[:20] + "\xff\xff" + whole[22:], "SPAMD/1.0 65 Data Error: (zlib: ", 0},
		{"none", mail, "SPAMD/1.0 65 Data Error: (zlib: ", 0},
		{"empty", "", "SPAMD/1.0 65 Data Error: (zlib: ", 0},
	} {
		head, _ := r.ask("CHECK", tt.sent, "Compress: zlib")
		if !strings.HasPrefix(head, tt.want) {
			t.Errorf("%s: %q", tt.name, head)
		}
		if tt.raw > 0 {
			if m := <-r.asked; len(m.Raw) != tt.raw {
				t.Errorf("%s: %d bytes", tt.name, len(m.Raw))
			}
		}
	}
}

// What breaks the protocol is answered, also where the client sends on: it reads why.
func TestProtocol(t *testing.T) {
	r := newRig(t, "", "")
	for _, tt := range []struct{ name, sent, want string }{
		{"nothing", "", ""},
		{"a long line", "CHECK SPAMC/1.5\r\nUser: " + strings.Repeat("x", 1<<20), "SPAMD/1.0 76 Bad header line: (line longer than 8192 bytes)\r\n"},
		{"no line end", "CHECK SPAMC/1.5", "SPAMD/1.0 76 Bad header line: (EOF within a line)\r\n"},
		{"many fields", "CHECK SPAMC/1.5\r\n" + strings.Repeat("a: b\r\n", 100_000), "SPAMD/1.0 76 Bad header line: (too many headers)\r\n"},
		{"HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SPAMD/1.0 76 Bad header line: GET / HTTP/1.1\r\n"},
		{"no version", "CHECK SPAMC/x\r\n\r\n" + mail, "SPAMD/1.0 76 Bad header line: CHECK SPAMC/x\r\n"},
		{"control characters", "\x00\x1b[2J\x80\r\n", "SPAMD/1.0 76 Bad header line: ‹U+0000›‹U+001B›[2J\ufffd\r\n"},
		{"length too small", "CHECK SPAMC/1.5\r\nContent-length: 5\r\n\r\n" + mail, fmt.Sprintf("SPAMD/1.0 76 Bad header line: (Content-Length mismatch: Expected 5 bytes, got %d bytes)\r\n", len(mail))},
		{"more behind a line", fmt.Sprintf("CHECK SPAMC/1.5\r\nContent-length: %d\r\n\r\n%s\r\n", len(mail), mail), "SPAMD/1.1 0 EX_OK\r\nSpam: False ; "},
		{"length beyond all", "CHECK SPAMC/1.5\r\nContent-length: 4611686018427387903\r\n\r\n" + mail, "SPAMD/1.0 76 Bad header line: (Content-Length mismatch: Expected 4611686018427387903 bytes, got"},
		{"length beyond numbers", "CHECK SPAMC/1.5\r\nContent-length: 99999999999999999999\r\n\r\n" + mail, "SPAMD/1.0 76 Bad header line: (Content-Length contains non-numeric bytes)\r\n"},
		{"NUL in the user", "CHECK SPAMC/1.5\r\nUser: a\x00b\r\n\r\n" + mail, "SPAMD/1.0 76 Bad header line: (User header contains control chars)\r\n"},
		{"LF alone", fmt.Sprintf("CHECK SPAMC/1.5\nContent-length: %d\n\n%s", len(mail), mail), "SPAMD/1.1 0 EX_OK\r\nSpam: False ; "},
		{"a version to come", fmt.Sprintf("CHECK SPAMC/2.0\r\nContent-length: %d\r\n\r\n%s", len(mail), mail), "SPAMD/1.1 0 EX_OK\r\nSpam: False ; "},
	} {
		if got := r.send(tt.sent); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

// Who sends one byte a second is cut off after two minutes, who sends nothing after ten seconds, and who does not read the
// answer in the end, too.
func TestSlow(t *testing.T) {
	for _, tt := range []struct {
		name, at string
		slow     string
		want     string
		within   time.Duration
	}{
		{"silent", "", "", "", 11 * time.Second},
		{"the command", "C", "HECK SPAMC/1.5\r\n" + strings.Repeat("a: b\r\n", 99), "SPAMD/1.0 79 Timeout: (the request did not come in time)\r\n", gateway.BodyTimeout + 5*time.Second},
		{"the mail", "CHECK SPAMC/1.5\r\nContent-length: 1000\r\n\r\n", strings.Repeat("x", 999), "SPAMD/1.0 79 Timeout: (the mail did not come in time)\r\n", gateway.BodyTimeout + 5*time.Second},
		{"zlib", "CHECK SPAMC/1.5\r\nCompress: zlib\r\nContent-length: 1000\r\n\r\n", deflated(t, random(1000)), "SPAMD/1.0 79 Timeout: (the mail did not come in time)\r\n", gateway.BodyTimeout + 5*time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, "", "")
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				began := time.Now()
				go func() {
					r.door.serve(t.Context(), ours)
					_ = ours.Close()
				}()
				go func() {
					if tt.at == "" {
						return
					}
					_, _ = io.WriteString(theirs, tt.at)
					for i := range tt.slow {
						time.Sleep(time.Second)
						if _, err := theirs.Write([]byte{tt.slow[i]}); err != nil {
							return
						}
					}
				}()
				got, _ := io.ReadAll(theirs)
				if took := time.Since(began); string(got) != tt.want || took > tt.within {
					t.Errorf("%q after %v", got, took)
				}
				_ = theirs.Close()
				time.Sleep(time.Second) // of the bubble: the sender sees it
			})
		})
	}
	r := newRig(t, "", "")
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		began := time.Now()
		go func() { _, _ = io.WriteString(theirs, "PING SPAMC/1.5\r\n\r\n") }()
		r.door.serve(t.Context(), ours)
		if took := time.Since(began); took > 3*gateway.BodyTimeout {
			t.Errorf("a client that reads nothing was held for %v", took)
		}
		_, _ = ours.Close(), theirs.Close()
	})
}
