package policy

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"pgregory.net/rapid"

	"rempart/config"
	"rempart/message"
)

// rules reads a policy as it stands in the configuration file.
func rules(t testing.TB, text string) *Rules {
	t.Helper()
	var file struct {
		Policy Config `toml:"policy"`
	}
	d := toml.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	r, err := New(file.Policy)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// verdict with a probability, resting on content or also on the source.
func verdict(p float64, source bool) *message.Verdict {
	v := &message.Verdict{Probability: p, Contributions: []message.Contribution{
		{Name: "link_host", Method: message.Content, State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(2)},
		// An outage, and a source that speaks for the message: neither is evidence against it.
		{Name: "spf_fail", Method: message.SourceAnalysis, State: message.StateUnknown, Input: message.FixedOne, Coefficient: message.Odds(1)},
		{Name: "known", Method: message.SourceAnalysis, State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(-1)},
	}}
	if source {
		v.Contributions = append(v.Contributions, message.Contribution{Name: "listed", Method: message.SourceAnalysis,
			State: message.StatePresent, Input: message.FixedOne, Coefficient: message.Odds(3)})
	}
	return v
}

func mail(to ...string) *message.Message {
	m := &message.Message{Channel: message.Email, Direction: message.In, Source: message.Source{Address: netip.MustParseAddr("192.0.2.7")}}
	m.Facts.Auth.DKIM = []message.DKIM{{Status: "fail", Domain: "bank.example"}, {Status: "pass", Domain: "News.Example"}}
	for _, a := range to {
		m.Recipients = append(m.Recipients, message.Recipient{Address: a})
	}
	return m
}

// sentFrom is a mail by an author, with a result of SPF.
func sentFrom(author, spf, domain string) *message.Message {
	m := mail("a@example.net")
	m.From.Local, m.From.Domain, _ = strings.Cut(author, "@")
	m.Facts.Auth.SPF, m.Facts.Auth.SPFDomain = spf, domain
	return m
}

// sealedBy is a mail that was handed on under a seal (ARC).
func sealedBy(domain string, trusted bool) *message.Message {
	m := sentFrom("ann@bank.example", "fail", "else.example")
	m.Facts.Auth.ARC = message.ARC{Status: "pass", Sealer: domain, Trusted: trusted}
	return m
}

func text(system, sender string) *message.Message {
	return &message.Message{Channel: message.SMS, MailFrom: sender, SMS: &message.SMSInfo{SystemID: system},
		Recipients: []message.Recipient{{Address: "447700900001"}}}
}

func TestDecide(t *testing.T) {
	const strict = `
[policy.thresholds]
hold = 0.95
reject = 0.99
`
	const lists = `
[policy]
allow = [{dkim = "news.example"}, {network = "198.51.100.0/24", name = "office"}, {system_id = "esme1", sender = "ACME"}]
deny = [{dkim = "bank.example"}, {network = "::ffff:192.0.2.7"}, {sender = "PRIZE", action = "discard"}]
`
	const vouched = `
[policy]
allow = [{from = "ann@bank.example", spf = "bank.example"}]
deny = [{spf = ".shop.example"}]
`
	const sealed = `
[policy]
allow = [{arc = "list.example", from = "ann@bank.example"}]
deny = [{arc = ".list.example"}]
`
	const trial = `
[policy]
deny = [{network = "192.0.2.0/24", mode = "shadow", name = "trial"}]
`
	const scoped = `
[policy.thresholds]
quarantine = 0.95
[[policy.scope]]
domain = "Quiet.example"
thresholds = {tag = 0, quarantine = 0}
[[policy.scope]]
domain = "quiet.example"
user = "strict@quiet.example"
thresholds = {tag = 0.2}
[[policy.scope]]
tenant = "school"
mode = "shadow"
thresholds = {quarantine = 0.5}
`
	school := mail("pupil@school.example")
	school.Recipients[0].Tenant = "School"
	from := func(addr string, m *message.Message) *message.Message {
		m.Source.Address = netip.MustParseAddr(addr)
		return m
	}
	unsigned := func(m *message.Message) *message.Message { m.Facts.Auth.DKIM = nil; return m }
	shadow := mail("a@example.net")
	shadow.Mode = message.ModeShadow

	infected := func(name string) *message.Message {
		m := mail("a@example.net")
		m.Facts.Scan = message.Scan{State: message.StatePresent, Name: name, Guess: strings.HasPrefix(name, "PUA.")}
		return m
	}

	for _, tt := range []struct {
		name   string
		policy string
		m      *message.Message
		v      *message.Verdict
		action message.Action
		rule   string
		mode   message.Mode
	}{
		{"default: below", "", mail("a@example.net"), verdict(0.89, true), message.Accept, "none", 0},
		{"default: tagged", "", mail("a@example.net"), verdict(0.9, false), message.Tag, "threshold", 0},
		{"default: nothing rejects", "", mail("a@example.net"), verdict(1, true), message.Tag, "threshold", 0},
		{"no recipient", "", mail(), verdict(0.95, false), message.Tag, "threshold", 0},
		{"hold", strict, mail("a@example.net"), verdict(0.97, true), message.Hold, "threshold", 0},
		{"reject", strict, mail("a@example.net"), verdict(0.99, true), message.Reject, "threshold", 0},
		{"content alone never rejects", strict, mail("a@example.net"), verdict(1, false), message.Hold, "threshold_without_source", 0},
		{"nor when nothing milder is on", "[policy.thresholds]\ntag = 0\nreject = 0.5", mail("a@example.net"), verdict(1, false), message.Accept, "threshold_without_source", 0},
		{"nor discards", "[policy.thresholds]\ndiscard = 0.5", mail("a@example.net"), verdict(1, false), message.Tag, "threshold_without_source", 0},
		{"the door's shadow stays", "[policy]\nmode = 'judge'", shadow, verdict(0.95, false), message.Tag, "threshold", message.ModeShadow},
		{"all to shadow at once", "[policy]\nmode = 'shadow'", mail("a@example.net"), verdict(0.95, false), message.Tag, "threshold", message.ModeShadow},

		{"allowed by signature", lists, mail("a@example.net"), verdict(1, true), message.Accept, "allow:news.example", 0},
		{"a failed signature is no identity", lists, from("203.0.113.1", mail("a@example.net")), verdict(0.1, true), message.Accept, "allow:news.example", 0},
		{"denied by network", lists, unsigned(mail("a@example.net")), verdict(0.1, false), message.Reject, "deny:::ffff:192.0.2.7", 0},
		{"allowed author, vouched for", vouched, sentFrom("Ann@bank.example", "pass", "bank.example"), verdict(1, true), message.Accept, "allow:bank.example:ann@bank.example", 0},
		{"allowed author, but forged", vouched, sentFrom("ann@bank.example", "fail", "bank.example"), verdict(1, true), message.Tag, "threshold", 0},
		{"vouched for, but another author", vouched, sentFrom("ben@bank.example", "pass", "bank.example"), verdict(1, true), message.Tag, "threshold", 0},
		{"denied by SPF", vouched, sentFrom("a@shop.example", "pass", "Mail.shop.example"), verdict(0.1, true), message.Reject, "deny:.shop.example", 0},
		{"SPF of another", vouched, sentFrom("a@shop.example", "pass", "workshop.example"), verdict(0.1, true), message.Accept, "none", 0},
		{"allowed by network", lists, unsigned(from("::ffff:198.51.100.9", mail("a@example.net"))), verdict(1, true), message.Accept, "office", 0},
		{"sender of its owner", lists, text("esme1", "acme"), verdict(1, true), message.Accept, "allow:esme1:ACME", 0},
		{"sender of another", lists, text("esme2", "ACME"), verdict(0.95, true), message.Tag, "threshold", 0},
		{"denied sender", lists, text("esme1", "Prize"), verdict(0.1, true), message.Discard, "deny:PRIZE", 0},
		{"vouched for by a sealer", sealed, sealedBy("list.example", true), verdict(0.95, true), message.Accept, "allow:list.example:ann@bank.example", 0},
		{"a sealer that nobody trusts", sealed, sealedBy("list.example", false), verdict(0.95, true), message.Tag, "threshold", 0},
		{"below a sealer's domain", sealed, sealedBy("a.List.example", true), verdict(0.1, true), message.Reject, "deny:.list.example", 0},
		{"a rule on trial decides nothing", trial, mail("a@example.net"), verdict(0.95, false), message.Tag, "threshold", 0},

		{"malware whatever its score", "", infected("Win.Trojan.A"), verdict(0.01, false), message.Reject, "malware", 0},
		{"and whoever signed it", lists, infected("Win.Trojan.A"), verdict(0.01, false), message.Reject, "malware", 0},
		{"malware held", "[policy]\nmalware = 'hold'", infected("Win.Trojan.A"), verdict(1, true), message.Hold, "malware", 0},
		{"malware left to the score", "[policy]\nmalware = 'accept'", infected("Win.Trojan.A"), verdict(0.95, false), message.Tag, "threshold", 0},
		{"malware as the domain wants it", "[[policy.scope]]\ndomain = 'example.net'\nmalware = 'discard'", infected("Win.Trojan.A"), verdict(0.5, false), message.Discard, "malware", 0},
		{"a guess of the scanner's", "", infected("PUA.Doc"), verdict(0.5, false), message.Accept, "none", 0},
		{"malware in shadow", "[policy]\nmode = 'shadow'", infected("Win.Trojan.A"), verdict(0.01, false), message.Reject, "malware", message.ModeShadow},

		{"scope turns off", scoped, mail("a@quiet.example"), verdict(0.99, true), message.Accept, "none", 0},
		{"user above domain", scoped, mail("Strict@quiet.example"), verdict(0.3, true), message.Tag, "threshold", 0},
		{"tenant's mode", scoped, school, verdict(0.6, true), message.Quarantine, "threshold", message.ModeShadow},
		{"others as the node", scoped, mail("a@example.net"), verdict(0.96, true), message.Quarantine, "threshold", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := message.Judgement{Verdicts: []*message.Verdict{tt.v}}
			d := Decide(j, tt.m, rules(t, tt.policy))
			if len(d) != 1 || d[0].Action != tt.action || d[0].Rule != tt.rule || d[0].Mode != tt.mode {
				t.Fatalf("%+v, want %s by %s in mode %s", d, tt.action, tt.rule, tt.mode)
			}
			if (d[0].Action == message.Reject) != (d[0].Text != "") {
				t.Errorf("text %q for %s", d[0].Text, d[0].Action)
			}
			if again := Remake(message.NewEvent(tt.m, j, d)); !reflect.DeepEqual(again, d) {
				t.Errorf("remade from the event: %+v, was %+v", again, d)
			}
		})
	}
}

