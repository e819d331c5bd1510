package node

import (
	"context"
	"time"

	"rempart/index"
)

// compareRequest asks how often the filter before and this node were of one mind.
type compareRequest struct {
	From time.Time `json:"from"`
}

// Compare counts the mails since a time that went by another filter before they came here, by what either said of them.
func (n *Node) Compare(ctx context.Context, from time.Time) (index.Comparison, error) {
	return n.index.Compare(ctx, from)
}

// Compare asks the running node.
func (c *Client) Compare(ctx context.Context, from time.Time) (out index.Comparison, err error) {
	return out, c.ask(ctx, "/compare", compareRequest{from}, &out)
}
