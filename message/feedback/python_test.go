//go:build integration

package feedback

import (
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// byPython reads a mail with Python's package email, and prints what its machine-readable part says.
const byPython = `
import email, email.policy, json, sys
m = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
parts = list(m.iter_parts())
report = next(p for p in parts if p.get_content_type() == "message/feedback-report")
fields = report.get_payload(0) if report.is_multipart() else email.message_from_string(report.get_payload())
original = parts[-1]
inner = original.get_payload(0) if original.get_content_type() == "message/rfc822" else email.message_from_string(original.get_payload())
print(json.dumps({"kind": m.get_param("report-type"), "types": [p.get_content_type() for p in parts],
  "type": fields["Feedback-Type"], "agent": fields["User-Agent"], "source": fields["Source-IP"], "id": inner["Message-ID"],
  "recipients": fields.get_all("Original-Rcpt-To") or [], "defects": [str(d) for d in m.defects]}))
`

type pythonRead struct {
	Kind       string   `json:"kind"`
	Types      []string `json:"types"`
	Type       string   `json:"type"`
	Agent      string   `json:"agent"`
	Source     string   `json:"source"`
	ID         string   `json:"id"`
	Recipients []string `json:"recipients"`
	Defects    []string `json:"defects"`
}

func python(t *testing.T, mail []byte) (got pythonRead) {
	t.Helper()
	cmd := exec.Command("python3", "-c", byPython)
	cmd.Stdin = strings.NewReader(string(mail))
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &got)
	}
	if err != nil {
		t.Fatalf("python3: %v", err)
	}
	return got
}

// Python's parser and ours read the same out of what comes in and of what we write.
func TestPythonReadsTheSame(t *testing.T) {
	composed := Complaint{Type: "fraud", UserAgent: "Rempart", Source: netip.MustParseAddr("192.0.2.7"), Recipients: []string{"ben@b.example", "ann@b.example"},
		Original: []byte("From: a@b.example\nMessage-ID: <7@b.example>\nSubject: x\n\n--x\nbody é\n")}
	for name, mail := range map[string][]byte{
		"composed": composed.Compose("abuse@b.example", "abuse@c.example", "Fraud – from you", "Somebody complained.\n", time.Unix(1e9, 0)),
		"yahoo":    file(t, "yahoo.eml"), "failure": file(t, "failure.eml"),
	} {
		found, err := Read(mail)
		if err != nil {
			t.Fatal(err)
		}
		c, py := found.Complaint, python(t, mail)
		source := ""
		if c.Source.IsValid() {
			source = c.Source.String()
		}
		for i := range py.Recipients {
			py.Recipients[i] = strings.Trim(py.Recipients[i], "<>")
		}
		if py.Kind != "feedback-report" || py.Type != c.Type || py.Agent != c.UserAgent || py.Source != source || strings.Trim(py.ID, "<>") != c.MessageID ||
			strings.Join(py.Recipients, " ") != strings.Join(c.Recipients, " ") || len(py.Defects) > 0 || len(py.Types) != 3 {
			t.Errorf("%s: python %+v, we %+v", name, py, c)
		}
	}
}

// The samples are XML to a second parser, too.
func TestXMLLintReadsTheSamples(t *testing.T) {
	names, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(names) < 4 {
		t.Fatal(names, err)
	}
	if out, err := exec.Command("xmllint", append([]string{"--noout", "--nonet"}, names...)...).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// What we write keeps to the schema of RFC 9990, whatever stands in it.
func TestXMLLintTakesOurReports(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for i := range 100 {
		a := aggregates.Example(i)
		text, err := a.XML()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, filepath.Join(dir, strconv.Itoa(i)+".xml"))
		if err := os.WriteFile(files[i], text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("xmllint", append([]string{"--noout", "--nonet", "--schema", "testdata/aggregate.xsd"}, files...)...).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if err := exec.Command("xmllint", "--noout", "--nonet", "--schema", "testdata/aggregate.xsd", "testdata/google.xml").Run(); err == nil {
		t.Error("the schema takes a report of RFC 7489")
	}
}
