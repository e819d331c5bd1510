package foreign

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"rempart/config"
	"rempart/policy"
)

func written(l *Lists) string {
	var b strings.Builder
	if _, err := l.WriteTo(&b); err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(b.String()), "\n\n", "; "), "\n", " ")
}

func warned(l *Lists, why string) (lines []string) {
	for _, w := range l.Warnings {
		if w.Why == why {
			return w.Lines
		}
	}
	return nil
}

func TestSpamAssassin(t *testing.T) {
	for _, tt := range []struct{ line, want, why string }{
		{"whitelist_auth *@news.example", `[[policy.allow]] dkim = "news.example"; [[policy.allow]] spf = "news.example"`, ""},
		{"welcomelist_auth Ann@Bank.example # our bank", `[[policy.allow]] dkim = "bank.example" from = "ann@bank.example"; [[policy.allow]] spf = "bank.example" from = "ann@bank.example"`, ""},
		{"def_whitelist_auth *@*.shop.example", `[[policy.allow]] dkim = ".shop.example"; [[policy.allow]] spf = ".shop.example"`, ""},
		{"whitelist_from_dkim ann@a.example sender.example", `[[policy.allow]] dkim = "sender.example" from = "ann@a.example"`, ""},
		{"whitelist_from_dkim *@a.example", `[[policy.allow]] dkim = "a.example"`, ""},
		{"whitelist_from_spf *@a.example *@b.example", `[[policy.allow]] spf = "a.example"; [[policy.allow]] spf = "b.example"`, ""},
		{"whitelist_from *@a.example", `[[policy.allow]] dkim = "a.example"; [[policy.allow]] spf = "a.example"`, whyClaimed},
		{"whitelist_from *.a.example", `[[policy.allow]] dkim = ".a.example"; [[policy.allow]] spf = ".a.example"`, whyClaimed},
		{"whitelist_from_rcvd *@a.example mx.a.example", "", whyRelay},
		{"blacklist_from *@b\u00fccher.example", `[[policy.deny]] dkim = "xn--bcher-kva.example"; [[policy.deny]] spf = "xn--bcher-kva.example"`, whyClaimed},
		{"blocklist_from bad@b.example", `[[policy.deny]] dkim = "b.example" from = "bad@b.example"; [[policy.deny]] spf = "b.example" from = "bad@b.example"`, whyClaimed},
		{"whitelist_auth ann@*.shop.example", "", whyPattern},
		{"blacklist_from bad@b\u00fccher.example", `[[policy.deny]] dkim = "xn--bcher-kva.example" from = "bad@xn--bcher-kva.example"; [[policy.deny]] spf = "xn--bcher-kva.example" from = "bad@xn--bcher-kva.example"`, whyClaimed},
		{"whitelist_auth *a.example", "", whyPattern},
		{"whitelist_auth *@a*.example", "", whyPattern},
		{"blacklist_from *@*.com", "", whySuffix},
		{"whitelist_auth *@co.uk", "", whySuffix},
		{"whitelist_auth a@localhost", "", whyNot},
		{"whitelist_to ann@a.example", "", whyTo},
		{"unwhitelist_auth ann@a.example", "", whyTakeBack},
		{"required_score 5", "", ""},
	} {
		var l Lists
		if _, err := l.ReadSpamAssassin("local.cf", strings.NewReader("# comment\n\n"+tt.line+"\n")); err != nil {
			t.Fatal(err)
		}
		if got := written(&l); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.line, got, tt.want)
		}
		if lines := warned(&l, tt.why); tt.why == "" && len(l.Warnings) > 0 || tt.why != "" && (len(lines) != 1 || !strings.HasPrefix(lines[0], "local.cf:3: ")) {
			t.Errorf("%s: warnings %+v, want %q", tt.line, l.Warnings, tt.why)
		}
	}
}

