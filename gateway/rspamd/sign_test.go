package rspamd

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"rempart/gateway"
	"rempart/message"
)

// sign gives signatures of a mail going out, two, and of one coming in.
func (r *rig) sign(m *message.Message, replaced ...gateway.HeaderField) []gateway.HeaderField {
	if !r.signs.Load() {
		return nil
	}
	if m.Direction == message.Out {
		return []gateway.HeaderField{{Name: "DKIM-Signature", Value: fmt.Sprintf("a=rsa;\r\n\t%v", replaced)}, {Name: "DKIM-Signature", Value: "a=ed"}}
	}
	return []gateway.HeaderField{{Name: "ARC-Seal", Value: "s"}, {Name: "ARC-Message-Signature", Value: "m"}, {Name: "ARC-Authentication-Results", Value: "r"}}
}

func TestSigned(t *testing.T) {
	const (
		out = `"dkim-signature":"a=rsa;\r\n\t[]","milter":{"add_headers":{"DKIM-Signature":{"value":"a=ed","order":1}}}`
		in  = `"milter":{"add_headers":{"ARC-Authentication-Results":{"value":"r","order":1},"ARC-Message-Signature":{"value":"m","order":1},"ARC-Seal":{"value":"s","order":1}}}`
	)
	for name, tt := range map[string]struct {
		door, rules, user, mail, want string
		without                       bool
	}{
		"out":             {"", "", "ann", mail, out, false},
		"out, LF":         {"", "", "ann", strings.ReplaceAll(mail, "\r\n", "\n"), `"dkim-signature":"a=rsa;\n\t[]"`, false},
		"in":              {"", "", "", mail, in, false},
		"rewritten":       {"", "[outgoing]\nrewrite = 0.01\n[thresholds]\nrewrite = 0.01\n", "ann", mail, `a=rsa;\r\n\t[{Subject [SPAM] `, false},
		"refused":         {"", "[[deny]]\nnetwork = '192.0.2.7'\n", "", mail, "ARC-", true},
		"shadow":          {"mode = 'shadow'\n", "", "ann", mail, "a=rsa", true},
		"on_error accept": {"on_error = 'accept'\n", "", "ann", "Subject: panic\r\n\r\n", out, false},
		"on_error":        {"", "", "ann", "Subject: panic\r\n\r\n", "a=rsa", true},
	} {
		r := newRig(t, tt.door, tt.rules)
		r.signs.Store(true)
		for _, path := range []string{"/checkv2", "/check"} {
			q, err := http.NewRequest(http.MethodPost, "http://"+r.addr+path, strings.NewReader(tt.mail))
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("IP", "192.0.2.7")
			if tt.user != "" {
				q.Header.Set("User", tt.user)
			}
			resp, err := http.DefaultClient.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || !json.Valid(got) || strings.Contains(string(got), tt.want) == tt.without {
				t.Errorf("%s %s: %v %s", name, path, err, got)
			}
		}
	}
}
