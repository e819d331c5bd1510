package console

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rempart/account"
	"rempart/quarantine"
)

// Who signed in by mail sees what is kept for them, releases and deletes it, and nothing of others'; malware waits for the postmaster.
func TestMine(t *testing.T) {
	s := newStand(t)
	v := s.owner(t, "ben@b.example")
	_, body := v.get("/mine")
	for _, want := range []string{minePath("ben@b.example"), "/mine/" + hostileID, "waiting, with malware", "ben@b.example", "Sign out"} {
		if !strings.Contains(body, strings.ReplaceAll(want, "&", "&amp;")) {
			t.Errorf("the list lacks %q", want)
		}
	}
	if strings.Contains(body, "carl@b.example") {
		t.Error("the list has somebody else's copy")
	}
	if _, body = v.get("/mine/" + hostileID + "?recipient=ben%40b.example"); !strings.Contains(body, "Only your postmaster") || strings.Contains(body, "/release") {
		t.Error("malware can be released")
	}
	if _, body = v.get(minePath("ben@b.example")); !strings.Contains(body, "Claim") || !strings.Contains(body, "/release") {
		t.Errorf("the page of one mail:\n%s", body)
	}
	ben, carl := url.Values{"recipient": {"ben@b.example"}}, url.Values{"recipient": {"carl@b.example"}}
	for _, tt := range []struct {
		path   string
		form   url.Values // nil: GET
		status int
	}{
		{minePath("carl@b.example"), nil, http.StatusNotFound},
		{"/mine/" + mineID + "/release", carl, http.StatusNotFound},
		{"/mine/" + mineID + "/delete", carl, http.StatusNotFound},
		{"/mine/" + mineID + "/other", ben, http.StatusNotFound},
		{"/mine/x/release", ben, http.StatusNotFound},
		{"/mine/" + mineID + "/release", ben, http.StatusOK},
		{"/mine/" + hostileID + "/delete", ben, http.StatusOK},
	} {
		status := 0
		if tt.form == nil {
			status, _ = v.get(tt.path)
		} else {
			status, _ = v.post(tt.path, tt.form)
		}
		if status != tt.status {
			t.Errorf("%s %v: %d, want %d", tt.path, tt.form, status, tt.status)
		}
	}
	if want := []string{"release 01mine ben@b.example recipient false", "delete 01hostile ben@b.example recipient"}; !slices.Equal(s.taught, want) {
		t.Errorf("did %q", s.taught)
	}
	trail := s.book.Latest(0, 10)
	for _, want := range []account.Entry{{What: "mine.signed_in", Object: "b**@b.example"}, {What: "quarantine.looked_at", Object: mineID, Before: "b**@b.example"},
		{What: "quarantine.looked_at", Object: hostileID, Before: "b**@b.example"}} {
		if !slices.ContainsFunc(trail, func(e account.Entry) bool {
			return e.What == want.What && e.Object == want.Object && e.Before == want.Before && e.Who == recipientName && e.Address == "127.0.0.1"
		}) {
			t.Errorf("the audit trail lacks %+v", want)
		}
	}
	if _, body = v.post("/mine/out", nil); !strings.Contains(body, `action="/mine/in"`) {
		t.Error("after signing out one is not asked to sign in")
	}
	if _, body = v.get("/mine"); strings.Contains(body, mineID) {
		t.Error("still signed in")
	}
}

// A link signs in once, and not whoever only looks at it. Asking looks the same whatever the address is, and only who has mail here gets any.
func TestSignInByMail(t *testing.T) {
	s := newStand(t)
	v := s.visitor(t)
	link := s.signInLink(t, v, "ben@b.example")
	_, known := v.post("/mine/in", url.Values{"address": {"ben@b.example"}})
	for _, address := range []string{"eve@else.example", "", "ben@b.example\r\nRCPT TO:<eve@else.example>", strings.Repeat("x", 10_000)} {
		if status, body := v.post("/mine/in", url.Values{"address": {address}}); status != http.StatusOK || body != known {
			t.Errorf("%.40q: %d, and the page differs", address, status)
		}
	}
	if s.sink.Count() != 2 {
		t.Errorf("%d mails were sent", s.sink.Count())
	}
	for range 2 { // a scanner
		if _, body := v.get(link); !strings.Contains(body, `action="`+link+`"`) {
			t.Fatalf("no button:\n%s", body)
		}
	}
	if _, body := v.get("/mine"); strings.Contains(body, mineID) {
		t.Error("signed in by looking")
	}
	for i, want := range []int{http.StatusOK, http.StatusGone} {
		if status, _ := s.visitor(t).post(link, nil); status != want {
			t.Errorf("use %d: %d, want %d", i, status, want)
		}
	}
	if status, _ := v.post(link[:len(link)-4]+"AAAA", nil); status != http.StatusTooManyRequests && status != http.StatusGone {
		t.Errorf("a forged link: %d", status)
	}
	for range attempts {
		v.post("/mine/in", url.Values{"address": {"eve@else.example"}})
	}
	if status, _ := v.post("/mine/in", url.Values{"address": {"ben@b.example"}}); status != http.StatusTooManyRequests {
		t.Errorf("asked without end: %d", status)
	}
	if status, _ := v.post("/login", url.Values{"name": {"x"}, "password": {"y"}}); status != http.StatusUnauthorized {
		t.Errorf("and the login is shut by it: %d", status)
	}
}

