package node

import (
	"strings"
	"testing"

	"rempart/filter/guise"
	"rempart/message"
	"rempart/message/email"
)

// Who stands on the operator's list is known from the next mail on, and no longer once the list is changed.
func TestExecutivesAreTakenOver(t *testing.T) {
	path, _ := configuration(t, "")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := serveConfig(t, c)
	for _, tt := range []struct {
		people []string
		want   message.Namesake
	}{
		{nil, message.NamesakeNone},
		{[]string{"Jane Roe <jane@b.example>"}, message.NamesakeExecutive},
		{[]string{"Jane Roe <jane@b.example>", "Jane Roe <office.7731@mailbox.example>"}, message.NamesakeNone},
	} {
		c.Executives = []guise.Executives{{Domain: "b.example", People: tt.people}}
		if err := n.Reload(c); err != nil {
			t.Fatal(err)
		}
		m, err := email.Parse(strings.NewReader("From: \"ROE, Jane (CEO)\" <office.7731@mailbox.example>\r\nTo: ben@b.example\r\nSubject: Are you free?\r\n\r\nBen, I need a favour.\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		m.Direction, m.Recipients = message.In, []message.Recipient{{Address: "ben@b.example", Domain: "b.example"}}
		n.Judge(t.Context(), m)
		if m.Facts.Namesake != tt.want {
			t.Errorf("%q: %d, want %d", tt.people, m.Facts.Namesake, tt.want)
		}
	}
}
