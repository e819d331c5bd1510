package sign

import (
	"fmt"
	"strings"
	"testing"

	"rempart/dns/dnstest"
	"rempart/filter/auth"
	"rempart/message"
	"rempart/message/dkim"
)

// sealer is a node that seals, and what it asks DNS.
type sealer struct {
	t       testing.TB
	signer  *Signer
	checker *auth.Checker
}

// sealers are nodes of these domains, who find each other's keys in one zone with the others.
func sealers(t testing.TB, zone []string, domains ...string) (all []sealer) {
	for _, d := range domains {
		c := pair(t, d)
		c.ARCDomain, c.Accounts = d, []string{"@$domain"} // which is about who sends
		s := load(t, c)
		zone = append(zone, records(s)...)
		all = append(all, sealer{t: t, signer: s})
	}
	z := dnstest.Serve(t, zone...)
	for i := range all {
		c, err := auth.New(resolver(t, z), nil, auth.Config{TrustedSealers: []string{"trusted.example"}})
		if err != nil {
			t.Fatal(err)
		}
		all[i].checker = c
	}
	return all
}

// takes is the mail as it comes in.
func (s sealer) takes(raw string) *message.Message { return verified(s.checker, raw) }

// hop is the mail as it goes on.
func (s sealer) hop(raw string) string {
	s.t.Helper()
	fields, outcome := s.signer.Sign(s.takes(raw), today)
	if outcome != ARC || len(fields) != 3 {
		s.t.Fatalf("%s, %v", outcome, fields)
	}
	for i, name := range []string{"ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"} {
		if fields[i].Name != name {
			s.t.Fatalf("%d is %s", i, fields[i].Name)
		}
	}
	return before(raw, fields)
}

func TestChainOfSeals(t *testing.T) {
	author := load(t, pair(t, "a.example"))
	zone := append(records(author), `_dmarc.a.example. 60 IN TXT "v=DMARC1; p=reject"`)
	nodes := sealers(t, zone, "one.example", "two.example", "three.example")
	fields, _ := author.Sign(outgoing(plain), today)
	first := nodes[0].hop(before(plain, fields))
	want := "ARC-Authentication-Results: i=1; one.example;\r\n\tarc=none;\r\n\tdkim=pass header.d=a.example header.s=r;\r\n\t" +
		"dkim=pass header.d=a.example header.s=e;\r\n\tdmarc=pass header.from=a.example\r\n"
	if !strings.Contains(first, want) {
		t.Errorf("%s", first)
	}
	second := nodes[1].hop(first)
	third := nodes[2].hop(strings.Replace(second, "Here they", "Footer\r\nHere they", 1)) // a list changed it before
	for what, tt := range map[string]struct {
		raw    string
		status string
		n      int
		oldest int
	}{
		"one":                  {first, "pass", 1, 1},
		"two":                  {second, "pass", 2, 1},
		"changed after":        {second + "x\r\n", "fail", 2, 0},
		"results changed":      {strings.Replace(second, "dmarc=pass", "dmarc=fail", 1), "fail", 2, 0},
		"first seal taken out": {strings.Replace(second, "ARC-Seal: i=1", "X-Seal: i=1", 1), "fail", 0, 0},
		"author replaced":      {strings.Replace(second, "From: Ann", "From: Eve", 1), "fail", 2, 0},
		"a failed chain":       {third, "fail", 3, 0},
	} {
		arc := nodes[0].takes(tt.raw).Facts.Auth.ARC
		if arc.Status != tt.status || arc.Instance != tt.n || arc.OldestPass != tt.oldest {
			t.Errorf("%s: %+v", what, arc)
		}
	}

	// The seal over the failed chain says so, and is over its own set alone (RFC 8617 section 5.1.2).
	if !strings.Contains(third, "cv=fail;") || !strings.Contains(third, "three.example;\r\n\tarc=fail;") {
		t.Errorf("%s", third)
	}
	parts, body, _ := dkim.Split([]byte(third))
	alone := dkim.Chain{{Seal: &parts[0], Message: &parts[1], Results: &parts[2]}}
	tags, err := dkim.ParseTags(parts[0].Value())
	if err != nil {
		t.Fatal(err)
	}
	k := nodes[2].signer.keys["three.example"][0]
	if value, err := k.sign(alone.Hash()); err != nil || value != strings.Join(strings.Fields(tags["b"]), "") || len(body) == 0 {
		t.Errorf("%v: the seal is over something else", err)
	}
	// Nobody adds to it.
	if fields, outcome := nodes[0].signer.Sign(nodes[0].takes(third), today); outcome != ChainEnded || fields != nil {
		t.Errorf("%s, %v", outcome, fields)
	}
}