// A mail whose body is damaged keeps nobody from the others, and can be deleted.
func TestUnreadableMail(t *testing.T) {
	s := newStand(t)
	found, err := filepath.Glob(filepath.Join(s.bodies, "*", mineID))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v %v", found, err)
	}
	if err := os.WriteFile(found[0], []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := s.Quarantine.Get(t.Context(), mineID, "ben@b.example")
	if err != nil {
		t.Fatal(err)
	}
	link, err := s.Quarantine.Link(&k)
	if err != nil {
		t.Fatal(err)
	}
	ben, operator := s.owner(t, "ben@b.example"), s.as(t, account.Operator)
	for _, tt := range []struct {
		v          *visitor
		path, want string
	}{
		{ben, "/mine", "/mine/" + hostileID},
		{ben, "/mine", "/mine/" + mineID},
		{ben, minePath("ben@b.example"), "/mine/" + mineID + "/delete"},
		{ben, minePath("ben@b.example"), "cannot be read any more"},
		{ben, quarantine.LinkPath + link, "ben@b.example"},
		{operator, "/quarantine/" + mineID + "?recipient=ben%40b.example", "/quarantine/" + mineID + "/delete"},
	} {
		if status, body := tt.v.get(tt.path); status != http.StatusOK || !strings.Contains(body, tt.want) {
			t.Errorf("%s: %d, without %q", tt.path, status, tt.want)
		}
	}
	if !strings.Contains(s.log.String(), "cannot be read") {
		t.Errorf("the log does not say so: %s", s.log)
	}
	if status, _ := ben.post("/mine/"+mineID+"/delete", url.Values{"recipient": {"ben@b.example"}}); status != http.StatusOK {
		t.Errorf("delete it: %d", status)
	}
}

// A link whose address leads to no mailbox just now can be used when it does.
func TestSignInLinkIsNotWasted(t *testing.T) {
	s := newStand(t)
	v := s.visitor(t)
	link, mailboxes := s.signInLink(t, v, "ben@b.example"), s.Mailboxes
	s.Mailboxes = func(context.Context, string) []string { return nil }
	if status, _ := v.post(link, nil); status != http.StatusForbidden {
		t.Errorf("without a mailbox: %d", status)
	}
	s.Mailboxes = mailboxes
	if status, body := v.post(link, nil); status != http.StatusOK || !strings.Contains(body, mineID) {
		t.Errorf("with one: %d", status)
	}
}

// Who is erased is signed out, by whichever address they came in.
func TestEndOwners(t *testing.T) {
	s := newStand(t)
	s.Mailboxes = func(_ context.Context, address string) []string {
		if address == "carl@b.example" {
			return []string{"carl b.example", address}
		}
		return []string{address}
	}
	ben, carl, operator := s.owner(t, "ben@b.example"), s.owner(t, "carl@b.example"), s.as(t, account.Operator)
	signedIn := func() (in []bool) {
		for _, v := range []*visitor{ben, carl} {
			_, body := v.get("/mine")
			in = append(in, strings.Contains(body, "Sign out"))
		}
		return in
	}
	for _, tt := range []struct {
		erased string
		want   []bool
	}{
		{"dan@b.example", []bool{true, true}},
		{"carl b.example", []bool{true, false}},
		{"ben@b.example", []bool{false, false}},
	} {
		s.EndOwners(func(name string) bool { return name == tt.erased })
		if got := signedIn(); !slices.Equal(got, tt.want) {
			t.Errorf("%s erased: %v", tt.erased, got)
		}
	}
	if status, body := operator.get("/quarantine"); status != http.StatusOK || !strings.Contains(body, mineID) {
		t.Errorf("an operator: %d", status)
	}
}

