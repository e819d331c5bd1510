package console

import (
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"golang.org/x/time/rate"
)

// contentPolicy allows what comes from this address and nothing else: no inline script or style, no frame around us.
const contentPolicy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// safe sets what every answer carries.
func (c *Console) safe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // a one-time link stands in a URL
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if isSecure(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// isSecure reports whether the browser speaks TLS, to us or to a proxy on this machine.
func isSecure(r *http.Request) bool {
	return r.TLS != nil || isLoopback(r.RemoteAddr) && r.Header.Get("X-Forwarded-Proto") == "https"
}

func isLoopback(remote string) bool {
	a, err := netip.ParseAddrPort(remote)
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// isForwarded reports whether a proxy speaks for somebody else.
func isForwarded(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// clientAddress is who asks: what a proxy on this machine says, or the other end of the connection.
func clientAddress(r *http.Request) string {
	if isLoopback(r.RemoteAddr) {
		list := strings.Split(r.Header.Get("X-Forwarded-For"), ",")
		if a, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
			return a.Unmap().String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Sessions end with a working day, or sooner when nobody works; those of who signed in to a mailbox when they have surely looked.
const (
	sessionLife = 12 * time.Hour
	sessionIdle = 4 * time.Hour
	mineLife    = 4 * time.Hour
	mineIdle    = time.Hour
	maxSessions = 10_000
)

// managers are two over one store: their cookies differ in what TLS allows.
type managers struct {
	store         *sessions
	plain, secure *scs.SessionManager
}

func newManagers(name string, life, idle time.Duration) managers {
	store := &sessions{held: map[string]held{}}
	make := func(name string, tls bool) *scs.SessionManager {
		m := scs.New()
		m.Store = store
		m.Lifetime, m.IdleTimeout = life, idle
		m.HashTokenInStore = true
		m.Cookie.Name, m.Cookie.Secure = name, tls
		m.Cookie.HttpOnly, m.Cookie.SameSite, m.Cookie.Path, m.Cookie.Persist = true, http.SameSiteLaxMode, "/", false
		return m
	}
	return managers{store, make(name, false), make("__Host-"+name, true)}
}

// sessions is scs's store in memory, bounded: beyond maxSessions the one that ends soonest goes.
type sessions struct {
	mu   sync.Mutex
	held map[string]held
}

type held struct {
	data []byte
	ends time.Time
}

// Find implements scs.Store.
func (s *sessions) Find(token string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.held[token]
	if !ok || !time.Now().Before(h.ends) {
		return nil, false, nil
	}
	return h.data, true, nil
}

// Commit implements scs.Store.
func (s *sessions) Commit(token string, data []byte, ends time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.held[token]; !ok && len(s.held) >= maxSessions {
		s.evict()
	}
	s.held[token] = held{bytes.Clone(data), ends}
	return nil
}

// evict drops the session that ends soonest, and all that have ended. The caller holds mu.
func (s *sessions) evict() {
	now := time.Now()
	soonest := ""
	for token, h := range s.held {
		if now.After(h.ends) {
			delete(s.held, token)
		} else if soonest == "" || h.ends.Before(s.held[soonest].ends) {
			soonest = token
		}
	}
	if len(s.held) >= maxSessions {
		delete(s.held, soonest)
	}
}

// Delete implements scs.Store.
func (s *sessions) Delete(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, token)
	return nil
}

// end drops the sessions whose values a test recognises.
func (s *sessions) end(is func(values map[string]any) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, h := range s.held {
		if _, values, err := (scs.GobCodec{}).Decode(h.data); err == nil && is(values) {
			delete(s.held, token)
		}
	}
}

// throttle bounds attempts to log in, by client: a burst, then one every ten seconds.
type throttle struct {
	mu      sync.Mutex
	clients map[string]*rate.Limiter
}

const (
	attempts     = 8
	attemptEvery = 10 * time.Second
	maxClients   = 20_000
)

func newThrottle() *throttle { return &throttle{clients: map[string]*rate.Limiter{}} }

// allow counts one attempt of a client; an IPv6 client is its /64, which is what one household has.
func (t *throttle) allow(client string, now time.Time) bool {
	if a, err := netip.ParseAddr(client); err == nil && a.Is6() {
		p, _ := a.WithZone("").Prefix(64)
		client = p.String()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.clients[client]
	if l == nil {
		if len(t.clients) >= maxClients {
			clear(t.clients) // forgetting costs a burst for each; remembering all would cost the memory
		}
		l = rate.NewLimiter(rate.Every(attemptEvery), attempts)
		t.clients[client] = l
	}
	return l.AllowN(now, 1)
}