func TestMap(t *testing.T) {
	const file = "# trusted\n192.0.2.1\n2001:db8::/32 -5.0\n[198.51.100.7]\na.example 3 # a score\n.b.example\n*.b.example\nann@c.example\n@d.example\n/regexp/i\n!198.51.100.9\nno_domain\n0.0.0.0/0\n"
	var l Lists
	if err := l.ReadMap("trusted.map", strings.NewReader(file), false); err != nil {
		t.Fatal(err)
	}
	want := `[[policy.allow]] network = "192.0.2.1"; [[policy.allow]] network = "2001:db8::/32"; [[policy.allow]] network = "198.51.100.7"; ` +
		`[[policy.allow]] dkim = "a.example"; [[policy.allow]] spf = "a.example"; [[policy.allow]] dkim = ".b.example"; [[policy.allow]] spf = ".b.example"; ` +
		`[[policy.allow]] dkim = "c.example" from = "ann@c.example"; [[policy.allow]] spf = "c.example" from = "ann@c.example"; [[policy.allow]] dkim = "d.example"; [[policy.allow]] spf = "d.example"`
	if got := written(&l); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for why, n := range map[string]int{whyScore: 2, whyRegexp: 1, whyNegated: 1, whyNot: 2, whyClaimed: 5} {
		if got := len(warned(&l, why)); got != n {
			t.Errorf("%d warnings %q, want %d", got, why, n)
		}
	}
}

func TestLearnedIsRefused(t *testing.T) {
	btree := make([]byte, 32)
	copy(btree[12:], "\x62\x31\x05\x00")
	for name, content := range map[string]string{
		"sa-learn --backup":       "v\t3\tdb_version # this must be the first line!!!\nv\t10\tnum_spam\nv\t20\tnum_nonspam\nt\t1\t0\t1700000000\t0a1b2c3d4e\n",
		"statistics_dump":         "\"BAYES_SPAM_keys\": [\"RS\"]\n\"RS\": {\"learns_spam\":\"10\"}\n\"RS_123\": {\"S\":\"1\"}\n",
		"statistics_dump --json":  `{"pattern": "RS", "meta": {"learns_spam":"10"}, "elts": {` + "\n",
		"statistics_dump -c":      "\x28\xb5\x2f\xfd\x04\x58",
		"bayes.spam.sqlite":       "SQLite format 3\x00\x10\x00",
		"bayes_toks, Berkeley DB": string(btree),
	} {
		var l Lists
		if err := l.ReadMap(name, strings.NewReader(content), true); !errors.Is(err, ErrLearned) {
			t.Errorf("%s as a map: %v", name, err)
		}
		if _, err := l.ReadSpamAssassin(name, strings.NewReader(content)); !errors.Is(err, ErrLearned) {
			t.Errorf("%s as a configuration: %v", name, err)
		}
	}
}

func TestTooMany(t *testing.T) {
	var l Lists
	var b strings.Builder
	for i := range maxEntries + 1 {
		fmt.Fprintf(&b, "2001:db8::%x\n", i)
	}
	if err := l.ReadMap("long", strings.NewReader(b.String()), true); !errors.Is(err, ErrTooMany) {
		t.Errorf("error %v", err)
	}
}

// Whatever a file holds, what is written is a policy that a node takes.
func FuzzImport(f *testing.F) {
	f.Add("whitelist_auth *@a.example\nblacklist_from b@b.example\n", false)
	f.Add("192.0.2.0/24 1\n.a.example\n\"x\"@a.example\n", true)
	f.Add("whitelist_from \"\\\u0001@a.example\n", false)
	f.Fuzz(func(t *testing.T, content string, isMap bool) {
		var l Lists
		if isMap {
			_ = l.ReadMap("map", strings.NewReader(content), len(content)%2 == 0)
		} else {
			_, _ = l.ReadSpamAssassin("cf", strings.NewReader(content))
		}
		var b strings.Builder
		if _, err := l.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		var file struct {
			Policy policy.Config `toml:"policy"`
		}
		if err := config.Parse("written", []byte(b.String()), &file); err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
		if _, err := policy.New(file.Policy); err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
	})
}
