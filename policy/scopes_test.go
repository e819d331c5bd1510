package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"rempart/config"
	"rempart/message"
)

func scopesFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scopes.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Scopes of the file count as those of the configuration.
func TestScopesFile(t *testing.T) {
	path := scopesFile(t, `[
{"domain": "Quiet.example", "thresholds": {"tag": 0, "quarantine": 0.5}},
{"user": "ann@quiet.example", "mode": "shadow", "allow": [{"dkim": "news.example"}], "deny": [{"network": "192.0.2.0/24", "action": "hold"}]}
]`)
	r := rules(t, fmt.Sprintf("[policy]\nscopes_file = %q\n[[policy.scope]]\nuser = \"ben@quiet.example\"\nthresholds = {discard = 0.6}\n", path))
	m := mail("ann@quiet.example", "cat@quiet.example", "ben@quiet.example", "ann@else.example")
	v := verdict(0.7, true)
	d := Decide(message.Judgement{Verdicts: []*message.Verdict{v, v, v, v}}, m, r)
	for i, want := range []string{"accept by allow:news.example, shadow", "quarantine by threshold, judge", "discard by threshold, judge", "accept by none, judge"} {
		if got := fmt.Sprintf("%s by %s, %s", d[i].Action, d[i].Rule, d[i].Mode); got != want {
			t.Errorf("recipient %d: %s, want %s", i, got, want)
		}
	}
}

// What is exported is what was read.
func TestScopesRoundTrip(t *testing.T) {
	c := Config{ScopesFile: scopesFile(t, `[{"user":"a","malware":"hold","deny":[{"arc":"x.example","mode":"shadow"}]},{"tenant":"t","thresholds":{"reject":0.999}}]`),
		Scope: []ScopeConfig{{Domain: "d.example"}}}
	all, keys, err := c.Scopes()
	if err != nil || len(all) != 3 || len(keys) != 3 {
		t.Fatal(all, keys, err)
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parseScopes(bytes.NewReader(b))
	if err != nil || !reflect.DeepEqual(again, all) {
		t.Errorf("%v\n%+v became\n%+v by way of %s", err, all, again, b)
	}
}

func TestWrongScopesFile(t *testing.T) {
	for text, want := range map[string]string{
		`{"user": "a"}`:                 "no JSON array",
		``:                              "no JSON array",
		`[{"user": "a"}, {"usr": "b"}]`: `[1]: json: unknown field "usr"`,
		`[{"user": "a", "thresholds": {"tag": "high"}}]`: "[0]: thresholds.tag is a string",
		`[{"user": "a", "thresholds": {"tag": 7}}]`:      "[0].thresholds.tag = 7: use a probability",
		`[{"user": "a", "deny": [{"network": "x"}]}]`:    `[0].deny[0].network = "x"`,
		`[{"user": "a", "malware": "shout"}]`:            "[0]: unknown action",
		`[{"user": "a"}, {"domain": ""}]`:                "[1] names nobody",
		`[{"user": "a"}, {"user": "A"}]`:                 "[1]: this tenant, domain and user stand",
		`[{"user": "a"},`:                                "[1]: ",
		`[] []`:                                          "behind the array",
	} {
		path := scopesFile(t, text)
		_, err := New(Config{ScopesFile: path})
		err = config.Locate("r.toml", []byte("[policy]\n\nscopes_file = \"x\"\n"), err)
		if err == nil || !strings.HasPrefix(err.Error(), "r.toml:3: policy.scopes_file: "+path+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := New(Config{ScopesFile: "/nowhere"}); err == nil || !strings.Contains(err.Error(), "policy.scopes_file: ") {
		t.Error(err)
	}
	many := "[" + strings.Repeat(`{"user": "a"},`, 1000) + `{"user": "a"}]`
	if _, err := New(Config{ScopesFile: scopesFile(t, many)}); err == nil || strings.Count(err.Error(), "\n")+1 != maxScopeErrors {
		t.Errorf("a thousand mistakes: %d lines", strings.Count(err.Error(), "\n")+1)
	}
}

// Settings of a hundred thousand users load within seconds and a bounded memory.
func TestManyScopes(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 users")
	}
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&b, "%s{\"user\": \"user%d@big.example\", \"thresholds\": {\"tag\": 0.%d}}", map[bool]string{true: "[", false: ",\n"}[i == 0], i, 1+i%9)
	}
	path := scopesFile(t, b.String()+"]")
	b.Reset()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	r, err := New(Config{ScopesFile: path})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("100,000 users: %s, %d MiB kept", took, kept>>20)
	if took > 20*time.Second || kept > 200<<20 {
		t.Errorf("%s, %d MiB", took, kept>>20)
	}
	d := Decide(message.Judgement{Verdicts: []*message.Verdict{verdict(0.25, false)}}, mail("User99991@big.example"), r)
	if d[0].Action != message.Tag || d[0].Thresholds[0].From != 0.2 {
		t.Errorf("%+v", d[0])
	}
	runtime.KeepAlive(r)
}

// Whatever a file of scopes holds, it is read or refused.
func FuzzScopes(f *testing.F) {
	f.Add([]byte(`[{"user": "a", "thresholds": {"tag": 0.5}, "deny": [{"dkim": "x", "action": "hold"}]}, {"mode": "tap"}]`))
	f.Add([]byte(`[{"malware": "#9"}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		scopes, err := parseScopes(bytes.NewReader(b))
		if err != nil {
			return
		}
		for i := range scopes {
			s, err := newScope("key", &scopes[i])
			if err == nil && len(s.lists) != len(scopes[i].Allow)+len(scopes[i].Deny) {
				t.Fatalf("%s: %+v", b, s)
			}
		}
	})
}
