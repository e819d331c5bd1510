package rspamd

import (
	"bytes"
	"strings"

	"rempart/gateway"
	"rempart/message"
)

const signature = "DKIM-Signature"

// sign adds the signatures to the answer: the DKIM signature where rspamd has it, a second one and the ARC set among the fields to
// add, whose names in their order are the order in which they are put on top. rspamd answers two signatures with a list, which
// clients that know one alone (Haraka's plugin) write into one field.
func (f *Rspamd) sign(out *reply, m *message.Message, cfg *settings, replaced ...gateway.HeaderField) {
	if cfg.Mode != message.ModeJudge {
		return
	}
	for _, field := range f.host.Signatures(m, replaced...) {
		value := field.Value
		if !bytes.Contains(m.Raw, []byte("\r\n")) {
			value = strings.ReplaceAll(value, "\r\n", "\n") // folded as the client's mail is
		}
		if field.Name == signature && out.Signature == "" {
			out.Signature = value
			continue
		}
		if out.Milter == nil {
			out.Milter = &milter{}
		}
		if out.Milter.Add == nil {
			out.Milter.Add = map[string]added{}
		}
		out.Milter.Add[field.Name] = added{Value: value, Order: 1}
	}
}
