package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"rempart/abuse"
	"rempart/account"
	"rempart/catalogue"
	"rempart/index"
	"rempart/message"
	"rempart/message/feedback"
	"rempart/nexthop"
)

// reportMail is a mail that may be a report.
type reportMail struct {
	id       string // of the message
	raw      []byte
	verified string // domain that it provably comes from
}

// reportQueue bounds the mails that wait to be read as reports, maxReportMail their size: the largest report that is read, in base64.
// What is beyond is only delivered. Mail is not held up for reports.
const (
	reportQueue   = 16
	maxReportMail = 12 << 20
)

// Reports are kept so many a minute, and a burst: anybody can send some, and the journal's room is not theirs to fill.
const (
	reportsPerMinute = 60
	reportsBurst     = 1000
)

// Kinds of reports, as rempart_reports_total counts them.
const (
	reportComplaint     = "complaint"
	reportDMARC         = "dmarc"
	reportTLS           = "tls"
	reportNotUnderstood = "not_understood"
)

// noteReport hands a mail to those who read reports, if it is to an address where they come in.
func (n *Node) noteReport(m *message.Message, c *abuse.Config) {
	if m.Channel != message.Email || m.Direction == message.Out || m.Size > len(m.Raw) || m.Size > maxReportMail {
		return
	}
	for i := range m.Recipients {
		if !c.Takes(m.Recipients[i].Address) {
			continue
		}
		select {
		case n.reports <- reportMail{m.ID, m.Raw, verifiedDomain(m)}:
		default:
			n.log.Warn("a mail was not read as a report: too many wait", "id", m.ID)
		}
		return
	}
}

// readReports reads what comes in until ctx ends; what is queued by then is read first.
func (n *Node) readReports(ctx context.Context) error {
	for {
		select {
		case m := <-n.reports:
			n.readReport(ctx, m)
		case <-ctx.Done():
			last := context.WithoutCancel(ctx)
			for {
				select {
				case m := <-n.reports:
					n.readReport(last, m)
				default:
					return nil
				}
			}
		}
	}
}

// readReport keeps what a mail reports. One that is none is somebody's letter.
func (n *Node) readReport(ctx context.Context, m reportMail) {
	found, err := feedback.Read(m.raw)
	if err != nil && !errors.Is(err, feedback.ErrNone) {
		n.log.Warn("a report was not understood", "id", m.id, "error", err)
		n.metrics.reports.WithLabelValues(reportNotUnderstood).Inc()
	}
	if found.Empty() {
		return
	}
	if !n.reportLimit.AllowN(n.now(), 1) {
		n.log.Warn("a report was not kept: too many come in", "id", m.id)
		return
	}
	if err := n.takeFound(ctx, m, &found); err != nil {
		n.log.Error("a report was not kept", "id", m.id, "error", err)
	}
}

func (n *Node) takeFound(ctx context.Context, m reportMail, found *feedback.Found) error {
	verified, c := m.verified, &n.live.Load().config.Feedback
	var errs []error
	if k := found.Complaint; k != nil && k.Type != "not-spam" { // which asks for nothing
		errs = append(errs, n.takeComplaint(ctx, m.id, k, verified))
		n.tallies.Complained(n.now())
		n.metrics.reports.WithLabelValues(reportComplaint).Inc()
	}
	for i := range found.Aggregates {
		a := &found.Aggregates[i]
		if r := abuse.NewReport(a, verified); c.Own(r.Domain) {
			errs = append(errs, n.abuse.Take(ctx, "dmarc "+a.ID, r))
			n.metrics.reports.WithLabelValues(reportDMARC).Inc()
		}
	}
	for i := range found.TLS {
		for _, r := range abuse.NewTLSReports(&found.TLS[i], verified) {
			if c.Own(r.Domain) {
				errs = append(errs, n.abuse.Take(ctx, "tls "+found.TLS[i].ID, r))
				n.metrics.reports.WithLabelValues(reportTLS).Inc()
			}
		}
	}
	return errors.Join(errs...)
}

// takeComplaint adds a complaint to its case. Whose it is, our own record of the mail going out tells, never the complaint itself.
func (n *Node) takeComplaint(ctx context.Context, id string, c *feedback.Complaint, verified string) error {
	k := abuse.Complaint{Type: c.Type, Reporter: c.Reporter, Verified: verified, From: c.From, MessageID: c.MessageID, Incidents: c.Incidents}
	if len(c.Recipients) > 0 {
		k.Recipient = c.Recipients[0]
	}
	sent, err := n.sent(ctx, c)
	if err != nil {
		return err
	}
	if sent != nil {
		k.EventID, k.Tenant, k.Account = sent.ID, sent.Tenant, sent.Account
		if verified != "" && abuseTypes[c.Type] {
			n.filter.Complained(sent.Tenant, sent.MessageID, n.now())
		}
	}
	if k.Account == "" {
		k.Source = heldResponsible(c)
	}
	return n.abuse.Complain(ctx, id, k)
}