func TestTrialIsRecorded(t *testing.T) {
	r := rules(t, `policy.deny = [{network = "192.0.2.0/24", mode = "shadow", name = "trial"}, {network = "192.0.2.7", action = "hold", name = "real"}]`)
	d := Decide(message.Judgement{Verdicts: []*message.Verdict{verdict(0.1, true)}}, mail("a@example.net"), r)[0]
	want := []message.Match{{Rule: "trial", Action: message.Reject, Mode: message.ModeShadow}, {Rule: "real", Action: message.Hold}}
	if d.Action != message.Hold || d.Rule != "real" || !reflect.DeepEqual(d.Matches, want) {
		t.Errorf("%+v", d)
	}
}

// Whatever else is known of it, and whatever the lists say: a call for help passes, and its record says why.
func TestEmergencyPasses(t *testing.T) {
	r := rules(t, "[policy.thresholds]\nreject = 0.5\n[[policy.deny]]\nnetwork = \"192.0.2.0/24\"\n")
	m := mail("112")
	m.Channel, m.Facts.Emergency = message.Call, true
	d := Decide(message.Judgement{Verdicts: []*message.Verdict{verdict(0.999, true)}}, m, r)
	if d[0].Action != message.Accept || d[0].Rule != RuleEmergency {
		t.Errorf("a call to 112: %v by %s", d[0].Action, d[0].Rule)
	}
	e := &message.Event{Verdicts: []message.Verdict{*verdict(0.999, true)}, Outcomes: []message.Outcome{{Decision: d[0]}}}
	if again := Remake(e); again[0].Action != message.Accept || again[0].Rule != RuleEmergency {
		t.Errorf("made again: %+v", again[0])
	}
}

