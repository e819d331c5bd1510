package console

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rempart/abuse"
	"rempart/account"
	"rempart/campaign"
	"rempart/console/openid"
	"rempart/filter/behaviour"
	"rempart/gateway/milter/postfix"
	"rempart/geo"
	"rempart/index"
	"rempart/journal"
	"rempart/keyring"
	"rempart/measure"
	"rempart/message"
	"rempart/message/email"
	"rempart/message/feedback"
	"rempart/policy"
	"rempart/quarantine"
	"rempart/report"
)

var now = time.Date(2026, 3, 8, 14, 25, 0, 0, time.UTC)

const password = "correct horse battery"

// hostile is what a sender writes to be run in the reader's browser.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>` + "\u202e" + `{{.}}`

const hostileID = "01hostile"

// campaignID is that of its campaign: the first message's.
const campaignID = hostileID

// stand is a console on a real journal, tallies and index, filled with a week of traffic.
type stand struct {
	*Console
	book    *account.Book
	url     string
	log     *strings.Builder
	taught  []string
	shadow  bool
	link    string        // of the first start
	sink    *postfix.Sink // takes what is sent to who signs in
	events  []*message.Event
	rules   *policy.Rules
	lessons []message.Lesson
	bodies  string // directory of the mails in quarantine
}

