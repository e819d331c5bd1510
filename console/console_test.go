package console

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart/account"
	"rempart/message"
	"rempart/policy"
)

// Every route asks for its right: without a login it leads there, and each role gets exactly what the table says.
func TestEveryRouteAsksForItsRight(t *testing.T) {
	s := newStand(t)
	visitors := map[account.Role]*visitor{0: s.visitor(t)}
	for _, r := range account.Roles {
		visitors[r.Role] = s.as(t, r.Role)
	}
	for _, r := range s.routes() {
		if r.right == open || r.right == mine { // an owner's: TestNoAccountIsAnOwner
			continue
		}
		path := strings.NewReplacer("{$}", "", "{id}", hostileID, "{name}", "some.viewer", "{change}", "nothing", "{part}", "hosts").Replace(r.path)
		paths := []string{path}
		if r.table {
			paths = append(paths, path+".csv", path+".json")
		}
		for _, path := range paths {
			for role, v := range visitors {
				req, err := http.NewRequest(r.method, s.url+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				status, _ := v.read(v.client.Do(req))
				switch {
				case role == 0 && status != http.StatusSeeOther:
					t.Errorf("%s %s without login: %d", r.method, path, status)
				case role != 0 && role.May(r.right) == (status == http.StatusForbidden):
					t.Errorf("%s %s as %s: %d", r.method, path, role, status)
				}
			}
		}
	}
}

func TestLoginAndLogout(t *testing.T) {
	s := newStand(t)
	s.admin(t)
	v := s.visitor(t)
	if _, body := v.get("/messages?q=x"); !strings.Contains(body, `value="/messages?q=x"`) {
		t.Error("the login does not lead back")
	}
	form := url.Values{"name": {"admin"}, "password": {"wrong"}, "next": {"/messages?q=x"}}
	if status, body := v.post("/login", form); status != 401 || !strings.Contains(body, "Name or password is wrong") {
		t.Errorf("wrong password: %d", status)
	}
	form.Set("password", password)
	if _, body := v.post("/login", form); !strings.Contains(body, `value="x"`) {
		t.Error("not on the page that was asked for")
	}
	if status, _ := v.post("/logout", nil); status != 200 {
		t.Errorf("logout: %d", status)
	}
	if _, body := v.get("/health"); !strings.Contains(body, "page.login") && !strings.Contains(body, `action="/login"`) {
		t.Error("still logged in")
	}
	if got := s.book.Latest(0, 1)[0]; got.What != "account.login" || got.Who != "admin" || got.Address != "127.0.0.1" {
		t.Errorf("trail: %+v", got)
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	s := newStand(t)
	v := s.visitor(t)
	for i := range attempts + 1 {
		status, _ := v.post("/login", url.Values{"name": {"admin"}, "password": {"wrong"}})
		if want := map[bool]int{true: 401, false: 429}[i < attempts]; status != want {
			t.Errorf("attempt %d: %d, want %d", i, status, want)
		}
	}
	th := newThrottle()
	for i := range attempts {
		if !th.allow("2001:db8::"+string(rune('1'+i)), now) {
			t.Errorf("attempt %d refused", i)
		}
	}
	if th.allow("2001:db8::ffff", now) || !th.allow("2001:db8:0:1::1", now) || !th.allow("2001:db8::1", now.Add(attemptEvery)) {
		t.Error("a /64 is one client, and may try again after a while")
	}
}

func TestOwnPath(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"/messages?q=a%20b", "/messages?q=a%20b"}, {"", "/"}, {"//evil.example/x", "/"}, {"https://evil.example/", "/"},
		{`/\evil.example`, "/"}, {"javascript:alert(1)", "/"}, {"/a\r\nSet-Cookie: x", "/"}, {"messages", "/"}, {"%", "/"}, {"///evil.example", "/"},
		{"/%2fevil.example ", "/"}, // escaped anew it begins with two slashes
	} {
		if got := ownPath(tt.in); got != tt.want {
			t.Errorf("ownPath(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// Wherever a login is asked to lead, it stays here, as a browser reads it.
func FuzzOwnPath(f *testing.F) {
	for _, s := range []string{"/messages?q=x", "//evil.example", `/\evil.example`, "/%2f/evil.example", "/a/../..//evil.example", "/\t/evil.example"} {
		f.Add(s)
	}
	base := &url.URL{Scheme: "https", Host: "console.example", Path: "/login"}
	f.Fuzz(func(t *testing.T, s string) {
		got := ownPath(s)
		to, err := base.Parse(got)
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || len(got) > 1 && (got[0] != '/' || got[1] == '/' || got[1] == '\\') {
			t.Fatalf("ownPath(%q) = %q leads to %v, %v", s, got, to, err)
		}
	})
}

func TestHeadersAndCookie(t *testing.T) {
	s := newStand(t)
	for _, tls := range []bool{false, true} {
		req := httptest.NewRequest("POST", s.link, nil)
		if tls {
			secret, err := s.book.Relink(t.Context(), account.System, "admin", now)
			if err != nil {
				t.Fatal(err)
			}
			req = httptest.NewRequest("POST", "https://console.example"+LinkPath(secret), nil)
		}
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, req)
		h := rec.Header()
		if h.Get("Content-Security-Policy") != contentPolicy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("headers: %v", h)
		}
		cookie := rec.Result().Cookies()[0]
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure != tls || tls != strings.HasPrefix(cookie.Name, "__Host-") {
			t.Errorf("cookie: %+v", cookie)
		}
		if (h.Get("Strict-Transport-Security") != "") != tls {
			t.Errorf("TLS %v: %q", tls, h.Get("Strict-Transport-Security"))
		}
	}
}

func TestOtherOriginsAreRefused(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	req, _ := http.NewRequest("POST", s.url+"/shadow", strings.NewReader("to=on"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if status, body := v.read(v.client.Do(req)); status != 403 || !strings.Contains(body, "another site") || s.shadow {
		t.Errorf("%d, shadow %v", status, s.shadow)
	}
}

func TestBodiesAreCapped(t *testing.T) {
	s := newStand(t)
	if status, _ := s.visitor(t).post("/login", url.Values{"name": {strings.Repeat("x", maxBody)}}); status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", status)
	}
}

func TestMetricsForThisMachineOnly(t *testing.T) {
	s := newStand(t)
	for _, tt := range []struct {
		remote, forwarded string
		want              int
	}{
		{"127.0.0.1:1234", "", 200}, {"[::1]:1234", "", 200}, {"192.0.2.1:1234", "", 404}, {"127.0.0.1:1234", "192.0.2.1", 404}, {"@", "", 404},
	} {
		req := httptest.NewRequest("GET", "/metrics", nil)
		req.RemoteAddr = tt.remote
		if tt.forwarded != "" {
			req.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, req)
		if rec.Code != tt.want {
			t.Errorf("%+v: %d", tt, rec.Code)
		}
	}
}

func TestTeach(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	status, body := v.post("/messages/"+hostileID+"/teach", url.Values{"label": {"ham"}})
	if status != 200 || !strings.Contains(body, "Its probability was 12 % and is now 87 %; the record below stays as it was made.") {
		t.Errorf("%d", status)
	}
	if !slices.Equal(s.taught, []string{hostileID + " ham admin"}) {
		t.Errorf("taught %q", s.taught)
	}
	trail := s.book.Latest(0, 2) // then the subject was looked at
	if e := trail[1]; e.What != "message.taught_ham" || e.Who != "admin" || e.Object != hostileID || e.Before != "12 %" || e.After != "87 %" {
		t.Errorf("trail: %+v", trail)
	}
	if status, _ := v.post("/messages/unheard/teach", url.Values{"label": {"ham"}}); status != 404 {
		t.Errorf("unknown message: %d", status)
	}
	if status, _ := v.post("/messages/"+hostileID+"/teach", url.Values{"label": {"nice"}}); status != 400 {
		t.Errorf("unknown label: %d", status)
	}
}

func TestShadowSwitch(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	for _, to := range []string{"on", "off"} {
		if status, _ := v.post("/shadow", url.Values{"to": {to}}); status != 200 || s.shadow != (to == "on") {
			t.Errorf("%s: %d, %v", to, status, s.shadow)
		}
		if e := s.book.Latest(0, 1)[0]; e.What != "shadow" || e.After != to || e.Before == to {
			t.Errorf("trail: %+v", e)
		}
	}
	if status, _ := v.post("/shadow", url.Values{"to": {"perhaps"}}); status != 400 {
		t.Errorf("%d", status)
	}
}

func TestSubjectIsForSomeRoles(t *testing.T) {
	s := newStand(t)
	viewer, operator := s.as(t, account.Viewer), s.as(t, account.Operator)
	looks := func() (n int) {
		for _, e := range s.book.Latest(0, 1000) {
			if e.What == "message.looked_at" && e.Object == hostileID {
				n++
			}
		}
		return n
	}
	if _, body := viewer.get("/messages/" + hostileID); !strings.Contains(body, "your role does not show it") || looks() != 0 {
		t.Error("a viewer looked at the subject")
	}
	if _, body := operator.get("/messages/" + hostileID); strings.Contains(body, "your role does not show it") || looks() != 1 {
		t.Errorf("an operator's look was recorded %d times", looks())
	}
}

func TestAccountsPage(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	_, body := v.post("/accounts", url.Values{"name": {"care@example.org"}, "role": {"viewer"}})
	at := strings.Index(body, "/link/")
	if at < 0 {
		t.Fatal("no link")
	}
	link, _, _ := strings.Cut(body[at:], "<")
	if _, body := v.get("/accounts"); strings.Contains(body, link) {
		t.Error("the link is shown twice")
	}
	care := s.visitor(t)
	if status, _ := care.get(link); status != 200 {
		t.Errorf("a look at the link: %d", status)
	}
	if status, _ := care.post(link, nil); status != 200 {
		t.Errorf("the link: %d", status)
	}
	if status, _ := s.visitor(t).post(link, nil); status != http.StatusGone {
		t.Errorf("the link again: %d", status)
	}
	for _, tt := range []struct {
		change string
		form   url.Values
		want   int
	}{
		{"care@example.org/role", url.Values{"role": {"operator"}}, 200},
		{"care@example.org/role", url.Values{"role": {"king"}}, 400},
		{"care@example.org/remove", nil, 200},
		{"care@example.org/restore", nil, 200},
		{"care@example.org/link", nil, 200},
		{"admin/remove", nil, 409},
		{"admin/role", url.Values{"role": {"viewer"}}, 409},
		{"nobody/remove", nil, 404},
		{"admin/promote", nil, 404},
	} {
		if status, _ := v.post("/accounts/"+tt.change, tt.form); status != tt.want {
			t.Errorf("%s: %d, want %d", tt.change, status, tt.want)
		}
	}
	if _, body := care.get("/"); !strings.Contains(body, `action="/login"`) {
		t.Error("a session outlived a changed role")
	}
}

func TestPasswordPage(t *testing.T) {
	s := newStand(t)
	v := s.admin(t) // set one by link already: now the old one is asked for
	for _, tt := range []struct {
		old, new, again string
		want            int
	}{
		{"wrong", "another long one", "another long one", 400}, {password, "another long one", "another", 400}, {password, "short", "short", 400},
		{password, "another long one", "another long one", 200},
	} {
		if status, _ := v.post("/password", url.Values{"old": {tt.old}, "new": {tt.new}, "again": {tt.again}}); status != tt.want {
			t.Errorf("%+v: %d", tt, status)
		}
	}
	if status, body := v.get("/"); status != 200 || strings.Contains(body, `action="/login"`) {
		t.Error("the own session did not go on")
	}
}

// What decided is named: without it, the recorded decision made again comes out otherwise.
func TestWhatIf(t *testing.T) {
	s := newStand(t)
	e := &message.Event{ID: "x", Verdicts: []message.Verdict{{Calibration: message.Identity, Contributions: []message.Contribution{
		{Name: "bias", State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(-1)},
		{Name: "link_shortener", State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(2), Args: []any{"sho.example"}},
		{Name: "learner_text", State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(0.2)},
	}}}, Outcomes: []message.Outcome{{Recipient: "a@example.org"}}}
	finish(e) // 1.2: tagged
	got, _ := s.whatIf(t.Context(), e, &e.Outcomes[0])
	if len(got) != 1 || got[0].Action != message.Accept || got[0].Without[0] != "a link hides its target behind the shortener sho.example" {
		t.Errorf("%+v", got)
	}
	e.Verdicts[0].Contributions[2].Coefficient = message.Odds(2.1)
	e.Verdicts[0].Contributions[0].Coefficient = message.Odds(-0.1)
	finish(e) // 4.0: held; either alone would still be tagged
	if got, _ := s.whatIf(t.Context(), e, &e.Outcomes[0]); len(got) != 2 || got[0].Action != message.Tag {
		t.Errorf("%+v", got)
	}
	e.Verdicts[0].Contributions = e.Verdicts[0].Contributions[:1]
	finish(e)
	if got, tried := s.whatIf(t.Context(), e, &e.Outcomes[0]); got != nil || !tried {
		t.Errorf("nothing to take away: %+v", got)
	}
}

// A rule that holds no more without a reason decides no more: it is asked anew, as long as the policy decides as it did then.
func TestWhatIfAsksRulesAnew(t *testing.T) {
	s := newStand(t)
	e := &message.Event{ID: "x", Channel: message.Email, Verdicts: []message.Verdict{{Calibration: message.Identity, Contributions: []message.Contribution{
		{Name: "bias", State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(4)},
		{Name: "link_other_host", State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(2), Args: []any{"a.example", "b.example"}},
	}}}, Outcomes: []message.Outcome{{Recipient: "a@example.org"}}}
	v := &e.Verdicts[0]
	v.Score = v.Sum()
	v.Probability = v.Calibration.Probability(v.Score)
	e.Outcomes[0].Decision = s.rules.Again(e, policy.Recorded(e))[0]
	if d := e.Outcomes[0].Decision; d.Action != message.Quarantine || d.Rule != "rule:links" {
		t.Fatalf("%+v", d)
	}
	if got, _ := s.whatIf(t.Context(), e, &e.Outcomes[0]); len(got) != 1 || got[0].Action != message.Hold {
		t.Errorf("%+v", got)
	}
	// The rule was changed since: the record alone tells, and in it the rule fitted.
	s.rules, _ = s.rules.Try(policy.Trial{Rule: &policy.RuleConfig{Name: "links", When: "false", Action: message.Quarantine}})
	if got, tried := s.whatIf(t.Context(), e, &e.Outcomes[0]); got != nil || !tried {
		t.Errorf("%+v", got)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	s := &sessions{held: map[string]held{}}
	ends := time.Now().Add(time.Hour)
	for i := range maxSessions + 10 {
		s.Commit(string(rune(i)), nil, ends.Add(time.Duration(i)*time.Second))
	}
	if _, ok, _ := s.Find(string(rune(0))); ok || len(s.held) != maxSessions {
		t.Errorf("%d sessions, the oldest there: %v", len(s.held), ok)
	}
	s.Commit("old", nil, time.Now().Add(-time.Second))
	if _, ok, _ := s.Find("old"); ok {
		t.Error("a session that has ended")
	}
}

// A refresh of a part is never answered with another page to put there.
func TestRefreshOfAPart(t *testing.T) {
	s := newStand(t)
	ask := func(v *visitor, path string) http.Header {
		req, err := http.NewRequest("GET", s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("HX-Request", "true")
		r, err := v.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		return r.Header
	}
	if h := ask(s.visitor(t), "/"); h.Get("HX-Redirect") != "/login" {
		t.Errorf("without login: %v", h)
	}
	if h := ask(s.admin(t), "/nothing"); h.Get("HX-Reswap") != "none" {
		t.Errorf("an error: %v", h)
	}
}

func TestStaticFiles(t *testing.T) {
	s := newStand(t)
	for _, f := range staticFiles {
		r, err := http.Get(s.url + staticPath(f.name))
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if string(b) != string(f.content) || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") || r.Header.Get("Content-Type") != f.mediaType {
			t.Errorf("%s: %d bytes, %v", f.name, len(b), r.Header)
		}
	}
}
