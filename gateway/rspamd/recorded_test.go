package rspamd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"rempart/message"
)

// Requests as clients send them, byte for byte.
func TestRecorded(t *testing.T) {
	r := newRig(t, "teachers = ['127.0.0.1']", "")
	for _, tt := range []struct {
		file, want string
		read       func(m *message.Message) bool
	}{
		{"rspamc_zstd.http", `"action":"no action"`, func(m *message.Message) bool {
			return m.Account == "joe" && len(m.Recipients) == 2 && m.MailFrom == "a@b.example" && m.Subject == "hi" && m.Source.Name == "host.example"
		}},
		{"rspamc_learnspam.http", `{"success":true}`, nil},
		{"rspamc_fuzzyadd.http", `"success":true`, nil},
		{"control.http", `"action":"`, func(m *message.Message) bool { return m.Size == 5 }},
	} {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join("testdata", tt.file))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write(b)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(tt.file, err)
		}
		got, _ := io.ReadAll(resp.Body)
		c.Close()
		if !bytes.Contains(got, []byte(tt.want)) {
			t.Errorf("%s: %s %s", tt.file, resp.Status, got)
		}
		if tt.read != nil {
			if m := <-r.asked; !tt.read(m) {
				t.Errorf("%s: read as %+v", tt.file, m)
			}
		}
	}
}

// haraka-plugin-rspamd 1.6.1: the request that it sends, and all that it looks at in the answer.
func TestHaraka(t *testing.T) {
	sent, err := os.ReadFile("testdata/haraka.http")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := bytes.Cut(sent, []byte("\r\n\r\n"))
	for _, tt := range []struct {
		rules, body string
		want        func(data map[string]any) bool
	}{
		{"", mail, func(d map[string]any) bool { return d["action"] == "no action" && d["milter"] == nil }},
		{"", scam, func(d map[string]any) bool {
			value := d["milter"].(map[string]any)["add_headers"].(map[string]any)["X-Rempart-Action"].(map[string]any)["value"]
			_, removed := d["milter"].(map[string]any)["remove_headers"].(map[string]any)["X-Rempart-Action"]
			return d["action"] == "add header" && value == "tag" && removed
		}},
		{"[thresholds]\nrewrite = 0.9\n", scam, func(d map[string]any) bool { return d["subject"] == "[SPAM] URGENT!!! YOUR ACCOUNT" }},
		{"[thresholds]\ntempfail = 0.9\n", scam, func(d map[string]any) bool {
			return d["action"] == "soft reject" && d["messages"].(map[string]any)["smtp_message"] != ""
		}},
		{"[[deny]]\nnetwork = '192.0.2.7'\n", mail, func(d map[string]any) bool {
			return d["action"] == "reject" && d["messages"].(map[string]any)["smtp_message"] != ""
		}},
	} {
		r := newRig(t, "", tt.rules)
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		request := bytes.Replace(head, []byte("Content-Length: 111"), fmt.Appendf(nil, "Content-Length: %d", len(tt.body)), 1)
		_, _ = fmt.Fprintf(c, "%s\r\n\r\n%s", request, tt.body)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		var data map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&data); err != nil {
			t.Fatal(err)
		}
		c.Close()
		m := <-r.asked
		if m.QueueID != "A1B2.1" || m.MailFrom != "bounce@example.com" || len(m.Recipients) != 2 || m.Recipients[1].Address != "ben@example.net" {
			t.Errorf("read as %+v", m)
		}
		for _, s := range data["symbols"].(map[string]any) { // get_clean wants both of each
			if s := s.(map[string]any); s["name"] == nil || s["score"] == nil {
				t.Errorf("%v", s)
			}
		}
		for _, list := range []string{"urls", "emails"} {
			if _, ok := data[list].([]any); !ok {
				t.Errorf("%s: %v", list, data[list])
			}
		}
		if _, ok := data["score"].(float64); !ok || data["is_skipped"] != false || data["required_score"] != 15.0 || !tt.want(data) {
			t.Errorf("%v", data)
		}
	}
}