func TestOutgoingIsJudgedByItsAccount(t *testing.T) {
	r := rules(t, "[[policy.scope]]\nuser = 'anna@example.com'\nthresholds = {hold = 0.5}\n[[policy.scope]]\nuser = 'bob@example.net'\nthresholds = {reject = 0.1}")
	m := mail("bob@example.net")
	m.Direction, m.Account = message.Out, "anna@example.com"
	if d := Decide(message.Judgement{Verdicts: []*message.Verdict{verdict(0.6, true)}}, m, r)[0]; d.Action != message.Hold {
		t.Errorf("%+v", d)
	}
}

// What our own accounts send has thresholds of its own, which a narrower scope overrides; mail coming in has not.
func TestOutgoingThresholds(t *testing.T) {
	r := rules(t, "[policy.outgoing]\nhold = 0.8\n[[policy.scope]]\nuser = 'club@example.com'\nthresholds = {hold = 0.99}")
	for _, tt := range []struct {
		direction message.Direction
		account   string
		want      message.Action
	}{{message.Out, "anna@example.com", message.Hold}, {message.Out, "club@example.com", message.Tag}, {message.In, "", message.Tag}} {
		m := mail("bob@example.net")
		m.Direction, m.Account = tt.direction, tt.account
		if d := Decide(message.Judgement{Verdicts: []*message.Verdict{verdict(0.95, true)}}, m, r)[0]; d.Action != tt.want {
			t.Errorf("%s %s: %+v, want %s", tt.direction, tt.account, d, tt.want)
		}
	}
}

