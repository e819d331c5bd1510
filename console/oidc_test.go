package console

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"rempart/account"
	"rempart/console/openid"
)

// provider is a small one that signs real tokens: for whom and with which nonce a test says.
type provider struct {
	oidctest.Server
	key          *rsa.PrivateKey
	email, nonce string
}

// ServeHTTP answers for the token, and leaves the rest to the server.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/token" {
		p.Server.ServeHTTP(w, r)
		return
	}
	claims, _ := json.Marshal(map[string]any{"iss": "http://" + r.Host, "aud": "rempart", "sub": "u1", "exp": time.Now().Add(time.Minute).Unix(),
		"nonce": p.nonce, "email": p.email, "email_verified": true})
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "access", "token_type": "Bearer",
		"id_token": oidctest.SignIDToken(p.key, "k1", oidc.RS256, string(claims))})
}

// startProvider gives the stand a provider that answers.
func (s *stand) startProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key}
	p.PublicKeys = []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k1", Algorithm: oidc.RS256}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.SetIssuer(server.URL)
	s.Provider = openid.New(openid.Config{Issuer: server.URL, ClientID: "rempart", AccountClaim: "email"}, time.Now)
	return p
}

// begin goes to the provider as far as its address and returns what that has.
func (v *visitor) begin(path string) url.Values {
	v.t.Helper()
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { v.client.CheckRedirect = nil }()
	r, err := v.client.Get(v.url + path)
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	to, err := r.Location()
	if err != nil {
		v.t.Fatalf("%s: %d", path, r.StatusCode)
	}
	return to.Query()
}

// Whom the provider vouches for is signed in, as an account without a password or to a mailbox, and sees where they were going.
func TestSignInByOIDC(t *testing.T) {
	s := newStand(t)
	s.admin(t)
	p := s.startProvider(t)
	if _, err := s.book.Invite(t.Context(), account.System, "vera@b.example", account.Viewer, now); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path, email string
		status      int
		want        string
	}{
		{"/login/oidc?next=/volumes", "vera@b.example", http.StatusOK, "vera@b.example"},
		{"/login/oidc", "eve@b.example", http.StatusForbidden, "You have no account here"},
		{"/mine/oidc", "ben@b.example", http.StatusOK, "/mine/" + mineID},
	} {
		v := s.visitor(t)
		to := v.begin(tt.path)
		p.email, p.nonce = tt.email, to.Get("nonce")
		path, _, _ := strings.Cut(tt.path, "?")
		status, body := v.get(path + callback + "?" + url.Values{"state": {to.Get("state")}, "code": {"c"}}.Encode())
		if status != tt.status || !strings.Contains(body, tt.want) || strings.Contains(body, "no password") {
			t.Errorf("%s as %s: %d\n%s", tt.path, tt.email, status, body)
		}
		if status, _ := v.get(path + callback + "?" + url.Values{"state": {to.Get("state")}, "code": {"c"}}.Encode()); status != http.StatusBadRequest {
			t.Errorf("%s: the attempt is used again: %d", tt.path, status)
		}
	}
	trail := s.book.Latest(0, 10)
	for _, want := range []account.Entry{{What: "account.login", Object: "vera@b.example", Who: "vera@b.example"}, {What: "mine.signed_in", Object: "b**@b.example", Who: recipientName}} {
		if !slices.ContainsFunc(trail, func(e account.Entry) bool { return e.What == want.What && e.Object == want.Object && e.Who == want.Who }) {
			t.Errorf("the audit trail lacks %+v", want)
		}
	}
}

// What a foreign page can have a browser ask for shuts nobody out; what makes us ask the provider is counted.
func TestOIDCThrottle(t *testing.T) {
	s := newStand(t)
	s.startProvider(t)
	v := s.visitor(t)
	for _, path := range []string{"/login/oidc", "/mine/oidc"} {
		for range 2 * attempts {
			v.begin(path)
			if status, _ := s.visitor(t).get(path + callback + "?state=x&code=c"); status != http.StatusBadRequest {
				t.Fatalf("%s: %d", path, status)
			}
		}
	}
	if status, _ := v.post("/login", url.Values{"name": {"x"}, "password": {"y"}}); status != http.StatusUnauthorized {
		t.Errorf("the login: %d", status)
	}
	if status, _ := v.post("/mine/in", url.Values{"address": {"eve@else.example"}}); status != http.StatusOK {
		t.Errorf("the form of the mailboxes: %d", status)
	}
	last := 0
	for range attempts + 1 {
		to := v.begin("/login/oidc")
		last, _ = v.get("/login/oidc/callback?code=c&state=" + to.Get("state"))
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the provider is asked without end: %d", last)
	}
}

