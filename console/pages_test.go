package console

import (
	"encoding/csv"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"rempart/account"
	"rempart/quarantine"
)

// everyPage is each page that an administrator can look at; TestEveryRouteIsRendered holds it complete.
var everyPage = []string{"/", "/volumes", "/volumes?channel=sms&hours=168", "/messages", "/messages?q=example.org", "/messages?q=nothing.at.all",
	"/messages/" + hostileID, "/sources", "/sources?hours=168&channel=email", "/sources/countries", "/sources/networks", "/sources/senders",
	"/routes", "/quarantine", "/quarantine?q=nothing.at.all&waiting=1", quarantinedPath, "/cases", "/cases?q=nothing.at.all&open=1", casePath(caseID), "/disagreements", "/disagreements?hours=1&q=nothing.at.all&signal=listed",
	"/disagreements/figures", "/disagreements/only_here", "/disagreements/only_incumbent?hours=24&signal=listed", "/disagreements/both_spam",
	"/learning", "/learning?hours=1", "/learning/days", "/learning/teachers", "/learning/scopes", "/learning/lessons?hours=24", "/lessons/l0", "/lessons/l1",
	"/rules", "/rules/settings", "/rules/own", tryThreshold, tryRule, "/rules/try?kind=rule&name=x&action=tag&when=" + url.QueryEscape("true and\nhas('"+strings.ReplaceAll(hostile, "\u202e", "")+"')"),
	"/rules/try?kind=threshold&action=tag&from=much", "/domains", "/domains/shop.example", "/domains/shop.example/sources",
	"/domains/shop.example/reporters", "/domains/shop.example/tls", "/campaigns", "/campaigns?hours=1&bulk=1", "/campaigns/" + campaignID, "/campaigns/" + campaignID + "/hosts", "/campaigns/" + campaignID + "/routes",
	"/calls", "/calls/callers", "/report", "/health", "/audit", "/audit?q=admin", "/accounts", "/password", "/nothing"}

// everyMinePage is each page that ben can look at who signed in to his mailbox.
var everyMinePage = []string{"/mine", "/mine?cursor=0", minePath("ben@b.example"), "/mine/" + hostileID + "?recipient=ben%40b.example", "/mine/nothing"}

// Trials that change something.
const (
	tryThreshold = "/rules/try?kind=threshold&whose=domain&whom=example.org&action=quarantine&from=0.97&hours=168"
	tryRule      = "/rules/try?kind=rule&name=try&action=hold&when=has%28%27listed%27%29+and+message.channel+%3D%3D+%27email%27"
)

func TestEveryPage(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	s.as(t, account.Viewer)
	for _, shadow := range []bool{false, true} {
		s.shadow = shadow
		for _, path := range everyPage {
			_, body := v.get(path)
			checkPage(t, path, body)
			if strings.Contains(body, `class="banner"`) != shadow {
				t.Errorf("%s: shadow is %v, the banner says otherwise", path, shadow)
			}
		}
	}
	out := s.visitor(t)
	link, err := s.Quarantine.Link(&quarantine.Copy{ID: hostileID, Recipient: "ben@b.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/login", "/link/x", quarantine.LinkPath + link, quarantine.LinkPath + "x"} {
		_, body := out.get(path)
		checkPage(t, path, body)
	}
	for _, path := range []string{"/mine/in", quarantine.SignInPath + "x", "/mine/nothing/at/all"} {
		_, body := out.get(path)
		checkPage(t, path, body)
	}
	_, body := out.post("/mine/in", url.Values{"address": {"ben@b.example"}})
	checkPage(t, "/mine/in, asked", body)
	owner := s.owner(t, "ben@b.example")
	for _, path := range everyMinePage {
		_, body := owner.get(path)
		checkPage(t, path, body)
	}
	if s.log.Len() > 0 {
		t.Errorf("logged: %s", s.log)
	}
}

// Every fault has its page with a title and what to do.
func TestEveryFaultHasItsWords(t *testing.T) {
	s := newStand(t)
	for _, f := range faults {
		for _, part := range []string{"title", "todo"} {
			if key := "error." + f.key + "." + part; !s.words.Has(key) {
				t.Errorf("the catalogue lacks %s", key)
			}
		}
	}
	for _, r := range account.Roles {
		for _, key := range []string{"role." + r.Name, "role_may." + r.Name} {
			if !s.words.Has(key) {
				t.Errorf("the catalogue lacks %s", key)
			}
		}
	}
}

// checkPage holds what the content security policy and HTML ask of a page: nothing inline, everything nested as written,
// every id once, every control named, and no text of a message that is not escaped.
func checkPage(t *testing.T, path, body string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	checkNesting(t, path, body)
	ids := map[string]bool{}
	labelled := map[string]bool{}
	headings := 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s: <%s %s>", path, n.Data, a.Key)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("%s: id %q occurs twice", path, a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case a.Key == "for":
				labelled[a.Val] = true
			case a.Key == "href" && attr(n, "class") == "credit" && attr(n, "rel") == "noopener noreferrer": // who gave data asks for a link
			case (a.Key == "href" || a.Key == "src" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#"):
				t.Errorf("%s: <%s> leads to %q", path, n.Data, a.Val)
			}
		}
		switch n.Data {
		case "style":
			t.Errorf("%s: inline style", path)
		case "script":
			if attr(n, "src") == "" || n.FirstChild != nil {
				t.Errorf("%s: inline script", path)
			}
		case "h1":
			headings++
		case "input", "select":
			if attr(n, "type") != "hidden" && !labelled[attr(n, "id")] && !inside(n, "label") {
				t.Errorf("%s: <%s name=%q> has no label", path, n.Data, attr(n, "name"))
			}
		case "img":
			if src := attr(n, "src"); src == "x" {
				t.Errorf("%s: a sender's markup is in the page", path)
			}
		}
	}
	if headings != 1 {
		t.Errorf("%s: %d first headings", path, headings)
	}
	for _, bad := range []string{"%!", "<script>alert", "\u202e", "ZgotmplZ", "&lt;no value&gt;", "catalogue lacks"} {
		if strings.Contains(body, bad) {
			t.Errorf("%s: the page has %q", path, bad)
		}
	}
}