func TestNewNamesTheKey(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{Thresholds: Thresholds{Tag: ptr(1.5)}}, "policy.thresholds.tag = 1.5"},
		{Config{Limit: LimitConfig{Sender: -1}}, "policy.limit.sender = -1"},
		{Config{Greylist: GreylistConfig{Delay: config.Duration(24 * time.Hour)}}, "policy.greylist.delay = 24h0m0s"},
		{Config{Deny: []Entry{{Network: "192.0.2.1", Name: RuleLimitSender}}}, `policy.deny[0].name = "limit_sender"`},
		{Config{Outgoing: Thresholds{Greylist: ptr(0.3)}}, "policy.outgoing.greylist = 0.3"},
		{Config{Deny: []Entry{{Network: "192.0.2.1", Action: message.Greylist}}}, `policy.deny[0].action = "greylist"`},
		{Config{Outgoing: Thresholds{Hold: ptr(-1.0)}}, "policy.outgoing.hold = -1"},
		{Config{Deny: []Entry{{}}}, "policy.deny[0] names nobody"},
		{Config{Deny: []Entry{{Network: "192.0.2.0/33"}}}, `policy.deny[0].network = "192.0.2.0/33"`},
		{Config{Deny: []Entry{{DKIM: "a.example", Action: message.Redirect}}}, "policy.deny[0].action"},
		{Config{Allow: []Entry{{From: "ann@bank.example"}}}, "policy.allow[0].from"},
		{Config{Allow: []Entry{{Sender: "ACME"}}}, "policy.allow[0].sender"},
		{Config{Scope: []ScopeConfig{{}}}, "policy.scope[0] names nobody"},
		{Config{Scope: []ScopeConfig{{Domain: "a.example"}, {Domain: "A.example", Thresholds: Thresholds{Hold: ptr(-1)}}}}, "policy.scope[1].thresholds.hold = -1"},
		{Config{Scope: []ScopeConfig{{Domain: "a.example"}, {Domain: "A.example"}}}, "policy.scope[1]: this tenant"},
	} {
		if _, err := New(tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v does not name %s", err, tt.want)
		}
	}
}

