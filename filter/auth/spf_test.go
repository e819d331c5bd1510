package auth

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"rempart/dns/dnstest"
)

// spfSuite is one document of the RFC 7208 test suite: tests, and the zone that they ask.
type spfSuite struct {
	Description string
	Tests       map[string]struct {
		Helo, Host, MailFrom string
		Result               oneOrMore
	}
	Zone map[string][]map[string]oneOrMore `yaml:"zonedata"`
}

// oneOrMore is a list, or its only element.
type oneOrMore []string

func (l *oneOrMore) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = oneOrMore{n.Value}
		return nil
	}
	return n.Decode((*[]string)(l))
}

func spfSuites(t *testing.T) (suites []spfSuite) {
	t.Helper()
	f, err := os.Open("testdata/rfc7208/rfc7208-tests.yml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for d := yaml.NewDecoder(f); ; {
		var s spfSuite
		if err := d.Decode(&s); err == io.EOF {
			return suites
		} else if err != nil {
			t.Fatal(err)
		}
		suites = append(suites, s)
	}
}

// serve makes the zone of a suite: "SPF" stands for TXT where there is no TXT, TIMEOUT for no answer.
func (s spfSuite) serve(t *testing.T) *dnstest.Zone {
	t.Helper()
	var records, failing []string
	for name, rrs := range s.Zone {
		hasTXT := slices.ContainsFunc(rrs, func(rr map[string]oneOrMore) bool { return rr["TXT"] != nil })
		name = octets(name, "-_.")
		for _, rr := range rrs {
			for kind, value := range rr {
				switch kind {
				case "TIMEOUT", "CNAMELOOP":
					failing = append(failing, name)
				case "SPF", "TXT":
					if kind == "SPF" && hasTXT || len(value) == 0 || value[0] == "NONE" {
						continue
					}
					for i := range value {
						value[i] = `"` + octets(value[i], " -_.=:/?+~%{}") + `"`
					}
					records = append(records, name+". 60 IN TXT "+strings.Join(value, " "))
				case "PTR", "CNAME":
					records = append(records, name+". 60 IN "+kind+" "+strings.TrimSuffix(octets(value[0], "-_."), ".")+".")
				case "MX":
					records = append(records, name+". 60 IN MX "+value[0]+" "+strings.TrimSuffix(octets(value[1], "-_."), ".")+".")
				default:
					records = append(records, name+". 60 IN "+kind+" "+value[0])
				}
			}
		}
	}
	z := dnstest.Serve(t, records...)
	z.Fail(failing...)
	return z
}

// octets writes what is no letter, digit or one of those plain as \DDD.
func octets(s, plain string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\%03d`, c)
		}
	}
	return b.String()
}

func TestRFC7208Suite(t *testing.T) {
	n := 0
	for _, suite := range spfSuites(t) {
		c := newChecker(t, suite.serve(t))
		for name, tt := range suite.Tests {
			n++
			got, _ := c.spf(t.Context(), source{address: netip.MustParseAddr(tt.Host), helo: tt.Helo, mailFrom: tt.MailFrom})
			if !slices.Contains(tt.Result, got) {
				t.Errorf("%s, %s: %s, want %v", suite.Description, name, got, tt.Result)
			}
		}
	}
	if n != 203 {
		t.Errorf("the suite has %d tests", n)
	}
}

// Without time an evaluation is a temperror, never a permerror.
func TestSPFWithoutTime(t *testing.T) {
	z := dnstest.Hold(t, `a.example. 60 IN TXT "v=spf1 -all"`)
	defer z.Release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, _ := newChecker(t, z).spf(ctx, source{address: netip.MustParseAddr("192.0.2.1"), mailFrom: "a@a.example"})
	if got != "temperror" {
		t.Errorf("%s", got)
	}
}

// A record is anybody's bytes: what is read of it asks for valid names, and expanding ends.
func FuzzSPF(f *testing.F) {
	f.Add("v=spf1 a:%{d}/24//64 mx include:_spf.%{d2} ip4:192.0.2.0/24 ip6:2001:db8::/32 exists:%{ir}.%{L1r+-}.%{v}.x.example redirect=b.example exp=c.%{o}")
	f.Add("v=spf1 -ptr ?all x=%_%-%%")
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := parseSPF(text)
		if !ok {
			return
		}
		e := &evaluation{address: netip.MustParseAddr("2001:db8::1"), helo: "mx.a.example", local: "a.b+c", domain: "a.example", named: true}
		specs := []string{r.redirect}
		for _, m := range r.mechanisms {
			specs = append(specs, m.spec)
			if m.result == "" || m.bits4 > 32 || m.bits6 > 128 {
				t.Fatalf("%+v", m)
			}
		}
		for _, s := range specs {
			if out := e.expand(t.Context(), s, "a.example"); len(out) > 254 && strings.Contains(out[:len(out)-1], ".") {
				t.Fatalf("%q became %d octets", s, len(out))
			}
		}
	})
}