// checkNesting goes through the tags as written: html.Parse would repair them.
func checkNesting(t *testing.T, path, body string) {
	t.Helper()
	void := []string{"meta", "link", "input", "img", "br", "hr"}
	var open []string
	z := html.NewTokenizer(strings.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("%s: not closed: %v", path, open)
			}
			return
		case html.StartTagToken:
			name, _ := z.TagName()
			if tag := string(name); !slices.Contains(void, tag) {
				if tag == "p" || tag == "ul" || tag == "section" || tag == "div" || tag == "table" || tag == "form" || tag == "dl" {
					if slices.Contains(open, "p") || slices.Contains(open, "button") {
						t.Errorf("%s: <%s> within %v", path, tag, open)
					}
				}
				open = append(open, tag)
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				t.Fatalf("%s: </%s> closes %v", path, name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func inside(n *html.Node, tag string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == tag {
			return true
		}
	}
	return false
}

// Every table is CSV and JSON under its own URL; a sender cannot make a spreadsheet run something.
func TestExports(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	for _, path := range []string{"/volumes", "/messages", "/sources/countries", "/sources/networks", "/sources/senders", "/routes", "/health",
		"/audit", "/accounts", "/messages/" + hostileID, "/cases", "/cases/" + caseID, "/disagreements/figures", "/disagreements/only_here",
		"/rules/settings", "/rules/own", "/learning/days", "/learning/teachers", "/learning/scopes", "/learning/lessons", "/domains", "/domains/shop.example/sources", "/domains/shop.example/reporters",
		"/domains/shop.example/tls"} {
		status, body := v.get(path + ".csv")
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if status != 200 || err != nil || len(rows) < 2 {
			t.Errorf("%s.csv: %d, %v, %d rows", path, status, err, len(rows))
			continue
		}
		status, body = v.get(path + ".json")
		var got struct{ Rows []map[string]any }
		if err := json.Unmarshal([]byte(body), &got); status != 200 || err != nil || len(got.Rows) != len(rows)-1 {
			t.Errorf("%s.json: %d, %v, %d rows, CSV has %d", path, status, err, len(got.Rows), len(rows)-1)
			continue
		}
		for _, name := range rows[0] {
			if _, ok := got.Rows[0][name]; !ok {
				t.Errorf("%s.json lacks %s", path, name)
			}
		}
	}
}

// Pages of messages follow one another without gap or repetition.
func TestPaging(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	seen := map[string]bool{}
	for next := "/messages.json?channel=email"; next != ""; {
		_, body := v.get(next)
		var got struct {
			Rows []struct{ ID, Channel string }
			Next string
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Rows {
			if seen[r.ID] || r.Channel != "email" {
				t.Fatalf("%+v", r)
			}
			seen[r.ID] = true
		}
		next = got.Next
	}
	_, body := v.get("/messages?channel=email")
	if !strings.Contains(body, `rel="next"`) || len(seen) < pageRows {
		t.Errorf("%d messages", len(seen))
	}
	if status, _ := v.get("/messages?cursor=x"); status != 400 {
		t.Errorf("a wrong cursor: %d", status)
	}
	if status, _ := v.get("/messages?" + url.Values{"q": {strings.Repeat("x", 300)}}.Encode()); status != 400 {
		t.Errorf("a long query: %d", status)
	}
}

// The books are told a channel each: one that is even, one of which something is under way.
func TestBooks(t *testing.T) {
	s := newStand(t)
	_, body := s.admin(t).get("/")
	for _, want := range []string{"E-mail:</strong> 1,000 sent since the start, 990 judged, 10 dropped and counted. <span class=\"tag ok\">",
		"Texts:</strong> 20 sent since the start, 19 judged, 0 dropped and counted. <span class=\"tag warn\">"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body[max(0, strings.Index(body, `aria-labelledby="books"`)):])
		}
	}
}
