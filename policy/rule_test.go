package policy

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rempart/config"
	"rempart/message"
)

// ruleOf is the policy of one rule with a condition.
func ruleOf(when string) string {
	return fmt.Sprintf("[[policy.rule]]\nname = \"r\"\naction = \"hold\"\nwhen = '''%s'''\n", when)
}

// full is a mail that has something of all that rules can ask.
func full() *message.Message {
	m := mail("ann@example.net", "ben@example.org")
	m.Recipients[1].User, m.Recipients[1].Tenant = "ben", "school"
	m.Tenant, m.Door, m.MailFrom, m.Helo = "isp", "mx", "bounce@shop.example", "mx.shop.example"
	m.From = message.Address{Name: "The Shop", Local: "news", Domain: "shop.example"}
	m.ReplyTo = []message.Address{{Local: "a", Domain: "b.example"}}
	m.Subject, m.Text, m.Size = "Your invoice Ä", "pay now", 1234
	m.Header = message.Header{{Name: "X-Mailer", Value: "The Bat!"}, {Name: "Received", Value: "one"}, {Name: "received", Value: "two"}}
	m.Links = []message.Link{{Host: "pay.example"}, {Host: "pay.example"}, {Host: "198.51.100.7"}}
	m.Attachments = []message.Attachment{{Name: "invoice.pdf.zip", Declared: "application/zip", Size: 99, Inside: &message.Inside{Encrypted: true}}}
	m.Source.Country, m.Source.Network, m.Source.Name = "NL", 64500, "mx.shop.example"
	m.Facts.Auth.SPF, m.Facts.Auth.SPFDomain, m.Facts.Auth.DMARC = "pass", "shop.example", "fail"
	m.Facts.Auth.ARC = message.ARC{Status: "pass", Sealer: "list.example", Trusted: true}
	return m
}

func seen() *message.Verdict {
	return &message.Verdict{Probability: 0.4, Score: message.Odds(-0.5), Category: message.Phishing, Contributions: []message.Contribution{
		{Name: "spf_fail", State: message.StatePresent, Input: 2 * message.FixedOne, Coefficient: message.Odds(1.5)},
		{Name: "dmarc_fail", State: message.StateUnknown},
	}}
}

func TestRule(t *testing.T) {
	for when, want := range map[string]bool{
		`message.subject contains 'invoice' and verdict.probability > 0.3 and has('spf_fail')`: true,
		`message.subject contains 'Invoice'`:                                                   false,
		`lower(message.subject) contains 'ä'`:                                                  true,
		`message.subject matches '(?i)\\bINVOICE\\b'`:                                          true,
		`message.subject matches '^invoice'`:                                                   false,
		`message.subject matches 'Ä$'`:                                                         true,
		`message.channel == 'email' and message.direction == 'in'`:                             true,
		`message.door == 'mx' and message.tenant == 'isp' and message.account == ''`:           true,
		`message.sender endsWith '@shop.example'`:                                              true,
		`message.from == 'news@shop.example' and message.from_name == 'The Shop'`:              true,
		`message.from_domain in ['shop.example', 'b.example']`:                                 true,
		`message.from not in message.reply_to`:                                                 true,
		`message.text == 'pay now' and message.size > 1000`:                                    true,
		`message.recipients == 2`:                                                              true,
		`any(message.link_hosts, # endsWith '.example') and len(message.link_hosts) == 2`:      true,
		`all(message.link_hosts, within('192.0.2.0/24'))`:                                      true,
		`any(message.attachments, .name endsWith '.zip' and .encrypted)`:                       true,
		`none(message.attachments, .macros or .program)`:                                       true,
		`count(message.attachments, .size > 10) == 1`:                                          true,
		`client.address == '192.0.2.7' and client.country == 'NL'`:                             true,
		`client.network == 64500 and not client.trusted`:                                       true,
		`client.name == client.helo`:                                                           true,
		`within('198.51.100.0/24')`:                                                            false,
		`auth.spf == 'pass' and auth.spf_domain == 'shop.example'`:                             true,
		`'News.Example' in auth.dkim and 'bank.example' not in auth.dkim`:                      true,
		`auth.dmarc == 'fail' and auth.arc_trusted and auth.arc_sealer == 'list.example'`:      true,
		`header('x-mailer') startsWith 'The' and header('X-None') == ''`:                       true,
		`len(headers('Received')) == 2 and headers('received')[1] == 'two'`:                    true,
		`value('spf_fail') == 2 and weight('spf_fail') == 3`:                                   true,
		`has('dmarc_fail')`: false,
		`unknown('dmarc_fail') and not unknown('spf_fail')`:    true,
		`verdict.score < 0 and verdict.category == 'phishing'`: true,
		`recipient.address == 'ann@example.net'`:               true,
		`recipient.tenant == 'school'`:                         false,
	} {
		d := Decide(message.Judgement{Verdicts: []*message.Verdict{seen(), seen()}}, full(), rules(t, ruleOf(when)))
		if fits := d[0].Rule == "rule:r"; fits != want || d[0].Skipped != nil {
			t.Errorf("%s: %v by %q, skipped %v", when, fits, d[0].Rule, d[0].Skipped)
		}
	}
}

