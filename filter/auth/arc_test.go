package auth

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"rempart/dns/dnstest"
	"rempart/message/email"
)

// arcSuite is one document of ValiMail's suite of ARC messages.
type arcSuite struct {
	Tests yaml.Node         // name, [arcCase], name, ...; some names occur twice
	Keys  map[string]string `yaml:"txt-records"`
}

type arcCase struct{ Description, Message, CV string }

func arcSuites(tb testing.TB) (suites []arcSuite) {
	tb.Helper()
	dir := os.Getenv("REMPART_SHARED")
	if dir == "" {
		tb.Skip("ValiMail's suite of ARC messages is not here: set REMPART_SHARED")
	}
	f, err := os.Open(filepath.Join(dir, "data", "email", "arc", "validation-tests.yml"))
	if err != nil {
		tb.Skip(err)
	}
	defer f.Close()
	for d := yaml.NewDecoder(f); ; {
		var s arcSuite
		if err := d.Decode(&s); err == io.EOF {
			return suites
		} else if err != nil {
			tb.Fatal(err)
		}
		suites = append(suites, s)
	}
}

// Where the suite, made for a draft of December 2016, is not followed.
var arcDisputed = map[string]string{
	"cv_fail_i1_as_cv_fail": "the draft had no result for a chain that says itself that it failed; RFC 8617 section 5.2 step 2 says fail",
	"cv_fail_i2_as2_fail":   "as before",
	"cv_fail_i2_as1_fail":   "as before",
}

func TestValiMailSuite(t *testing.T) {
	n := 0
	for _, suite := range arcSuites(t) {
		var zone []string
		for name, text := range suite.Keys {
			zone = append(zone, txt(name, text))
		}
		c := newChecker(t, dnstest.Serve(t, zone...))
		for i := 0; i < len(suite.Tests.Content); i += 2 {
			n++
			var tt arcCase
			name := suite.Tests.Content[i].Value
			if err := suite.Tests.Content[i+1].Decode(&tt); err != nil {
				t.Fatal(err)
			}
			want := strings.ToLower(tt.CV)
			if arcDisputed[name] != "" {
				want = "fail"
			}
			_, arc, _ := c.signatures(t.Context(), email.ParseBytes([]byte(tt.Message)))
			if arc.Status != want {
				t.Errorf("%s (%s): %+v, want %s", name, tt.Description, arc, want)
			}
		}
	}
	if n != 175 {
		t.Errorf("the suite has %d cases", n)
	}
}

// txt is a TXT record of any length in master file form.
func txt(name, text string) string {
	var parts []string
	text = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
	for len(text) > 200 {
		parts, text = append(parts, text[:200]), text[200:]
	}
	return name + `. 60 IN TXT "` + strings.Join(append(parts, text), `" "`) + `"`
}