// A chain has at most fifty instances.
func TestLongestChain(t *testing.T) {
	node := sealers(t, nil, "one.example")[0]
	raw := plain
	for i := range dkim.MaxInstances {
		raw = node.hop(raw)
		if i == 24 || i == 49 {
			if arc := node.takes(raw).Facts.Auth.ARC; arc.Status != "pass" || arc.Instance != i+1 || arc.OldestPass != 1 {
				t.Errorf("%d: %+v", i+1, arc)
			}
		}
	}
	if fields, outcome := node.signer.Sign(node.takes(raw), today); outcome != ChainEnded || fields != nil {
		t.Errorf("%s", outcome)
	}
}

// Where a trusted sealer's word counts, the next set still says what this node saw itself.
func TestOwnResults(t *testing.T) {
	author := load(t, pair(t, "a.example"))
	zone := append(records(author), `_dmarc.a.example. 60 IN TXT "v=DMARC1; p=reject"`)
	nodes := sealers(t, zone, "trusted.example", "two.example")
	fields, _ := author.Sign(outgoing(plain), today)
	if m := nodes[1].takes(nodes[0].hop(before(plain, fields))); m.Facts.Auth.Here == nil || m.Facts.Auth.DMARC != "pass" {
		t.Fatalf("%+v", m.Facts.Auth)
	}
	out := nodes[1].hop(nodes[0].hop(strings.Replace(before(plain, fields), "Here they", "Footer\r\nHere they", 1)))
	if !strings.Contains(out, "i=2; two.example;\r\n\tarc=pass;\r\n\tdkim=fail header.d=a.example header.s=r;\r\n\tdkim=fail header.d=a.example header.s=e;\r\n\tdmarc=fail header.from=a.example") {
		t.Errorf("%s", out)
	}
}

// Without an answer of DNS, without the whole mail, and of mail that was not checked no seal says anything.
func TestNotSealed(t *testing.T) {
	node := sealers(t, nil, "one.example")[0]
	for what, tt := range map[string]struct {
		change func(*message.Message)
		want   Outcome
	}{
		"sealed":     {func(*message.Message) {}, ARC},
		"no answer":  {func(m *message.Message) { m.Facts.Auth.ARC.Status = "temperror" }, Unanswered},
		"cut":        {func(m *message.Message) { m.Size++ }, Cut},
		"unchecked":  {func(m *message.Message) { m.Facts.Auth = message.Authentication{} }, None},
		"internal":   {func(m *message.Message) { m.Direction = message.Internal }, None},
		"going out":  {func(m *message.Message) { m.Direction = message.Out }, NoKey},
		"never read": {func(m *message.Message) { m.Raw = nil; m.Size = 1 }, Cut},
	} {
		m := node.takes(plain)
		tt.change(m)
		if fields, outcome := node.signer.Sign(m, today); outcome != tt.want || (len(fields) == 3) != (tt.want == ARC) {
			t.Errorf("%s: %s", what, outcome)
		}
	}
}

// Whatever a mail says of chains: what is sealed is a chain that passes, or one that says that it failed.
func FuzzSeal(f *testing.F) {
	node := sealers(f, nil, "one.example")[0]
	one := node.hop(plain)
	f.Add([]byte(plain))
	f.Add([]byte(one))
	f.Add([]byte(node.hop(one)))
	f.Add([]byte("ARC-Seal: i=2\r\nARC-Seal: i=50; cv=pass\r\nFrom: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		node := sealer{t, node.signer, node.checker}
		m := node.takes(string(raw))
		status := m.Facts.Auth.ARC.Status
		fields, outcome := node.signer.Sign(m, today)
		if outcome != ARC {
			return
		}
		after := node.takes(before(string(raw), fields)).Facts.Auth.ARC
		if !strings.Contains(fields[0].Value, "cv="+status) {
			status = "fail" // of a broken header
		}
		if want := map[string]string{"none": "pass", "pass": "pass", "fail": "fail"}[status]; after.Status != want {
			t.Fatalf("%s became %+v\n%s", status, after, fmt.Sprint(fields))
		}
	})
}
