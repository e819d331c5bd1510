// Package rspamd is the front door for mail servers and tools that speak rspamd's HTTP protocol: rspamc, Haraka and what
// else posts a mail to /checkv2.
//
// A client has one answer for all recipients of a mail; policy unites their decisions (message.OneAnswer). The score is on
// rspamd's scale, where 4 is greylist, 6 add header and 15 reject ([gateway.Scale]). Symbols are our signals, in upper case, and
// their scores add up to the score. In shadow and tap mode the answer is "no action", and the score is below what a client acts
// on.
//
// rspamd's clients scan at one port and teach at another; both kinds of request are served on every listener. Who may scan
// may not thereby teach. Its encryption, HTTPCrypt, is not spoken. All is safe for concurrent use.
package rspamd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"

	"rempart/gateway"
	"rempart/message"
)

// Rspamd is one front door.
type Rspamd struct {
	live    atomic.Pointer[settings]
	host    *gateway.Host
	learn   gateway.Learn
	stat    *stat
	handler http.Handler
}

// settings is a checked configuration.
type settings struct {
	Config
	relays   []netip.Prefix
	teachers gateway.Teachers
	password []byte // SHA-256; empty if there is none
}

// New checks cfg and makes the front door; it starts nothing.
func New(cfg Config, host *gateway.Host, learn gateway.Learn) (*Rspamd, error) {
	f := &Rspamd{host: host, learn: learn, stat: newStat()}
	if err := f.Reconfigure(cfg); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", f.ping)
	mux.HandleFunc("POST /checkv2", f.check((*reply).encode))
	mux.HandleFunc("POST /check", f.check((*reply).renderV1))
	mux.HandleFunc("POST /symbols", f.check((*reply).renderV1))
	mux.HandleFunc("POST /learnspam", f.forTeachers(f.learnAs(message.Spam)))
	mux.HandleFunc("POST /learnham", f.forTeachers(f.learnAs(message.Ham)))
	mux.HandleFunc("POST /fuzzyadd", f.forTeachers(f.fuzzyAdd))
	mux.HandleFunc("POST /fuzzydel", f.forTeachers(f.fuzzyDel))
	mux.HandleFunc("GET /stat", f.forTeachers(f.showStat))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		f.refuse(w, http.StatusNotFound, errors.New("invalid command"))
	})
	// A web page that a teacher looks at must not teach from the teacher's address.
	f.handler = f.guard(http.NewCrossOriginProtection().Handler(mux))
	return f, nil
}

// Reconfigure checks cfg and takes it over, from the next request on and without touching a connection. Name, listen and
// max_connections stay as they were.
func (f *Rspamd) Reconfigure(cfg Config) error {
	s, err := cfg.settle("gateway.rspamd")
	if err != nil {
		return err
	}
	f.live.Store(&s)
	return nil
}

func (f *Rspamd) cfg() *settings { return f.live.Load() }

// Run serves until ctx is done; requests in hand are answered.
func (f *Rspamd) Run(ctx context.Context, listeners []net.Listener) error {
	return f.host.ServeHTTP(ctx, &f.cfg().Door, listeners, f.handler)
}

// guard refuses what no route can read, and answers a handler's panic.
func (f *Rspamd) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Key") != "" {
			f.refuse(w, http.StatusBadRequest, errHTTPCrypt)
			return
		}
		f.stat.request()
		if !f.host.Guard(f.cfg().Name, func() { next.ServeHTTP(w, r) }) {
			answer(w, http.StatusServiceUnavailable, failure{Error: "the request could not be answered; try again later"})
		}
	})
}

var errHTTPCrypt = errors.New("encrypted requests (HTTPCrypt) are not read: take the key out of the client's settings, " +
	"and put the front door on a UNIX socket, on loopback or behind TLS")

// ping answers as rspamd does, to the byte.
func (f *Rspamd) ping(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte("pong\r\n"))
}

// failure is the body of an error.
type failure struct {
	Error  string `json:"error"`
	Domain string `json:"error_domain,omitempty"`
}

func (f *Rspamd) refuse(w http.ResponseWriter, status int, err error) {
	f.host.Metrics.Error(f.cfg().Name, "protocol")
	f.host.Log.Warn("request refused", "door", f.cfg().Name, "status", status, "error", err)
	answer(w, status, failure{err.Error(), "protocol-error"})
}

func answer(w http.ResponseWriter, status int, body any) { send(w, status, encoded(body)) }

func send(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that left
}

// encoded is body as JSON.
func encoded(body any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(body) // ours: it cannot fail
	return b.Bytes()
}