// Where no mail can be sent none is promised.
func TestNoSignInByMail(t *testing.T) {
	s := newStand(t)
	s.Quarantine.Reconfigure(quarantine.Config{URL: "https://mail.b.example"})
	if _, body := s.visitor(t).post("/mine/in", url.Values{"address": {"ben@b.example"}}); strings.Contains(body, "on its way") || !strings.Contains(body, `href="/mine/oidc"`) {
		t.Errorf("the page:\n%s", body)
	}
}

// The log has the pages that failed, not the secrets of links.
func TestNoSecretInTheLog(t *testing.T) {
	s := newStand(t)
	k, err := s.Quarantine.Get(t.Context(), mineID, "ben@b.example")
	if err != nil {
		t.Fatal(err)
	}
	link, err := s.Quarantine.Link(&k)
	if err != nil {
		t.Fatal(err)
	}
	s.Release = func(context.Context, string, string, account.Actor, bool) error { return quarantine.ErrNotDelivered }
	if status, _ := s.visitor(t).post(quarantine.LinkPath+link, nil); status != http.StatusBadGateway {
		t.Errorf("%d", status)
	}
	if log := s.log.String(); strings.Contains(log, link) || !strings.Contains(log, quarantine.LinkPath+"{link}") {
		t.Errorf("the log: %s", log)
	}
}

// An owner's session opens no page of the console, and an account's none of an owner's.
func TestNoAccountIsAnOwner(t *testing.T) {
	s := newStand(t)
	admin, ben := s.admin(t), s.owner(t, "ben@b.example")
	for _, v := range []*visitor{admin, ben} {
		v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	for _, r := range s.routes() {
		if r.right == open {
			continue
		}
		v := map[bool]*visitor{true: admin, false: ben}[r.right == mine]
		path := strings.NewReplacer("{$}", "", "{id}", mineID, "{name}", "some.viewer", "{change}", "delete", "{part}", "hosts").Replace(r.path)
		req, err := http.NewRequest(r.method, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := v.read(v.client.Do(req)); status != http.StatusSeeOther {
			t.Errorf("%s %s: %d", r.method, path, status)
		}
	}
	// nor if the cookie is renamed
	for _, v := range []*visitor{admin, ben} {
		to, name, path := "rempart", "rempart-mine", "/health"
		if v == admin {
			to, name, path = "rempart-mine", "rempart", "/mine"
		}
		u, _ := url.Parse(s.url)
		for _, c := range v.client.Jar.Cookies(u) {
			if c.Name == name {
				v.client.Jar.SetCookies(u, []*http.Cookie{{Name: to, Value: c.Value, Path: "/"}})
			}
		}
		if status, _ := v.get(path); status != http.StatusSeeOther {
			t.Errorf("%s with the cookie of %s: %d", path, name, status)
		}
	}
	if status, _ := s.as(t, account.Viewer).get("/mine"); status != http.StatusOK {
		t.Errorf("who logged in cannot sign in: %d", status)
	}
}

// Where the next hop is down, its recipient reads what a recipient can do, by link and by session, and the operator what an operator can.
func TestNotDelivered(t *testing.T) {
	s := newStand(t)
	s.Release = func(ctx context.Context, id, recipient string, by account.Actor, postmaster bool) error {
		_, err := s.Quarantine.Release(ctx, id, recipient, by.Name, postmaster)
		return err
	}
	k, err := s.Quarantine.Get(t.Context(), mineID, "ben@b.example")
	if err != nil {
		t.Fatal(err)
	}
	link, err := s.Quarantine.Link(&k)
	if err != nil {
		t.Fatal(err)
	}
	ben := s.owner(t, "ben@b.example") // by a link that is mailed while it is up
	s.Quarantine.Reconfigure(quarantine.Config{NextHop: "127.0.0.1:1", URL: "https://mail.b.example", DigestFrom: "postmaster@b.example"})
	for _, tt := range []struct {
		who  *visitor
		path string
		want string
	}{
		{ben, "/mine/" + mineID + "/release", "ask your postmaster"},
		{ben, quarantine.LinkPath + link, "ask your postmaster"},
		{s.admin(t), "/quarantine/" + mineID + "/release", "quarantine.next_hop"},
	} {
		status, body := tt.who.post(tt.path, url.Values{"recipient": {"ben@b.example"}})
		if status != http.StatusBadGateway || !strings.Contains(body, tt.want) || strings.Contains(body, "quarantine.next_hop") != (tt.want == "quarantine.next_hop") {
			t.Errorf("%s: %d\n%s", tt.path, status, body)
		}
	}
}
