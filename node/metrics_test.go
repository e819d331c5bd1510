package node

import (
	"os"
	"slices"
	"strings"
	"testing"

	"rempart/message"
)

// The list that alert rules and the board are held against is what a node registers.
func TestMetricsAreTheListedOnes(t *testing.T) {
	b, err := os.ReadFile("../ops/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(b)) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] != "#" {
			listed = append(listed, fields[0])
		}
	}
	path, addr := configuration(t, `
[[policy.rule]]
name = "failing"
when = "headers('X-None')[7] == 'x'"
action = "tag"
[[policy.rule]]
name = "fitting"
when = "true"
action = "tag"
`)
	n, _ := serve(t, path)
	var v any
	post(t, addr, "/v1/judge/email", "message/rfc822", offer, &v)
	if _, _, err := n.Learn(t.Context(), &message.Message{Channel: message.SMS, Direction: message.In, Text: "see you"}, message.Ham, 0, message.Scope{}, "test"); err != nil {
		t.Fatal(err)
	}
	n.metrics.signed.WithLabelValues("dkim").Inc()
	n.metrics.compared.WithLabelValues("rspamd", "none").Inc()
	n.doors.Error("api", "test") // a counter shows itself once it counted
	families, err := n.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var registered []string
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "rempart_") {
			registered = append(registered, f.GetName())
		}
	}
	for _, name := range registered {
		if !slices.Contains(listed, name) {
			t.Errorf("ops/metrics.txt lacks %s", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(registered, name) && name != "rempart_dns_lists_off" && name != "rempart_clamav_up" && name != "rempart_gateway_connections" {
			t.Errorf("%s is listed and not registered", name) // the three need DNS, a scanner, and a door that counts connections
		}
	}
}
