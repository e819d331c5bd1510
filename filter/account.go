package filter

import (
	"strings"
	"time"

	"rempart/filter/behaviour"
	"rempart/filter/content"
	"rempart/message"
)

// arriveMail notes what an account sends, and which of its mail comes back.
func (f *Filter) arriveMail(m *message.Message) {
	switch {
	case m.Direction == message.Out && m.Account != "":
		if p := f.asks.Load().Places; p != nil {
			place(m, p)
		}
		f.accounts.Send(m)
		f.wrote(m)
		f.signs(m)
	case m.Direction == message.In && m.MailFrom == "":
		if id := content.ReturnedID(m); id != "" {
			f.accounts.Return(tenantOf(m), id, m.Arrived)
		}
	}
}

// Complained notes a proven complaint about a mail that an account of the tenant sent.
func (f *Filter) Complained(tenant, messageID string, at time.Time) {
	f.accounts.Complain(tenant, messageID, at)
}

// tenantOf is the tenant that a mail comes in to: its first recipient's, for a report of non-delivery has only one.
func tenantOf(m *message.Message) string {
	if len(m.Recipients) == 0 {
		return m.ScopeOf(nil).Tenant
	}
	return m.ScopeOf(&m.Recipients[0]).Tenant
}

// emailOutSignals are for mail that the operator's own accounts send (X.1245's sender side): what the account does beside its
// habit, and what the mail says. Who hands it over has logged in, so that nothing is asked about that; what a mail program
// leaves to the submission server (RFC 6409 section 8) is not missed. The shipped weights, made of mail that comes in, are not for it.
var emailOutSignals = append([]signal{
	{"send_rate", +0.6, message.SourceAnalysis, message.CategoryNone, behaviour.SendRate},
	{"send_strangers", +0.5, message.SourceAnalysis, message.CategoryNone, behaviour.SendStrangers},
	{"send_returned", +1.0, message.SourceAnalysis, message.CategoryNone, behaviour.SendReturned},
	{"send_complained", +0.6, message.SourceAnalysis, message.CategoryNone, behaviour.SendComplained},
	{"send_authors", +0.8, message.SourceAnalysis, message.CategoryNone, behaviour.SendAuthors},
	{"send_new_country", +1.0, message.SourceAnalysis, message.CategoryNone, behaviour.SendNewCountry},
	{"send_new_network", +0.3, message.SourceAnalysis, message.CategoryNone, behaviour.SendNewNetwork},
}, sendersOwn(emailSignals)...)

// sendersOwn are the signals of incoming mail that a sender answers for too, without those of what else arrived.
func sendersOwn(rows []signal) (out []signal) {
	serversWrite := map[string]bool{"received_absent": true, "received_forged": true, "date_missing": true, "message_id_missing": true,
		"message_id_local": true, "to_undisclosed": true, "to_missing": true, "to_self": true}
	ofArrival := map[string]bool{"mailbox_flood": true, "link_domain_new": true, "name_colleague": true, "language_unusual": true}
	for _, r := range rows {
		if r.method != message.SourceAnalysis && !serversWrite[r.name] && !ofArrival[r.name] && !strings.HasPrefix(r.name, basePrefix) {
			out = append(out, r)
		}
	}
	return out
}
