package console

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"rempart/account"
	"rempart/console/openid"
)

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
	if _, body := s.as(t, account.Viewer).get("/"); !strings.Contains(body, "no password") {
		t.Error("who came by a link is not asked for a password")
	}
}
