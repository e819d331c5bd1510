// Package api is the front door for programs: JSON over HTTP, described by OpenAPI 3.1 at /openapi.json.
//
// A verdict is the object that rempart scan --json prints (catalogue.Verdict). Who may judge may not thereby teach: each
// token has its rights. Errors are problem documents (RFC 9457) whose detail says what to do. All is safe for concurrent
// use.
package api

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"rempart/gateway"
	"rempart/message"
)

// Lesson is what a user of the API teaches.
type Lesson struct {
	Label    message.Label
	Category message.Category
	Scope    message.Scope
	Teacher  string // the token's name
	Message  *message.Message
}

// Learn teaches and returns the message's probability before and after.
type Learn func(ctx context.Context, l Lesson) (before, after float64, err error)

// API is one HTTP front door.
type API struct {
	live    atomic.Pointer[Config]
	host    *gateway.Host
	learn   Learn
	called  Called
	handler http.Handler
}

// New checks cfg and makes the front door; it starts nothing.
func New(cfg Config, host *gateway.Host, learn Learn, called Called) (*API, error) {
	a := &API{host: host, learn: learn, called: called}
	if err := a.Reconfigure(cfg); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	a.routes(humago.New(mux, description()))
	a.handler = a.guard(mux)
	return a, nil
}

// Reconfigure checks cfg and takes it over, from the next request on and without touching a connection. Name, listen,
// max_connections and max_size stay as they were.
func (a *API) Reconfigure(cfg Config) error {
	if err := cfg.Check("gateway.api"); err != nil {
		return err
	}
	cfg = cfg.withDefaults()
	a.live.Store(&cfg)
	return nil
}

func (a *API) cfg() *Config { return a.live.Load() }

// description is the OpenAPI document's frame. No page is served beside it: the usual ones load scripts from elsewhere.
func description() huma.Config {
	c := huma.DefaultConfig("Rempart", "1")
	c.Info.Description = "Judge messages, tell how calls ended, and teach. A verdict's score is in natural log-odds; its signals' weights add up to it."
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "a token of [[gateway.api.token]]"},
	}
	return c
}

// Run serves until ctx is done; requests in hand are answered.
func (a *API) Run(ctx context.Context, listeners []net.Listener) error {
	return a.host.ServeHTTP(ctx, &a.cfg().Door, listeners, a.handler)
}

// guard answers a handler's panic as any other missing judgement.
func (a *API) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.host.Guard(a.cfg().Name, func() { next.ServeHTTP(w, r) }) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"title":"Service Unavailable","status":503,"detail":"the message could not be judged; try again later"}`)
		}
	})
}

// retryAfter is seconds: an overload is mostly over by then.
const retryAfter = "10"