// abuseTypes are the complaints that speak against the account; the others are about something else.
var abuseTypes = map[string]bool{"abuse": true, "fraud": true, "virus": true}

// sent is the record of the mail going out that a complaint is about; nil if there is none any more, or never was.
func (n *Node) sent(ctx context.Context, c *feedback.Complaint) (*message.Event, error) {
	if c.MessageID == "" {
		return nil, nil
	}
	page, err := n.index.Search(ctx, index.Query{Text: c.MessageID, Channel: message.Email, Limit: 20})
	if err != nil {
		return nil, fmt.Errorf("find the mail that is complained about: %w", err)
	}
	for _, e := range page.Events {
		if e.Direction == message.Out && e.MessageID == c.MessageID {
			return e, nil
		}
	}
	return nil, nil
}

// heldResponsible is whom a complaint is about where no account of ours is known: who forged our name, if authentication failed, or
// else the domain that the reporter names, or the network that sent it.
func heldResponsible(c *feedback.Complaint) string {
	network := ""
	if c.Source.IsValid() {
		bits := 24
		if c.Source.Is6() {
			bits = 48
		}
		p, _ := c.Source.Prefix(bits) // it is never too long
		network = p.String()
	}
	if c.Failure != nil && network != "" {
		return network
	}
	domain := ""
	if len(c.Domains) > 0 {
		domain = c.Domains[0]
	}
	_, author, _ := strings.Cut(c.From, "@")
	return cmp.Or(domain, author, network, "unknown")
}

// verifiedDomain is the domain that a mail provably comes from: its author's by DMARC, or that of a signature. Empty if there is none.
func verifiedDomain(m *message.Message) string {
	auth := &m.Facts.Auth
	if auth.DMARC == "pass" {
		return m.From.Domain
	}
	for i := range auth.DKIM {
		if auth.DKIM[i].Status == "pass" {
			return auth.DKIM[i].Domain
		}
	}
	return ""
}

// AnswerCase sends an answer to who complained last, where next_hop is set, and notes it. It is sent before it is noted: what fails
// can be tried again.
func (n *Node) AnswerCase(ctx context.Context, id, text string, by account.Actor) error {
	c, err := n.abuse.Case(id)
	if err != nil {
		return err
	}
	if c.State == abuse.StateClosed {
		return abuse.ErrClosed
	}
	if err := n.recordCase(ctx, id, abuse.Answered, by); err != nil {
		return err
	}
	if f := &n.live.Load().config.Feedback; f.From != "" {
		to, err := mail.ParseAddress(c.Complaints[len(c.Complaints)-1].Reporter)
		var raw []byte
		if err == nil {
			raw, err = n.answerMail(f.From, to, text)
		}
		if err == nil {
			err = nexthop.Send(ctx, f.NextHop, f.Access, "", to.Address, raw) // without a sender: nothing comes back to be answered again
		}
		if err != nil {
			return fmt.Errorf("%w: %w", abuse.ErrNotSent, err)
		}
	}
	return n.abuse.Note(ctx, id, by.Name, abuse.Answered, text)
}

// NoteCase adds a note to a case, or closes it with one. The audit trail says who did.
func (n *Node) NoteCase(ctx context.Context, id string, what abuse.What, text string, by account.Actor) error {
	if err := n.recordCase(ctx, id, what, by); err != nil {
		return err
	}
	return n.abuse.Note(ctx, id, by.Name, what, text)
}

func (n *Node) recordCase(ctx context.Context, id string, what abuse.What, by account.Actor) error {
	c, err := n.abuse.Case(id)
	if err != nil {
		return err
	}
	entry := account.Entry{Who: by.Name, Address: by.Address, What: "case." + string(what), Object: id, Before: string(c.State)}
	if err := n.accounts.Record(ctx, entry); err != nil {
		return fmt.Errorf("record in the audit trail: %w", err)
	}
	return nil
}

// answerMail is an answer as a mail.
func (n *Node) answerMail(from string, to *mail.Address, text string) ([]byte, error) {
	l := nexthop.Letter{From: from, To: *to, Subject: catalogue.English().Say("case.answer.subject"), Text: text}
	return l.Compose(n.now())
}

// reportsOn reports whether reports are read.
func (n *Node) reportsOn() bool { return len(n.live.Load().config.Feedback.Addresses) > 0 }

// answersSent reports whether answers are sent from here.
func (n *Node) answersSent() bool { return n.live.Load().config.Feedback.From != "" }