func newStand(t testing.TB) *stand {
	t.Helper()
	ctx, log := context.Background(), slog.New(slog.NewTextHandler(io.Discard, nil))
	j, err := journal.Open(ctx, t.TempDir(), journal.Config{}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	book, err := account.Open(ctx, j)
	if err != nil {
		t.Fatal(err)
	}
	x, err := index.Open(ctx, t.TempDir(), index.Config{}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	s := &stand{book: book, log: &strings.Builder{}}
	tallies := measure.New("mx1.example.net", now.Add(-8*24*time.Hour), 30*24*time.Hour, [32]byte{1}, nil)
	watch, callers := campaign.NewWatch(), behaviour.NewCallers()
	recent := traffic(tallies)
	s.events, s.rules, s.lessons = recent, standRules(t), standLessons()
	for _, e := range recent {
		e.Campaign = watch.Add(e)
		x.Add(e, nil)
		if e.Channel == message.Call {
			callers.Begin(e.Source.ID, e.Outcomes[0].Recipient, e.Time)
			callers.End(&message.CallRecord{Caller: e.Source.ID, Answered: true, Duration: time.Second})
		}
	}
	places, err := geo.Open(geo.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { places.Close() })
	written, cancel := context.WithCancel(ctx)
	cancel()
	if err := x.Run(written); err != nil {
		t.Fatal(err)
	}
	s.sink = postfix.NewSink(t)
	dir := t.TempDir()
	s.bodies = filepath.Join(dir, "blob")
	kept, desk := keepHostile(t, dir, log, s.sink), complainHostile(t, j)
	s.Console, err = New(Sources{
		Accounts: book, Tallies: tallies, Events: x, Campaigns: watch, Quarantine: kept,
		Release: func(ctx context.Context, id, recipient string, by account.Actor, postmaster bool) error {
			if _, err := kept.Get(ctx, id, recipient); err != nil {
				return err
			}
			s.taught = append(s.taught, fmt.Sprint("release ", id, " ", recipient, " ", by.Name, " ", postmaster))
			return nil
		},
		Discard: func(ctx context.Context, id, recipient string, by account.Actor) error {
			s.taught = append(s.taught, fmt.Sprint("delete ", id, " ", recipient, " ", by.Name))
			return kept.Delete(ctx, id, recipient)
		},
		AskSignIn: func(address string) {
			if err := kept.MailSignIn(ctx, address, []string{address}); err != nil {
				s.taught = append(s.taught, err.Error())
			}
		},
		Mailboxes: func(_ context.Context, address string) []string { return []string{address} },
		Abuse:     desk, ReportsOn: func() bool { return true }, AnswersSent: func() bool { return true },
		AnswerCase: func(ctx context.Context, id, text string, by account.Actor) error {
			return desk.Note(ctx, id, by.Name, abuse.Answered, text)
		},
		NoteCase: func(ctx context.Context, id string, what abuse.What, text string, by account.Actor) error {
			return desk.Note(ctx, id, by.Name, what, text)
		}, Callers: callers.Busiest, Places: func() *geo.Places { return places }, Now: func() time.Time { return now },
		Teach: func(ctx context.Context, id string, label message.Label, teacher string) (before, after float64, err error) {
			if _, err := x.Get(ctx, id); err != nil {
				return 0, 0, err
			}
			s.taught = append(s.taught, fmt.Sprint(id, " ", label, " ", teacher))
			return 0.12, 0.87, nil
		},
		Lessons: func(_ context.Context, from time.Time, limit int) (list []message.Lesson, err error) {
			for i := range s.lessons {
				if len(list) < limit && !s.lessons[i].Time.Before(from) {
					list = append(list, s.lessons[i])
				}
			}
			return list, nil
		},
		Lesson: func(_ context.Context, id string) (message.Lesson, bool, error) {
			for i := range s.lessons {
				if s.lessons[i].ID == id {
					return s.lessons[i], !slices.Contains(s.taught, "take back "+id), nil
				}
			}
			return message.Lesson{}, false, index.ErrNotFound
		},
		TakeBack: func(_ context.Context, id, teacher string) error {
			if slices.Contains(s.taught, "take back "+id) {
				return ErrNotStanding
			}
			s.taught = append(s.taught, "take back "+id)
			return nil
		},
		Rules: func() *policy.Rules { return s.rules },
		Map:   func(context.Context, *message.Message) {},
		RuleCounts: func(name string) (fitted, skipped uint64) {
			return map[string]uint64{"links": 12}[name], map[string]uint64{"bomb": 3}[name]
		},
		Health: func(context.Context) Health {
			return Health{[]HealthRow{{"journal", OK, "health.journal_ok", []any{"1.2 GB"}}, {"mx", Warn, "health.journal_ok", []any{hostile}}}}
		},
		Study: func(_ context.Context, from, to time.Time) (report.Study, error) {
			return report.NewStudy(report.Material{Node: "mx1.example.net", Version: "devel", From: from, To: to, Made: now, Leaves: tallies.Leaves(from, to), Places: places}), nil
		},
		Tour:   func() []Stop { return []Stop{{"overview", "/"}, {"campaign", ""}} },
		Books:  func() Books { return Books{{message.Email, 1000, 990, 10}, {message.SMS, 20, 19, 0}} },
		Shadow: func() bool { return s.shadow },
		SetShadow: func(_ context.Context, on bool, _ string) error {
			s.shadow = on
			return nil
		},
		Provider: openid.New(openid.Config{Issuer: "http://127.0.0.1:1", ClientID: "rempart", AccountClaim: "email"}, time.Now), // it is away
		URL:      "https://console.b.example",
		Metrics:  promhttp.HandlerFor(prometheus.NewRegistry(), promhttp.HandlerOpts{}),
		Node:     "mx1.example.net", Version: "devel",
	}, slog.New(slog.NewTextHandler(s.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	secret, ok, err := book.FirstLink(ctx, now)
	if err != nil || !ok {
		t.Fatalf("first link: %v, %v", ok, err)
	}
	s.link = LinkPath(secret)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// standLessons are some that were taught, newest first; the first is on the hostile message.
func standLessons() []message.Lesson {
	list := []message.Lesson{{ID: "l0", Time: now.Add(-time.Hour), Message: "hostile key", Channel: message.Email, Label: message.Spam, Teacher: hostile,
		Scope: message.Scope{User: hostile}, Before: 0.2}, {ID: "l1", Time: now.Add(-2 * time.Hour), Channel: message.SMS, Label: message.Forget, Teacher: "ann"}}
	for i := range 40 {
		l := message.Lesson{ID: fmt.Sprint("m", i), Time: now.Add(-time.Duration(3+i) * time.Hour), Channel: message.Email, Label: message.Ham, Teacher: "ann",
			Scope: message.Scope{Domain: "b.example"}, Before: 0.7}
		if i%4 > 0 {
			l.Label, l.Teacher, l.Scope = message.Spam, "local", message.Scope{}
		}
		if i%2 > 0 {
			l.Before = 0
		}
		list = append(list, l)
	}
	return list
}

// standRules decide as finish does, and have a rule in force, two on trial, and settings of others.
func standRules(t testing.TB) *policy.Rules {
	t.Helper()
	tag, hold, reject, shadow := 0.5, 0.9, 0.98, message.ModeShadow
	r, err := policy.New(policy.Config{Thresholds: policy.Thresholds{Tag: &tag, Hold: &hold, Reject: &reject}, Outgoing: policy.Thresholds{Hold: &hold},
		Rule: []policy.RuleConfig{{Name: "links", When: "has('link_other_host') and verdict.probability > 0.99", Action: message.Quarantine},
			{Name: "bomb", When: "any(message.link_hosts, # contains '" + `<img src=x>` + "')", Action: message.Tag, Mode: message.ModeShadow},
			{Name: "subject", When: "message.subject contains 'x'", Action: message.Tag, Mode: message.ModeShadow}},
		Scope: []policy.ScopeConfig{{Domain: "b.example", Mode: &shadow, Thresholds: policy.Thresholds{Tag: new(float64)}, Deny: []policy.Entry{{DKIM: "x.example"}}},
			{User: hostile, Thresholds: policy.Thresholds{Tag: &tag}}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// quarantinedPath is the page of the one mail in quarantine.
const quarantinedPath = "/quarantine/" + hostileID + "?recipient=ben%40b.example"

// mineID is a mail that ben, and with it carl, may release.
const mineID = "01mine"

func minePath(recipient string) string {
	return "/mine/" + mineID + "?recipient=" + url.QueryEscape(recipient)
}

// keepHostile is a quarantine with a mail with malware for ben, and one without for ben and carl.
func keepHostile(t testing.TB, dir string, log *slog.Logger, next *postfix.Sink) *quarantine.Store {
	t.Helper()
	keys, err := keyring.Open(dir + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := quarantine.Open(context.Background(), dir, quarantine.Config{NextHop: fmt.Sprintf("127.0.0.1:%d", next.Port),
		URL: "https://mail.b.example", DigestFrom: "postmaster@b.example"}, keys, log, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	raw := "From: " + hostile + " <a@a.example>\r\nSubject: " + hostile + "\r\nContent-Type: text/html\r\n\r\n<p>&lt;script&gt;alert(3)&lt;/script&gt;<b>Claim</b> now"
	for _, m := range []quarantine.Mail{
		{ID: hostileID, Recipients: []string{"ben@b.example"}, Malware: true},
		{ID: mineID, Recipients: []string{"ben@b.example", "carl@b.example"}},
	} {
		m.Time, m.MailFrom, m.Probability, m.Raw = time.Now(), hostile, 0.97, []byte(raw+m.ID)
		if err := kept.Keep(context.Background(), m); err != nil {
			t.Fatal(err)
		}
	}
	return kept
}

// caseID is the case of its account.
const caseID = "case1"

// complainHostile is a desk with two cases and reports on one domain.
func complainHostile(t testing.TB, j *journal.Journal) *abuse.Book {
	t.Helper()
	ctx := context.Background()
	desk, err := abuse.Open(ctx, j)
	if err != nil {
		t.Fatal(err)
	}
	a := feedback.Aggregate{Organisation: hostile, ID: "1", End: now.Add(-time.Hour), Policy: feedback.Policy{Domain: "shop.example", P: hostile},
		Rows: []feedback.Row{{Source: netip.MustParseAddr("192.0.2.7"), Count: 7, DKIM: "pass", SPF: "fail"}}}
	tls := feedback.TLS{Organisation: hostile, ID: "1", End: now.Add(-time.Hour), Policies: []feedback.TLSPolicy{{Domain: "shop.example", Sessions: 9,
		Failed: 2, Failures: []feedback.TLSFailure{{Result: hostile, Sessions: 2}}}}}
	for _, err := range []error{
		desk.Complain(ctx, caseID, abuse.Complaint{Account: hostile, Type: hostile, Reporter: hostile, Verified: hostile, Recipient: hostile, From: hostile,
			MessageID: hostile, EventID: hostileID, Incidents: 3}),
		desk.Note(ctx, caseID, hostile, abuse.Noted, hostile),
		desk.Complain(ctx, "case2", abuse.Complaint{Source: "192.0.2.0/24", Type: "auth-failure", Incidents: 1}),
		desk.Take(ctx, "1", abuse.NewReport(&a, "google.example")),
		desk.Take(ctx, "tls 1", abuse.NewTLSReports(&tls, "")[0]),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return desk
}

// traffic folds eight days of made-up messages into the tallies and returns those that the index is to hold.
func traffic(tallies *measure.Tallies) []*message.Event {
	random := rand.New(rand.NewPCG(1, 2))
	var recent []*message.Event
	start := now.Add(-8 * 24 * time.Hour)
	for at := start; at.Before(now); at = at.Add(time.Duration(random.IntN(240)+20) * time.Second) {
		if h := at.Hour(); h < 6 && random.IntN(3) > 0 {
			continue // night
		}
		e := made(random, at)
		tallies.Fold(e)
		if now.Sub(at) < 12*time.Hour {
			recent = append(recent, e)
		}
	}
	e := made(random, now.Add(-time.Minute))
	e.ID, e.From, e.MailFrom, e.Subject, e.QueueID, e.MessageID = hostileID, hostile, hostile, hostile, "4XhQ", hostile
	e.Source.Name, e.Source.ID, e.LinkHosts = hostile, hostile, []string{hostile}
	e.Route = append(e.Route, message.Hop{From: hostile, By: hostile, With: hostile})
	e.Outcomes[0].Recipient = hostile
	e.Key = "hostile key"
	e.Incumbent, e.Taught = message.Incumbent{Filter: hostile, Label: message.Spam, Score: 9.5}, message.Spam
	e.Verdicts[0].Contributions = append(e.Verdicts[0].Contributions,
		message.Contribution{Name: "link_other_host", Method: message.Content, State: message.StatePresent, Input: message.FixedOne,
			Coefficient: message.Odds(2.5), Args: []any{hostile, hostile}},
		message.Contribution{Name: "listed", Method: message.SourceAnalysis, State: message.StateUnknown})
	finish(e)
	for i := range leastCampaign { // a campaign of it
		again := *e
		again.ID = hostileID + strings.Repeat("x", i)
		tallies.Fold(&again)
		recent = append(recent, &again)
	}
	return recent
}

var madeNetworks = []struct {
	country string
	network uint32
	prefix  string
	spam    int // percent
}{
	{"XA", 64512, "192.0.2.", 10}, {"XB", 64513, "198.51.100.", 85}, {"XC", 64514, "203.0.113.", 40}, {"", 0, "198.18.0.", 60},
}

func made(random *rand.Rand, at time.Time) *message.Event {
	net := madeNetworks[random.IntN(len(madeNetworks))]
	bad := random.IntN(100) < net.spam
	e := &message.Event{ID: fmt.Sprintf("01%016x", at.UnixNano()), Time: at, Node: "mx1.example.net", Door: "mx", Channel: message.Email,
		Direction: message.In, QueueID: fmt.Sprintf("4X%dQ", random.IntN(1e6)), MessageID: fmt.Sprintf("%d@mail.example.org", random.IntN(1e9)),
		Source: message.Source{Address: netip.MustParseAddr(net.prefix + fmt.Sprint(random.IntN(250)+1)), Country: net.country, Network: net.network},
		Size:   random.IntN(80_000) + 600, Took: time.Millisecond}
	e.Outcomes = []message.Outcome{{Recipient: fmt.Sprintf("user%d@example.org", random.IntN(40))}}
	v := message.Verdict{Calibration: message.Identity, Model: "1:412", Contributions: []message.Contribution{
		{Name: "bias", Method: message.Characteristic, State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(-1.2)}}}
	add := func(name string, m message.Method, weight float64, args ...any) {
		v.Contributions = append(v.Contributions, message.Contribution{Name: name, Method: m, State: message.StatePresent,
			Input: message.FixedOne, Coefficient: message.Odds(weight), Args: args})
	}
	if random.IntN(3) == 0 {
		e.Channel, e.Door, e.Source.ID, e.MailFrom, e.MessageID = message.SMS, "esme", fmt.Sprintf("+4477009%05d", random.IntN(1000)), "", ""
		e.Source.Address, e.Outcomes[0].Recipient, e.Size = netip.Addr{}, fmt.Sprintf("+4416329%05d", random.IntN(1000)), 140
		e.MailFrom = e.Source.ID
		if random.IntN(3) == 0 {
			e.Channel, e.Door = message.Call, "sip"
		}
	} else {
		e.Source.ID = fmt.Sprintf("shop%d.example.com", random.IntN(30))
		e.MailFrom, e.From = "bounce@"+e.Source.ID, "sales@"+e.Source.ID
		e.Route = []message.Hop{{From: "out." + e.Source.ID, Address: e.Source.Address, By: "mx1.example.net", With: "ESMTPS", At: at, Trusted: true},
			{From: "app.internal.example.com", By: "out." + e.Source.ID, With: "SMTP", At: at.Add(-2 * time.Second)}}
		e.LinkHosts = []string{"www." + e.Source.ID}
		e.Incumbent = message.Incumbent{Filter: "rspamd", Label: message.Ham, Score: 1.2}
		if bad != (at.Second()%10 == 0) { // it errs on every tenth
			e.Incumbent.Label, e.Incumbent.Score = message.Spam, 8.4
		}
	}
	if bad {
		add("listed", message.SourceAnalysis, 2.1+random.Float64(), e.Source.Client(), "bl.example.net")
		add("link_shortener", message.Content, 1.8+random.Float64(), "sho.example")
		add("learner_text", message.Content, 1.5*random.Float64())
		v.Category = message.Phishing
	} else {
		add("spf_pass", message.SourceAnalysis, -1.4, e.Source.ID)
		add("learner_text", message.Content, -2*random.Float64())
	}
	e.Verdicts = []message.Verdict{v}
	finish(e)
	return e
}

// finish sums up and decides, as filter and policy do.
func finish(e *message.Event) {
	v := &e.Verdicts[0]
	v.Score = v.Sum()
	v.Probability = v.Calibration.Probability(v.Score)
	e.Outcomes[0].Decision.Thresholds = []message.Threshold{{Action: message.Tag, From: 0.5}, {Action: message.Hold, From: 0.9}, {Action: message.Reject, From: 0.98}}
	e.Outcomes[0].Decision = policy.Remake(e)[0]
}

// visitor is a browser without a script.
type visitor struct {
	t      testing.TB
	client *http.Client
	url    string
}

func (s *stand) visitor(t testing.TB) *visitor {
	jar, _ := cookiejar.New(nil)
	return &visitor{t, &http.Client{Jar: jar}, s.url}
}

// admin is a visitor who used the first link and set a password.
func (s *stand) admin(t testing.TB) *visitor {
	t.Helper()
	v := s.visitor(t)
	if status, _ := v.post(s.link, nil); status != 200 {
		t.Fatalf("first link: %d", status)
	}
	if status, body := v.post("/password", url.Values{"new": {password}, "again": {password}}); status != 200 {
		t.Fatalf("set password: %d\n%s", status, body)
	}
	return v
}

// as is a visitor with a new account of the role.
func (s *stand) as(t testing.TB, role account.Role) *visitor {
	t.Helper()
	secret, err := s.book.Invite(t.Context(), account.System, "some."+role.String(), role, now)
	if err != nil {
		t.Fatal(err)
	}
	v := s.visitor(t)
	if status, _ := v.post(LinkPath(secret), nil); status != 200 {
		t.Fatalf("link of %s: %d", role, status)
	}
	return v
}

// owner is a visitor who signed in by mail.
func (s *stand) owner(t testing.TB, address string) *visitor {
	t.Helper()
	v := s.visitor(t)
	if status, _ := v.post(s.signInLink(t, v, address), nil); status != 200 {
		t.Fatalf("link of %s: %d", address, status)
	}
	return v
}

// signInLink asks for a link and is the path of the latest.
func (s *stand) signInLink(t testing.TB, v *visitor, address string) string {
	t.Helper()
	if status, body := v.post("/mine/in", url.Values{"address": {address}}); status != 200 {
		t.Fatalf("ask for a link: %d\n%s", status, body)
	}
	got := s.sink.For(address)
	if len(got) == 0 {
		t.Fatalf("no mail for %s", address)
	}
	links := email.ParseBytes([]byte(got[len(got)-1].Data)).Links
	if len(links) != 1 {
		t.Fatalf("links %+v", links)
	}
	return strings.TrimPrefix(links[0].URL, "https://mail.b.example")
}

func (v *visitor) get(path string) (int, string) {
	v.t.Helper()
	r, err := v.client.Get(v.url + path)
	return v.read(r, err)
}

func (v *visitor) post(path string, form url.Values) (int, string) {
	v.t.Helper()
	r, err := v.client.PostForm(v.url+path, form)
	return v.read(r, err)
}

func (v *visitor) read(r *http.Response, err error) (int, string) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return r.StatusCode, string(b)
}