func ptr(f float64) *float64 { return &f }

// anyThreshold draws unset, off, or a probability.
func anyThreshold(t *rapid.T) *float64 {
	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return ptr(0)
	}
	return ptr(rapid.Float64Range(0.001, 1).Draw(t, "from"))
}

func anyRules(t *rapid.T) *Rules {
	any := func() Thresholds {
		return Thresholds{anyThreshold(t), anyThreshold(t), anyThreshold(t), anyThreshold(t), anyThreshold(t), anyThreshold(t), anyThreshold(t), anyThreshold(t), anyThreshold(t)}
	}
	r, err := New(Config{Thresholds: any(), Scope: []ScopeConfig{{Domain: "example.net", Thresholds: any()}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A higher probability never gets a milder action.
func TestMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRules(t)
		source := rapid.Bool().Draw(t, "source")
		low := rapid.Float64Range(0, 1).Draw(t, "low")
		high := rapid.Float64Range(low, 1).Draw(t, "high")
		m := mail("a@example.net", "b@example.org")
		decide := func(p float64) []message.Decision {
			v := verdict(p, source)
			return Decide(message.Judgement{Verdicts: []*message.Verdict{v, v}}, m, r)
		}
		was, is := decide(low), decide(high)
		for i := range was {
			if is[i].Action < was[i].Action {
				t.Fatalf("%v gets %s, %v gets %s", low, was[i].Action, high, is[i].Action)
			}
			if !source && irrevocable(is[i].Action) {
				t.Fatalf("content alone got %s", is[i].Action)
			}
		}
	})
}

// Whatever the rules, an event remakes its decisions, and its action is one that a threshold in force asks for.
func TestRemake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRules(t)
		m := mail("a@example.net", "b@example.org")
		j := message.Judgement{Verdicts: []*message.Verdict{
			verdict(rapid.Float64Range(0, 1).Draw(t, "p1"), rapid.Bool().Draw(t, "s1")),
			verdict(rapid.Float64Range(0, 1).Draw(t, "p2"), rapid.Bool().Draw(t, "s2")),
		}}
		d := Decide(j, m, r)
		if again := Remake(message.NewEvent(m, j, d)); !reflect.DeepEqual(again, d) {
			t.Fatalf("%+v became %+v", d, again)
		}
	})
}

// A mail that goes in circles is refused by itself; one with a long way is not.
func TestLoop(t *testing.T) {
	r := rules(t, "")
	decide := func(name string, n int) message.Decision {
		m := &message.Message{Channel: message.Email, Direction: message.In}
		for range n {
			m.Header = append(m.Header, message.Field{Name: name, Value: "by mx.example; Mon, 3 Aug 2026 10:00:00 +0000"})
		}
		j := message.Judgement{Verdicts: []*message.Verdict{{}}}
		d := Decide(j, m, r)
		if again := Remake(message.NewEvent(m, j, d)); again[0].Text != d[0].Text || again[0].Action != d[0].Action {
			t.Errorf("made again from the event: %+v, first %+v", again[0], d[0])
		}
		return d[0]
	}
	for _, tt := range []struct {
		field string
		n     int
		want  message.Action
	}{{"Received", 50, message.Accept}, {"received", 51, message.Reject}, {"X-Rempart-ID", 10, message.Accept}, {"X-Rempart-ID", 11, message.Reject}} {
		d := decide(tt.field, tt.n)
		if d.Action != tt.want || (d.Rule == RuleLoop) != (tt.want == message.Reject) || (d.Text == "") != (tt.want == message.Accept) {
			t.Errorf("%d %s: %+v", tt.n, tt.field, d)
		}
	}
}
