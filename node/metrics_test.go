package node

import (
	"maps"
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

// What counts as unsure is what lies between; a channel without any shows 0, so that a share can be made of it.
func TestUnsure(t *testing.T) {
	path, _ := configuration(t, "")
	n, _ := serve(t, path)
	for channel, probabilities := range map[message.Channel][]float64{message.SMS: {0, 0.95, 1}, message.Email: {0.0999, 0.1, 0.5, 0.8999, 0.9}} {
		for _, p := range probabilities {
			n.metrics.judged(&message.Event{Channel: channel, Direction: message.In, Verdicts: []message.Verdict{{Probability: p}},
				Outcomes: []message.Outcome{{Recipient: "ben@b.example"}}})
		}
	}
	families, err := n.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "rempart_messages_unsure_total" {
			for _, m := range f.GetMetric() {
				counted[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	if want := map[string]float64{"email": 3, "sms": 0}; !maps.Equal(counted, want) {
		t.Errorf("%v, want %v", counted, want)
	}
}