// What a rule says of one recipient does not hold for the next, and what it says of a verdict does for all who share it.
func TestRuleOfRecipients(t *testing.T) {
	m, v := full(), seen()
	other := seen()
	other.Probability = 0.2
	for when, want := range map[string][2]string{
		`recipient.user == 'ben'`:                   {"none", "rule:r"},
		`recipient.address endsWith '@example.net'`: {"rule:r", "none"},
		`verdict.probability < 0.3`:                 {"none", "rule:r"},
		`message.from_domain == 'shop.example'`:     {"rule:r", "rule:r"},
	} {
		d := Decide(message.Judgement{Verdicts: []*message.Verdict{v, other}}, m, rules(t, ruleOf(when)))
		if got := [2]string{d[0].Rule, d[1].Rule}; got != want {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	if d := Decide(message.Judgement{}, full(), rules(t, ruleOf(`verdict.probability == 0 and not has('spf_fail')`))); d[1].Rule != "rule:r" {
		t.Errorf("without a verdict: %+v", d)
	}
}

// What is asked first, and what decides.
func TestRuleOrder(t *testing.T) {
	const file = `
[policy.thresholds]
reject = 0.99
[policy.limit]
network = 10
[[policy.allow]]
dkim = "news.example"
[[policy.rule]]
name = "trial"
when = "message.size < 100"
action = "quarantine"
mode = "shadow"
[[policy.rule]]
name = "tag"
when = "message.size < 100"
action = "tag"
[[policy.rule]]
name = "behind"
when = "message.size < 100"
action = "reject"
`
	unsigned := func(change func(*message.Message)) *message.Message {
		m := mail("a@example.net")
		m.Facts.Auth.DKIM = nil
		m.Facts.Arriving.Network.Hour = 50
		change(m)
		return m
	}
	for _, tt := range []struct {
		name    string
		m       *message.Message
		action  message.Action
		rule    string
		matches int
	}{
		{"a list comes first", unsigned(func(m *message.Message) { m.Facts.Auth.DKIM = mail().Facts.Auth.DKIM }), message.Accept, "allow:news.example", 1},
		{"the first in force, whatever the score", unsigned(func(*message.Message) {}), message.Tag, "rule:tag", 2},
		{"none fits: limits and thresholds", unsigned(func(m *message.Message) { m.Size = 200; m.Facts.Arriving.Network.Hour = 0 }), message.Reject, "threshold", 0},
		{"malware comes before", unsigned(func(m *message.Message) { m.Facts.Scan.State = message.StatePresent }), message.Reject, "malware", 1},
	} {
		j := message.Judgement{Verdicts: []*message.Verdict{verdict(0.999, true)}}
		d := Decide(j, tt.m, rules(t, file))
		if d[0].Action != tt.action || d[0].Rule != tt.rule || len(d[0].Matches) != tt.matches {
			t.Errorf("%s: %+v", tt.name, d[0])
		}
		if again := Remake(message.NewEvent(tt.m, j, d)); !reflect.DeepEqual(again, d) {
			t.Errorf("%s: %+v became %+v", tt.name, d, again)
		}
	}
}

// What a rule on trial is counted for is what it does once it is in force.
func TestShadowAgreesWithForce(t *testing.T) {
	conditions := []string{"verdict.probability > 0.3", "verdict.probability > 0.6", "has('spf_fail')", "message.size > 500",
		"recipient.address startsWith 'a'", "client.address == '192.0.2.7'"}
	rapid.Check(t, func(t *rapid.T) {
		var file [2]Config
		tried := rapid.IntRange(0, 3).Draw(t, "tried")
		for i := range 4 {
			r := RuleConfig{Name: fmt.Sprint("r", i), When: rapid.SampledFrom(conditions).Draw(t, "when"), Action: message.Hold}
			if i == tried || rapid.Bool().Draw(t, "shadow") {
				r.Mode = message.ModeShadow
			}
			file[0].Rule = append(file[0].Rule, r)
			if i == tried {
				r.Mode = message.ModeJudge
			}
			file[1].Rule = append(file[1].Rule, r)
		}
		shadow, err := New(file[0])
		if err != nil {
			t.Fatal(err)
		}
		force, err := New(file[1])
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint("rule:r", tried)
		counted, decided := 0, 0
		for range 20 {
			m := mail("a@example.net", "b@example.org")
			m.Size = rapid.IntRange(0, 1000).Draw(t, "size")
			var j message.Judgement
			for range m.Recipients {
				v := verdict(rapid.Float64Range(0, 1).Draw(t, "p"), false)
				v.Contributions[1].State = message.State(rapid.IntRange(1, 2).Draw(t, "spf"))
				j.Verdicts = append(j.Verdicts, v)
			}
			for _, d := range Decide(j, m, shadow) {
				for _, match := range d.Matches {
					if match.Rule == name {
						counted++
					}
				}
				if d.Rule == name {
					t.Fatalf("a rule on trial decided: %+v", d)
				}
			}
			for _, d := range Decide(j, m, force) {
				if d.Rule == name {
					decided++
				}
			}
		}
		if counted != decided {
			t.Fatalf("counted %d times on trial, decided %d times in force", counted, decided)
		}
	})
}

func TestWrongRules(t *testing.T) {
	for when, want := range map[string]string{
		`message.subjekt == 'x'`:                          "2:17: policy.rule[0].when: type policy.messageFacts has no field subjekt",
		`message.size > 'x'`:                              "invalid operation",
		`message.size`:                                    "expected bool",
		`message.size >`:                                  "unexpected token EOF",
		`true and (message.size > 1`:                      "unexpected token EOF",
		`has('spf_fial')`:                                 `2:13: policy.rule[0].when: there is no signal "spf_fial"`,
		`has(message.subject)`:                            "needs a name in quotes",
		`within('192.0.2.0/33')`:                          `no address or network`,
		`message.subject matches message.from`:            "pattern in quotes",
		`message.subject matches '('`:                     "missing closing",
		`message.subject matches '(abcd|defg|ghij){300}'`: "steps",
		`any(1..1000000000, true)`:                        "no ranges",
		`let x = 1; x > 0`:                                "no variables",
		`true; true`:                                      "no variables",
		`{'a': 1} != nil`:                                 "no variables, sequences or maps",
		`(message.text + message.text) contains 'x'`:      "puts no texts together",
		`len(map(message.to, # )) > 1`:                    "unknown name map",
		`len(filter(message.to, true)) > 1`:               "unknown name filter",
		`repeat('x', 1000000) == ''`:                      "repeat",
		`reduce(message.to, true)`:                        "unknown name reduce",
		`now().Year() > 2000`:                             "now",
		`[message][0].subject == 'x'`:                     "2:10: policy.rule[0].when: write message.NAME",
		`(true ? client : client).name == 'x'`:            "write client.NAME",
		`budget == nil`:                                   "unknown name budget",
		`$env != nil`:                                     "unknown name $env",
		``:                                                "write a condition",
		strings.Repeat("true or ", 600) + "true":          "nodes",
	} {
		text := "[[policy.rule]]\nwhen = \"" + when + "\"\nname = \"r\"\naction = \"tag\"\n"
		_, err := New(Config{Rule: []RuleConfig{{Name: "r", Action: message.Tag, When: when}}})
		if err == nil {
			t.Errorf("%.60s: loaded", when)
			continue
		}
		err = config.Locate("rules.toml", []byte(text), err)
		if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "rules.toml:2:") {
			t.Errorf("%.60s: %v, want %q", when, err, want)
		}
	}
	for _, tt := range []struct {
		c    RuleConfig
		want string
	}{
		{RuleConfig{Name: "a b", When: "true", Action: message.Tag}, "name"},
		{RuleConfig{When: "true", Action: message.Tag}, "name"},
		{RuleConfig{Name: "a", When: "true"}, "action"},
		{RuleConfig{Name: "a", When: "true", Action: message.Greylist}, "action"},
		{RuleConfig{Name: "a", When: "true", Action: message.Tag, Mode: message.ModeTap}, "mode"},
	} {
		if _, err := New(Config{Rule: []RuleConfig{tt.c}}); err == nil || !strings.Contains(err.Error(), "policy.rule[0]."+tt.want) {
			t.Errorf("%+v: %v", tt.c, err)
		}
	}
	if _, err := New(Config{Rule: make([]RuleConfig, maxRules+1)}); err == nil {
		t.Error("too many rules were taken")
	}
	if _, err := New(Config{Deny: []Entry{{Name: "rule:x", DKIM: "a.example"}}}); err == nil {
		t.Error("an entry was named as a rule")
	}
}

// heavy is a mail as large as rules see one.
func heavy() *message.Message {
	m := full()
	m.Text = strings.Repeat("ä", maxFactBytes)
	m.Subject = strings.Repeat("a", maxFactBytes)
	m.Links = nil
	for i := range 2 * maxFactItems {
		m.Links = append(m.Links, message.Link{Host: fmt.Sprintf("h%d.example", i)})
	}
	for range 2 * maxFactItems {
		m.Attachments = append(m.Attachments, message.Attachment{Name: "x.zip"})
	}
	return m
}

// A rule that would take for ever is cut at its budget and named, and the mail is judged as if it were not there.
func TestRuleBombs(t *testing.T) {
	const hosts = "message.link_hosts"
	for name, when := range map[string]string{
		"loops":     "any(" + hosts + ", any(" + hosts + ", any(" + hosts + ", any(" + hosts + ", # == 'x'))))",
		"count":     "count(" + hosts + ", count(" + hosts + ", count(" + hosts + ", true) > 999) > 999) > 999",
		"texts":     "none(" + hosts + ", any(" + hosts + ", message.text contains #))",
		"lower":     "none(" + hosts + ", lower(upper(lower(upper(message.text)))) == #)",
		"pattern":   "message.subject matches '(a?){400}(a*)*b' or message.subject matches '(a|aa){300}b'",
		"a long or": "any(message.to, false)" + strings.Repeat(" or lower(message.text) contains 'x'", 100),
	} {
		r := rules(t, ruleOf(when)+"[[policy.rule]]\nname = \"next\"\naction = \"tag\"\nwhen = \"message.size > 0\"\n")
		m := heavy()
		for range 50 {
			m.Recipients = append(m.Recipients, message.Recipient{Address: "c@example.net"})
		}
		var j message.Judgement
		for range m.Recipients {
			j.Verdicts = append(j.Verdicts, seen()) // each its own
		}
		start := time.Now()
		d := Decide(j, m, r)
		took := time.Since(start)
		for i := range d {
			if len(d[i].Skipped) != 1 && i > 0 || d[i].Rule != "rule:next" {
				t.Fatalf("%s: recipient %d: %q, skipped %v", name, i, d[i].Rule, d[i].Skipped)
			}
		}
		if took > 20*time.Second { // uncut it takes minutes
			t.Errorf("%s took %s", name, took)
		}
		if again := Remake(message.NewEvent(m, j, d)); !reflect.DeepEqual(again, d) {
			t.Errorf("%s: remade otherwise", name)
		}
	}
}

// A rule that fails is skipped like one that takes too long.
func TestFailingRule(t *testing.T) {
	for _, when := range []string{"headers('X-None')[3] == 'x'", "message.size % (message.recipients - 2) == 1"} {
		d := Decide(message.Judgement{}, full(), rules(t, ruleOf(when)))
		if d[0].Rule != "none" || len(d[0].Skipped) != 1 || d[0].Skipped[0] != "rule:r" {
			t.Errorf("%s: %+v", when, d[0])
		}
	}
}

// The page lists what a rule can ask, and nothing else.
func TestPageNamesEveryFact(t *testing.T) {
	b, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[ruleFacts]()) {
		name := f.Tag.Get("expr")
		switch {
		case name == "budget" || name == "":
		case f.Type.Kind() == reflect.Struct:
			for _, g := range reflect.VisibleFields(f.Type) {
				want = append(want, name+"."+g.Tag.Get("expr"))
			}
		default:
			want = append(want, name)
		}
	}
	var listed []string
	for line := range strings.Lines(string(b)) {
		if cells := strings.Split(line, " | "); len(cells) == 3 && strings.HasPrefix(line, "| `") {
			for _, m := range regexp.MustCompile("`(\\.?[a-z_.]+)[`(]").FindAllStringSubmatch(cells[0], -1) {
				listed = append(listed, m[1])
			}
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[attachmentFact]()) {
		if name := "`." + f.Tag.Get("expr") + "`"; !strings.Contains(string(b), name) {
			t.Errorf("the page lacks %s of attachments", name)
		}
	}
	for _, name := range want {
		if !slices.Contains(listed, name) {
			t.Errorf("the page lacks %s", name)
		}
	}
	if listed = slices.DeleteFunc(listed, func(s string) bool { return slices.Contains(want, s) }); len(listed) > 0 {
		t.Errorf("the page lists %v", listed)
	}
}

// Whatever a rule is, it loads or says why, at a place that is in it, and what loads ends.
func FuzzRule(f *testing.F) {
	for _, s := range []string{"message.size > 1", "any(message.to, # contains 'x')", "has('spf_fail') ? true : message.text matches 'a+'",
		"message.from in ['a', 'b'] and not (client.network == 1)", "let x = 1; x", "all(1..3, {# > 2})"} {
		f.Add(s)
	}
	m := full()
	f.Fuzz(func(t *testing.T, when string) {
		if len(when) > 1000 {
			return
		}
		r, err := New(Config{Rule: []RuleConfig{{Name: "r", Action: message.Tag, When: when}}})
		var at *config.TextError
		if errors.As(err, &at) && (at.Rune < 0 || at.Rune > len(when)+1) {
			t.Fatalf("%q: %d: %v", when, at.Rune, err)
		}
		if err != nil {
			return
		}
		start := time.Now()
		if d := Decide(message.Judgement{Verdicts: []*message.Verdict{seen()}}, m, r); len(d) != 2 {
			t.Fatalf("%d decisions", len(d))
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Fatalf("%q took %s", when, took)
		}
	})
}

// Ten rules of the usual kind on a usual mail.
func BenchmarkRules(b *testing.B) {
	var file strings.Builder
	for i := range 10 {
		fmt.Fprintf(&file, "[[policy.rule]]\nname = \"r%d\"\naction = \"hold\"\nmode = \"shadow\"\nwhen = '''lower(message.subject) contains 'inheritance' and verdict.probability > 0.3 or has('spf_fail') and client.country in ['XX', 'YY']'''\n", i)
	}
	r, m, j := rules(b, file.String()), full(), message.Judgement{Verdicts: []*message.Verdict{seen()}}
	b.ReportAllocs()
	for b.Loop() {
		Decide(j, m, r)
	}
}
