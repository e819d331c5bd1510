package console

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"sync"
	"time"

	"rempart/chart"
	"rempart/third_party/htmx"
)

//go:embed static/rempart.css
var styleSheet []byte

//go:embed static/icon.svg
var icon []byte

// staticFiles is all that pages load.
var staticFiles = []struct {
	name, mediaType string
	content         []byte
}{
	{"rempart.css", "text/css; charset=utf-8", append(styleSheet, chart.CSS...)},
	{"htmx.js", "text/javascript; charset=utf-8", htmx.Script},
	{"icon.svg", "image/svg+xml", icon},
}

// versions are digests of the files, for their URLs: a new build is never shown in an old build's style.
var versions = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for _, f := range staticFiles {
		h := sha256.Sum256(f.content)
		out[f.name] = hex.EncodeToString(h[:6])
	}
	return out
})

func staticPath(name string) string { return "/static/" + name + "?v=" + versions()[name] }

func (c *Console) static(w http.ResponseWriter, r *http.Request) error {
	for _, f := range staticFiles {
		if f.name != r.PathValue("name") {
			continue
		}
		w.Header().Set("Content-Type", f.mediaType)
		if r.URL.Query().Get("v") == versions()[f.name] {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.content))
		return nil
	}
	return errNoPage
}

// metrics answers clients on this machine only: the figures tell a stranger what passes.
func (c *Console) metrics(w http.ResponseWriter, r *http.Request) error {
	if c.Metrics == nil || !isLoopback(r.RemoteAddr) || isForwarded(r) {
		return errNoPage
	}
	c.Metrics.ServeHTTP(w, r)
	return nil
}