// Wherever somebody was going, a browser keeps the attempt.
func TestOIDCCookieIsBounded(t *testing.T) {
	s := newStand(t)
	s.startProvider(t)
	u, _ := url.Parse(s.url)
	for next, kept := range map[string]bool{"/messages?q=x": true, "/messages?" + strings.Repeat("&", 980): false, "/messages?q=" + strings.Repeat("x", 5000): false} {
		v := s.visitor(t)
		v.begin("/login/oidc?" + url.Values{"next": {next}}.Encode())
		cookies := v.client.Jar.Cookies(u)
		i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == "rempart-oidc" })
		if i < 0 || len(cookies[i].String()) > 4000 {
			t.Errorf("%.40s: cookie %d of %d", next, i, len(cookies))
			continue
		}
		if a, err := openid.ParseAttempt(cookies[i].Value); err != nil || (a.Next == next) != kept {
			t.Errorf("%.40s: %+v, %v", next, a, err)
		}
	}
}

// What an OpenID provider leads back with counts only in the browser that went there; while it is away the page says so. node tests the
// whole way with a real one.
func TestOIDC(t *testing.T) {
	s := newStand(t)
	v := s.visitor(t)
	for page, link := range map[string]string{"/login": `href="/login/oidc"`, "/messages?q=x": `href="/login/oidc?next=%2Fmessages%3Fq%3Dx"`, "/mine": `href="/mine/oidc"`} {
		if _, body := v.get(page); !strings.Contains(body, link) {
			t.Errorf("%s has no %s", page, link)
		}
	}
	u, _ := url.Parse(s.url)
	planted := func(value string) {
		v.client.Jar, _ = cookiejar.New(nil)
		v.client.Jar.SetCookies(u, []*http.Cookie{{Name: "rempart-oidc", Value: value, Path: "/"}})
	}
	attempt := openid.Attempt{State: "s", Nonce: "n", Verifier: "v", Next: "/health"}
	for _, tt := range []struct {
		name, path, cookie string
		want               int
	}{
		{"away", "/mine/oidc", "", http.StatusBadGateway},
		{"away", "/login/oidc?next=/health", "", http.StatusBadGateway},
		{"no cookie", "/mine/oidc/callback?state=s&code=c", "", http.StatusBadRequest},
		{"no cookie", "/login/oidc/callback?state=&code=c", "", http.StatusBadRequest},
		{"nonsense in it", "/mine/oidc/callback?state=s&code=c", "x", http.StatusBadRequest},
		{"another state", "/mine/oidc/callback?state=x&code=c", attempt.Cookie(), http.StatusBadRequest},
		{"another state", "/login/oidc/callback?code=c", attempt.Cookie(), http.StatusBadRequest},
		{"refused", "/mine/oidc/callback?state=s&error=access_denied", attempt.Cookie(), http.StatusForbidden},
		{"the token cannot be fetched", "/mine/oidc/callback?state=s&code=c", attempt.Cookie(), http.StatusBadGateway},
	} {
		planted(tt.cookie)
		status, body := v.get(tt.path)
		if status != tt.want {
			t.Errorf("%s, %s: %d, want %d", tt.name, tt.path, status, tt.want)
		}
		checkPage(t, tt.path, body)
		if tt.cookie != "" && len(v.client.Jar.Cookies(u)) > 0 && v.client.Jar.Cookies(u)[0].Name == "rempart-oidc" {
			t.Errorf("%s: the attempt can be used again", tt.name)
		}
	}
	s.Provider = nil
	for _, path := range []string{"/mine/oidc", "/mine/oidc/callback", "/login/oidc", "/login/oidc/callback"} {
		if status, _ := v.get(path); status != http.StatusNotFound {
			t.Errorf("without a provider %s: %d", path, status)
		}
	}
	if _, body := s.as(t, account.Viewer).get("/"); !strings.Contains(body, "no password") { // as TestSignInByOIDC lets nobody be told
		t.Error("who came by a link is not asked for a password")
	}
}
