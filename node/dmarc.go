package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rempart/abuse/aggregate"
	"rempart/message"
	"rempart/message/email"
	"rempart/sign"
)

// openReports opens the DMARC reports that go out.
func (n *Node) openReports(ctx context.Context) (err error) {
	c := &n.config.Feedback
	n.aggregates, err = aggregate.Open(ctx, n.config.Data, c.DMARC, c.NextHop, c.Access, aggregate.Options{Node: n.config.Name, Version: n.config.Version, Log: n.log,
		Now: n.now, Takes: n.takesReports, Sign: n.signOwn,
		Done:    func(o aggregate.Outcome) { n.metrics.reportsOut.WithLabelValues(string(o)).Inc() },
		LeftOut: func(mails uint64) { n.metrics.unreported.Add(float64(mails)) }})
	return err
}

// countForOwner counts a mail that came in for the report to the owner of its author's domain.
func (n *Node) countForOwner(m *message.Message, decisions []message.Decision, l *live) {
	if m.Facts.Auth.Record == nil && m.Facts.Auth.Here == nil || m.Account != "" {
		return
	}
	if slices.ContainsFunc(m.Recipients, func(to message.Recipient) bool { return l.config.Feedback.Loops(to.Address) }) {
		return
	}
	n.aggregates.Count(m, decisions)
}

// takesReports asks DNS whether reports on a domain may go to a host.
func (n *Node) takesReports(ctx context.Context, domain, host string) (takes bool, instead string, err error) {
	checker := n.live.Load().checker
	if checker == nil {
		return false, "", errors.New("DNS is off")
	}
	return checker.TakesReports(ctx, domain, host)
}

// signOwn signs a mail that this node wrote, if its author's domain has a key that may.
func (n *Node) signOwn(raw []byte) []byte {
	m := email.ParseBytes(raw)
	m.Direction, m.Account = message.Out, m.From.String()
	fields, outcome := n.live.Load().signer.Sign(m, n.now())
	if outcome != sign.None {
		n.metrics.signed.WithLabelValues(string(outcome)).Inc()
	}
	var b bytes.Buffer
	for _, f := range fields {
		b.WriteString(f.Name + ": " + f.Value + "\r\n")
	}
	b.Write(raw)
	return b.Bytes()
}

// OutgoingReports lists the DMARC reports that are being made or wait to be sent.
func (n *Node) OutgoingReports(ctx context.Context) ([]aggregate.Waiting, error) {
	return n.aggregates.Waiting(ctx)
}

// OutgoingReport is the DMARC report on a domain as it would be sent now, as XML; of the latest day where day is zero.
func (n *Node) OutgoingReport(ctx context.Context, domain string, day time.Time) ([]byte, error) {
	a, err := n.aggregates.Report(ctx, domain, day)
	if err != nil {
		return nil, err
	}
	return a.XML()
}

// checkReports names the keys of [feedback.dmarc] that do not fit the rest.
func (c Config) checkReports() error {
	if c.Feedback.DMARC.On() && c.DNS.Off {
		return fmt.Errorf("feedback.dmarc.from = %q: reports tell what DNS says of a mail, and [dns] off = true", c.Feedback.DMARC.From)
	}
	return nil
}

// reportRequest names a report over the control socket.
type reportRequest struct {
	Domain string    `json:"domain"`
	Day    time.Time `json:"day,omitzero"`
}

// OutgoingReports lists the DMARC reports of the running node that are being made or wait to be sent.
func (c *Client) OutgoingReports(ctx context.Context) (list []aggregate.Waiting, err error) {
	return list, c.ask(ctx, "/feedback/dmarc", reportRequest{}, &list)
}

// OutgoingReport is a DMARC report of the running node, as XML; of the latest day where day is zero.
func (c *Client) OutgoingReport(ctx context.Context, domain string, day time.Time) (xml []byte, err error) {
	return xml, c.ask(ctx, "/feedback/dmarc/show", reportRequest{domain, day}, &xml)
}
