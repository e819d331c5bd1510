package openid

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"
)

const (
	redirect = "https://mail.example/mine/oidc/callback"
	keyID    = "k1"
)

// issuer is a small provider that signs real tokens; a test says what is wrong with them.
type issuer struct {
	*httptest.Server
	key       *rsa.PrivateKey
	asked     atomic.Int64 // for its addresses
	challenge string       // of PKCE
	secret    string
	token     func(claims map[string]any) string
	claims    map[string]any                   // of the ID token
	info      map[string]any                   // of the userinfo endpoint; nil: there is none
	metadata  map[string]any                   // over what it says of itself
	userinfo  atomic.Pointer[http.HandlerFunc] // instead of info; a handler that hangs up may still run
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &issuer{key: key, metadata: map[string]any{}}
	s.token = func(claims map[string]any) string { return s.sign(s.key, oidc.RS256, claims) }
	keys := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: keyID, Algorithm: oidc.RS256}}}
	mux := http.NewServeMux()
	mux.Handle("/keys", keys)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		m := map[string]any{"issuer": s.URL, "authorization_endpoint": s.URL + "/auth", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256", "none", "HS256"}}
		if s.info != nil {
			m["userinfo_endpoint"] = s.URL + "/userinfo"
		}
		maps.Copy(m, s.metadata)
		answer(w, m)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		user, secret, basic := r.BasicAuth()
		if !basic {
			user, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
		}
		if user != "rempart" || secret != s.secret || r.PostFormValue("redirect_uri") != redirect || r.PostFormValue("code") != "code" ||
			base64.RawURLEncoding.EncodeToString(sum[:]) != s.challenge {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]any{"error": "invalid_grant"})
			return
		}
		m := map[string]any{"access_token": "access", "token_type": "Bearer"}
		if token := s.token(s.claims); token != "" {
			m["id_token"] = token
		}
		answer(w, m)
	})
	mux.HandleFunc("/userinfo", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if instead := s.userinfo.Load(); instead != nil {
			(*instead)(w, r)
			return
		}
		answer(w, s.info)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (s *issuer) sign(key any, alg string, claims map[string]any) string {
	b, _ := json.Marshal(claims)
	return oidctest.SignIDToken(key, keyID, alg, string(b))
}

// signIn goes the whole way with what change makes of the token's claims and of the query that comes back.
func (s *issuer) signIn(t *testing.T, c Config, claim string, change func(claims map[string]any, query url.Values)) (string, error) {
	t.Helper()
	c.Issuer, c.ClientID = s.URL, "rempart"
	p := New(c, time.Now)
	to, a, err := p.Begin(t.Context(), redirect, "/")
	if err != nil {
		return "", err
	}
	u, _ := url.Parse(to)
	q := u.Query()
	if q.Get("redirect_uri") != redirect || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || !strings.Contains(q.Get("scope"), "openid") {
		t.Fatalf("the browser is sent to %s", to)
	}
	s.challenge = q.Get("code_challenge")
	hash := sha256.Sum256([]byte("access"))
	s.claims = map[string]any{"iss": s.URL, "aud": "rempart", "sub": "u1", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
		"nonce": q.Get("nonce"), "at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]), "email": "ben@b.example", "email_verified": true}
	back := url.Values{"code": {"code"}, "state": {q.Get("state")}}
	if change != nil {
		change(s.claims, back)
	}
	kept, err := ParseAttempt(a.Cookie())
	if err != nil || kept != a {
		t.Fatalf("kept %+v, %v", kept, err)
	}
	return p.Finish(t.Context(), redirect, kept, back, claim)
}

// A token counts only if the provider made it, for us, now, and for this sign-in.
func TestTokens(t *testing.T) {
	s := newIssuer(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	none := func(claims map[string]any) string {
		b, _ := json.Marshal(claims)
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(b) + "."
	}
	set := func(name string, v any) func(map[string]any, url.Values) {
		return func(c map[string]any, _ url.Values) {
			if c[name] = v; v == nil {
				delete(c, name)
			}
		}
	}
	query := func(name, v string) func(map[string]any, url.Values) {
		return func(_ map[string]any, q url.Values) { q.Set(name, v) }
	}
	for _, tt := range []struct {
		name   string
		change func(map[string]any, url.Values)
		token  func(map[string]any) string
		want   error
	}{
		{"as it should be", nil, nil, nil},
		{"verified as a text", set("email_verified", "true"), nil, nil},
		{"for several, and made for us", func(c map[string]any, _ url.Values) { c["aud"], c["azp"] = []string{"rempart", "x"}, "rempart" }, nil, nil},
		{"its issuer comes back too", query("iss", s.URL), nil, nil},
		{"another state", query("state", "x"), nil, ErrAttempt},
		{"no state", query("state", ""), nil, ErrAttempt},
		{"another provider came back", query("iss", "https://evil.example"), nil, ErrToken},
		{"refused there", query("error", "access_denied"), nil, ErrRefused},
		{"another code", query("code", "stolen"), nil, ErrToken},
		{"another nonce", set("nonce", "x"), nil, ErrToken},
		{"no nonce", set("nonce", nil), nil, ErrToken},
		{"another issuer", set("iss", "https://evil.example"), nil, ErrToken},
		{"another audience", set("aud", "x"), nil, ErrToken},
		{"for several, and made for nobody", set("aud", []string{"rempart", "x"}), nil, ErrToken},
		{"made for another", set("azp", "x"), nil, ErrToken},
		{"expired", set("exp", time.Now().Add(-time.Minute).Unix()), nil, ErrToken},
		{"no expiry", set("exp", nil), nil, ErrToken},
		{"of another access token", set("at_hash", "x"), nil, ErrToken},
		{"not signed", nil, none, ErrToken},
		{"signed by another", nil, func(c map[string]any) string { return s.sign(other, oidc.RS256, c) }, ErrToken},
		{"signed with the public key as a secret", nil, func(c map[string]any) string { return s.sign(s.key.N.Bytes(), "HS256", c) }, ErrToken},
		{"no token", nil, func(map[string]any) string { return "" }, ErrToken},
		{"a token of nonsense", nil, func(map[string]any) string { return "a.b.c" }, ErrToken},
		{"not verified", set("email_verified", false), nil, ErrClaim},
		{"nothing said of it", set("email_verified", nil), nil, ErrClaim},
		{"no address", set("email", nil), nil, ErrClaim},
		{"a list of addresses", set("email", []string{"ben@b.example"}), nil, ErrClaim},
		{"a long address", set("email", strings.Repeat("x", 300)), nil, ErrClaim},
	} {
		s.token = tt.token
		if s.token == nil {
			s.token = func(c map[string]any) string { return s.sign(s.key, oidc.RS256, c) }
		}
		got, err := s.signIn(t, Config{}, "email", tt.change)
		if !errors.Is(err, tt.want) || (err == nil) != (got == "ben@b.example") {
			t.Errorf("%s: %q, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

// Some providers tell addresses only when they are asked about the person, and it must be that person.
func TestUserInfo(t *testing.T) {
	s := newIssuer(t)
	without := func(c map[string]any, _ url.Values) { delete(c, "email"); delete(c, "email_verified") }
	for _, tt := range []struct {
		info map[string]any
		want error
	}{
		{map[string]any{"sub": "u1", "email": "ben@b.example", "email_verified": true}, nil},
		{map[string]any{"sub": "u1", "email": "ben@b.example"}, ErrClaim},
		{map[string]any{"sub": "u2", "email": "ben@b.example", "email_verified": true}, ErrToken},
		{map[string]any{"email": "ben@b.example", "email_verified": true}, ErrToken},
	} {
		s.info = tt.info
		if got, err := s.signIn(t, Config{}, "email", without); !errors.Is(err, tt.want) || (err == nil) != (got == "ben@b.example") {
			t.Errorf("%v: %q %v", tt.info, got, err)
		}
	}
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   error
	}{
		{"refused", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, ErrToken},
		{"expired", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, ErrToken},
		{"nonsense", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, ErrToken},
		{"too long", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxAnswer+1)) }, ErrToken},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ErrAway},
	} {
		s.userinfo.Store(&tt.answer)
		if got, err := s.signIn(t, Config{}, "email", without); !errors.Is(err, tt.want) || got != "" {
			t.Errorf("%s: %q %v", tt.name, got, err)
		}
	}
	s.userinfo.Store(nil)
	s.info = map[string]any{"sub": "u1", "preferred_username": "ben"}
	if got, err := s.signIn(t, Config{}, "preferred_username", nil); got != "ben" || err != nil {
		t.Errorf("another claim: %q %v", got, err)
	}
}

func TestClientSecret(t *testing.T) {
	s := newIssuer(t)
	s.secret = "geheim & more"
	path := filepath.Join(t.TempDir(), "secret")
	if _, err := s.signIn(t, Config{}, "email", nil); !errors.Is(err, ErrToken) {
		t.Errorf("without a secret: %v", err)
	}
	if err := os.WriteFile(path, []byte(url.QueryEscape(s.secret)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.secret = url.QueryEscape(url.QueryEscape(s.secret)) // as RFC 6749 section 2.3.1 has it in the header
	if got, err := s.signIn(t, Config{ClientSecretFile: path}, "email", nil); got == "" || err != nil {
		t.Errorf("in the header: %v", err)
	}
	s.secret = url.QueryEscape("geheim & more")
	s.metadata["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	if got, err := s.signIn(t, Config{ClientSecretFile: path}, "email", nil); got == "" || err != nil {
		t.Errorf("in the form: %v", err)
	}
}

// A provider that is away is asked again after a while, once for all who wait; what leads off TLS, or is too long, is not followed.
func TestDiscovery(t *testing.T) {
	s := newIssuer(t)
	s.metadata["issuer"] = "https://else.example"
	at := time.Now()
	p := New(Config{Issuer: s.URL, ClientID: "rempart"}, func() time.Time { return at })
	for range 3 {
		if _, _, err := p.Begin(t.Context(), redirect, "/"); !errors.Is(err, ErrAway) {
			t.Fatalf("another issuer: %v", err)
		}
	}
	if s.asked.Load() != 1 {
		t.Errorf("asked %d times", s.asked.Load())
	}
	delete(s.metadata, "issuer")
	at = at.Add(askAgain)
	for range 3 {
		if _, _, err := p.Begin(t.Context(), redirect, "/"); err != nil {
			t.Fatal(err)
		}
	}
	if s.asked.Load() != 2 {
		t.Errorf("asked %d times", s.asked.Load())
	}
	for key, value := range map[string]any{"authorization_endpoint": "http://else.example/auth", "padding": strings.Repeat("x", maxAnswer)} {
		s.metadata = map[string]any{key: value}
		if _, _, err := New(Config{Issuer: s.URL, ClientID: "rempart"}, time.Now).Begin(t.Context(), redirect, "/"); !errors.Is(err, ErrAway) {
			t.Errorf("%s: %v", key, err)
		}
	}
	for _, key := range []string{"token_endpoint", "jwks_uri"} {
		s.metadata = map[string]any{key: "http://192.0.2.1/x"}
		if _, err := s.signIn(t, Config{}, "email", nil); err == nil || !strings.Contains(err.Error(), "is not https") {
			t.Errorf("%s: %v", key, err)
		}
	}
	s.Close()
	if _, _, err := New(Config{Issuer: s.URL, ClientID: "rempart"}, time.Now).Begin(t.Context(), redirect, "/"); !errors.Is(err, ErrAway) {
		t.Errorf("closed: %v", err)
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{}, ""},
		{Config{Issuer: "https://id.example/realms/main", ClientID: "x"}, ""},
		{Config{Issuer: "http://127.0.0.1:9000", ClientID: "x"}, ""},
		{Config{Issuer: "http://[::1]:9000", ClientID: "x"}, ""},
		{Config{Issuer: "http://id.example", ClientID: "x"}, "console.oidc.issuer = "},
		{Config{Issuer: "id.example", ClientID: "x"}, "console.oidc.issuer = "},
		{Config{Issuer: "https://id.example?x", ClientID: "x"}, "console.oidc.issuer = "},
		{Config{ClientID: "x"}, "console.oidc.issuer: "},
		{Config{Issuer: "https://id.example"}, "console.oidc.client_id: "},
		{Config{Issuer: "https://id.example", ClientID: "x", ClientSecretFile: "/nothing"}, "console.oidc.client_secret_file: "},
	} {
		if err := tt.c.Check(); (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.c, err)
		}
	}
}

// Whatever stands in the cookie, it is an attempt with all its parts or none.
func FuzzParseAttempt(f *testing.F) {
	f.Add((&Attempt{"s", "n", "v", "/"}).Cookie())
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"s":"x"}`)))
	f.Fuzz(func(t *testing.T, cookie string) {
		a, err := ParseAttempt(cookie)
		if err == nil && (a.State == "" || a.Nonce == "" || a.Verifier == "") || err != nil && a != (Attempt{}) {
			t.Fatalf("%+v %v", a, err)
		}
	})
}

// Whatever a provider says of a person, a value is a text that it vouches for.
func FuzzClaim(f *testing.F) {
	for _, s := range []string{`{"email":"a@b","email_verified":true}`, `{"email":1}`, `{"email":"a@b","email_verified":"false"}`, `[]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, said string) {
		var c claims
		if json.Unmarshal([]byte(said), &c) != nil {
			return
		}
		if v, err := c.value(claimEmail); err == nil && (v == "" || len(v) > maxClaim || !strings.Contains(string(c[claimVerified]), "true")) {
			t.Fatalf("%q of %s", v, said)
		}
	})
}
