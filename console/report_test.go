package console

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"rempart/report"
)

// The report may be kept as a file, and shown by us: its one style element is the one that its policy allows.
func TestStudy(t *testing.T) {
	s := newStand(t)
	v := s.admin(t)
	r, err := v.client.Get(s.url + "/report/study?from=2026-03-01&to=2026-03-08")
	if err != nil {
		t.Fatal(err)
	}
	policy := r.Header.Get("Content-Security-Policy")
	_, body := v.read(r, nil)
	_, rest, ok := strings.Cut(body, "<style>")
	style, rest, ok2 := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !ok || !ok2 || !strings.Contains(policy, want) {
		t.Errorf("policy %q does not allow the style: %s", policy, want)
	}
	for _, bad := range []string{"<style", "<script", " style=", "<script>alert", "\u202e", "%!", "ZgotmplZ", "<no value>"} {
		if strings.Contains(rest, bad) {
			t.Errorf("the report has %q", bad)
		}
	}
	for _, want := range []string{"E-mail", "Texts", "Calls", "AS64513", "phishing"} {
		if !strings.Contains(body, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	_, body = v.get("/report/study.json?from=2026-03-01")
	var study report.Study
	if err := json.Unmarshal([]byte(body), &study); err != nil || len(study.Channels) != 3 || study.Channels[0].Messages == 0 {
		t.Errorf("%v: %d channels", err, len(study.Channels))
	}
	for _, bad := range []string{"?from=yesterday", "?from=2027-01-01", "?to=2026-02-31"} {
		if status, _ := v.get("/report/study" + bad); status != 400 {
			t.Errorf("%s: %d", bad, status)
		}
	}
}
