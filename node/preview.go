package node

import (
	"context"
	"log/slog"
	"time"

	"rempart/index"
	"rempart/mailbox"
	"rempart/message"
	"rempart/policy"
)

// EventsRequest asks for a page of the node's events, newest first.
type EventsRequest struct {
	From   time.Time    `json:"from"`
	Cursor index.Cursor `json:"cursor"`
}

// EventsPage is the records of some events. Next is 0 on the last page.
type EventsPage struct {
	Records [][]byte     `json:"records"`
	Next    index.Cursor `json:"next"`
}

const eventsPage = 500

// Events gives one page.
func (n *Node) Events(ctx context.Context, r EventsRequest) (EventsPage, error) {
	found, err := n.index.Search(ctx, index.Query{From: r.From, Cursor: r.Cursor, Limit: eventsPage})
	if err != nil {
		return EventsPage{}, err
	}
	page := EventsPage{Next: found.Next}
	for _, e := range found.Events {
		record, _ := e.AppendBinary(nil) // it never fails
		page.Records = append(page.Records, record)
	}
	return page, nil
}

// Events asks the running node for one page.
func (c *Client) Events(ctx context.Context, r EventsRequest) (page EventsPage, err error) {
	return page, c.ask(ctx, "/events", r, &page)
}

// Preview is what the policy of a configuration, with its tables of mailboxes, would have done with the mail since from. events gives
// the pages of what was judged. unseen says what the figures leave out.
func Preview(ctx context.Context, c Config, from time.Time, events func(context.Context, EventsRequest) (EventsPage, error)) (p policy.Preview, unseen []string, err error) {
	rules, err := policy.New(c.Policy)
	if err != nil {
		return p, nil, err
	}
	boxes, err := mailbox.New(c.Mailbox, slog.New(slog.DiscardHandler))
	if err != nil {
		return p, nil, err
	}
	defer boxes.Close()
	for r := (EventsRequest{From: from}); ; {
		page, err := events(ctx, r)
		if err != nil {
			return p, nil, err
		}
		for _, record := range page.Records {
			var e message.Event
			if err := e.UnmarshalBinary(record); err != nil {
				continue // a damaged one: what its decision was made from is not there
			}
			m := policy.Recorded(&e)
			boxes.Map(ctx, m)
			p.Add(&e, m, rules)
		}
		if r.Cursor = page.Next; r.Cursor == 0 {
			break
		}
	}
	p.Sort()
	unseen = p.Unseen(rules)
	for _, name := range boxes.Down() {
		unseen = append(unseen, name+" does not answer: settings of domains were taken for those of its mailboxes")
	}
	return p, unseen, ctx.Err()
}
