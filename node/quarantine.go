package node

import (
	"context"
	"fmt"

	"rempart/account"
	"rempart/corpus"
	"rempart/message"
	"rempart/quarantine"
)

// putAside keeps the copies of those whose action is quarantine, where the front door leaves the mail to us and has seen all of it.
// With an error nothing may be said to have been taken.
func (n *Node) putAside(ctx context.Context, m *message.Message, j message.Judgement, decisions []message.Decision) (kept bool, err error) {
	if !m.Handover || m.Size > len(m.Raw) || !n.quarantine.On() {
		return false, nil
	}
	scan := &m.Facts.Scan
	q := quarantine.Mail{ID: m.ID, Time: m.Arrived, Tenant: m.Tenant, Door: m.Door, MailFrom: m.MailFrom, Raw: m.Raw,
		Mailboxes: map[string]string{}, Outgoing: m.Direction == message.Out, Malware: scan.State == message.StatePresent && !scan.Guess}
	for i := range min(len(decisions), len(m.Recipients)) {
		if decisions[i].Effective() != message.Quarantine {
			continue
		}
		v := j.Verdicts[min(i, len(j.Verdicts)-1)]
		to := &m.Recipients[i]
		q.Recipients = append(q.Recipients, to.Address)
		q.Mailboxes[to.Address] = mailboxName(m.ScopeOf(to).User, to.Address)
		q.Probability = max(q.Probability, v.Probability)
		q.Malware = q.Malware || v.Category == message.Malware
	}
	if len(q.Recipients) == 0 {
		return false, nil
	}
	err = n.quarantine.Keep(ctx, q) // not beyond the budget: the front door then has answered that nobody took it
	return err == nil, err
}

// Quarantined lists what is kept.
func (n *Node) Quarantined(ctx context.Context, q quarantine.Query) (quarantine.Page, error) {
	return n.quarantine.List(ctx, q)
}

// QuarantinedMail is one mail that is kept, as it came.
func (n *Node) QuarantinedMail(ctx context.Context, id string) ([]byte, error) {
	return n.quarantine.Raw(ctx, id)
}

// Release hands a copy to the next hop and teaches, for its recipient, that it is honest. The audit trail says who asked.
func (n *Node) Release(ctx context.Context, id, recipient string, by account.Actor, postmaster bool) error {
	c, err := n.quarantine.Releasable(ctx, id, recipient, postmaster)
	if err != nil {
		return err
	}
	if err := n.recordQuarantine(ctx, "quarantine.release", c, by); err != nil {
		return err
	}
	raw, err := n.quarantine.Release(ctx, id, recipient, by.Name, postmaster)
	if err != nil || c.Outgoing {
		return err // what an account sent teaches nothing of mail that comes in
	}
	m := corpus.Mail(raw)
	m.Tenant, m.Recipients = c.Tenant, []message.Recipient{{Address: c.Recipient}}
	n.live.Load().boxes.Map(ctx, m)
	if _, _, err := n.Learn(ctx, m, message.Ham, message.CategoryNone, m.ScopeOf(&m.Recipients[0]), by.Name); err != nil {
		n.log.Error("a released mail was not taught", "id", id, "error", err) // it is delivered: that is what was asked
	}
	return nil
}

// DeleteQuarantined deletes a copy for good.
func (n *Node) DeleteQuarantined(ctx context.Context, id, recipient string, by account.Actor) error {
	c, err := n.quarantine.Get(ctx, id, recipient)
	if err != nil {
		return err
	}
	if err := n.recordQuarantine(ctx, "quarantine.deleted", c, by); err != nil {
		return err
	}
	return n.quarantine.Delete(ctx, id, recipient)
}

func (n *Node) recordQuarantine(ctx context.Context, what string, c quarantine.Copy, by account.Actor) error {
	err := n.accounts.Record(ctx, account.Entry{Who: by.Name, Address: by.Address, What: what, Object: c.ID, Before: message.Masked(c.Recipient)})
	if err != nil {
		return fmt.Errorf("record in the audit trail: %w", err)
	}
	return nil
}

// copyRequest names a copy over the control socket.
type copyRequest struct {
	ID        string `json:"id"`
	Recipient string `json:"recipient"`
}

// Quarantined lists what the running node keeps.
func (c *Client) Quarantined(ctx context.Context, q quarantine.Query) (p quarantine.Page, err error) {
	return p, c.ask(ctx, "/quarantine/list", q, &p)
}

// QuarantinedMail is one mail that the running node keeps, as it came.
func (c *Client) QuarantinedMail(ctx context.Context, id string) (raw []byte, err error) {
	return raw, c.ask(ctx, "/quarantine/show", copyRequest{ID: id}, &raw)
}

// Release has the running node release a copy, as the postmaster.
func (c *Client) Release(ctx context.Context, id, recipient string) error {
	return c.ask(ctx, "/quarantine/release", copyRequest{id, recipient}, new(copyRequest))
}

// DeleteQuarantined has the running node delete a copy.
func (c *Client) DeleteQuarantined(ctx context.Context, id, recipient string) error {
	return c.ask(ctx, "/quarantine/delete", copyRequest{id, recipient}, new(copyRequest))
}
