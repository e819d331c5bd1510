package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rempart/message"
	"rempart/message/email"
)

// All addresses of a mailbox have its settings and its corrections; a changed table counts from the next load on, and a table that is
// down leaves the domain's settings.
func TestMailboxes(t *testing.T) {
	table := filepath.Join(t.TempDir(), "virtual")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(table, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("sales@b.example ben@b.example\n")
	path, _ := configuration(t, fmt.Sprintf(`
[mailbox]
tables = ["texthash:%s"]
delimiter = "+"
[policy]
scopes_file = "scopes.json"
`, table))
	scopes := `[{"user": "ben@b.example", "thresholds": {"tag": 0, "hold": 0.000001, "quarantine": 0}}, {"domain": "b.example", "thresholds": {"tag": 0, "quarantine": 0.000001}}]`
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "scopes.json"), []byte(scopes), 0o600); err != nil {
		t.Fatal(err)
	}
	n, _ := serve(t, path)
	judge := func(to string) (message.Action, float64) {
		t.Helper()
		m, err := email.Parse(strings.NewReader(strings.ReplaceAll(offer, "<7@", "<8@")))
		if err != nil {
			t.Fatal(err)
		}
		m.Direction, m.Recipients = message.In, []message.Recipient{{Address: to, Domain: "b.example"}}
		a := n.Judge(t.Context(), m)
		return a.Decisions[0].Action, a.Judgement.Verdicts[0].Probability
	}
	reload := func(change func(*Config)) {
		t.Helper()
		c, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		change(&c)
		if err := n.Reload(c); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, actions map[string]message.Action) {
		t.Helper()
		for to, want := range actions {
			if got, _ := judge(to); got != want {
				t.Errorf("%s: %s: %s, want %s", what, to, got, want)
			}
		}
	}
	want("by table", map[string]message.Action{"ben@b.example": message.Hold, "Sales+x@b.example": message.Hold, "ann@b.example": message.Quarantine})

	_, before := judge("sales@b.example")
	_, others := judge("ann@b.example")
	if _, _, err := n.Learn(t.Context(), offered(t), message.Spam, 0, message.Scope{User: "ben@b.example"}, "test"); err != nil {
		t.Fatal(err)
	}
	_, after := judge("sales+y@b.example")
	_, still := judge("ann@b.example")
	if after-before < 0.2 || still-others >= after-before {
		t.Errorf("a correction moved the mailbox from %.3f to %.3f, others from %.3f to %.3f", before, after, others, still)
	}

	write("ann@b.example ben@b.example\n")
	reload(func(*Config) {})
	want("a changed table", map[string]message.Action{"ben@b.example": message.Hold, "sales@b.example": message.Quarantine, "ann@b.example": message.Hold})
	reload(func(c *Config) { c.Mailbox.Tables = []string{"tcp:127.0.0.1:1"} })
	want("a table that is down", map[string]message.Action{"ben@b.example": message.Hold, "ann@b.example": message.Quarantine, "ben+x@b.example": message.Quarantine})
	found := false
	for _, row := range n.Health(t.Context()).Rows {
		found = found || row.Key == "health.tables_down"
	}
	if !found {
		t.Error("the health page does not say that a table is down")
	}

	write("ann@b.example\n")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), ": mailbox.tables[0] = ") || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a wrong table: %v", err)
	}
}
