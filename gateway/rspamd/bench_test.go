package rspamd

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

// One mail over HTTP on a connection that stays, filter and policy included.
func BenchmarkCheck(b *testing.B) {
	r := newRig(b, "", "")
	body := []byte(scam)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		resp, err := http.Post("http://"+r.addr+"/checkv2", "text/plain", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}
