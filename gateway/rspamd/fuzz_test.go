package rspamd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever is sent: an answer of the protocol, a score that its symbols add up to, and no more of the mail than max_size.
func FuzzRequest(f *testing.F) {
	files, err := filepath.Glob("testdata/*.http")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("POST /symbols HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nRaw: yes\r\nRcpt: >,<@,\r\nDeliver-To: @\r\nFlags: ,\r\nShm: /x\r\n\r\nabcd"))
	r := newRig(f, "max_size = 65536\nteachers = ['192.0.2.1']", "")
	f.Fuzz(func(t *testing.T, b []byte) {
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		req.RemoteAddr = "192.0.2.1:1025"
		w := httptest.NewRecorder()
		r.door.handler.ServeHTTP(w, req)
		select {
		case m := <-r.asked:
			if len(m.Raw) > 65536+2 {
				t.Errorf("%d bytes were kept", len(m.Raw))
			}
		default:
		}
		if w.Code == http.StatusServiceUnavailable || w.Code < 200 || w.Code > 499 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w.Header().Get("Content-Type") != "application/json" {
			return // pong, or what the server itself refuses
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%s", w.Body)
		}
		if out := (answered{}); strings.HasPrefix(req.URL.Path, "/checkv2") && w.Code == http.StatusOK {
			if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
				t.Fatal(err)
			}
			addUp(t, &out)
		}
	})
}
