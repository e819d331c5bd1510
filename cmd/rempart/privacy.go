package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"rempart/node"
)

type privacyCmd struct {
	Show  privacyShowCmd  `cmd:"" help:"Say what is held on a person."`
	Erase privacyEraseCmd `cmd:"" help:"Erase a person, for good."`
}

// person is what both commands are told.
type person struct {
	Address string `arg:"" help:"Mail address, number or client address."`
	Data    string `default:"data" type:"path" help:"Data directory of the node, running or not." placeholder:"DIR"`
	JSON    bool   `help:"Print one JSON object."`
}

type privacyShowCmd struct{ person }

// Help is the long help.
func (privacyShowCmd) Help() string {
	return `Counts the events in which the address appears as sender, recipient or source, with the ids of the newest thousand, and the
lessons taught in its name, the mails in quarantine for it, and the cases of the abuse desk that name it, with their ids.

Example:
  $ rempart privacy show ben@b.example --data /var/lib/rempart
  $ rempart privacy show --json +442079460001`
}

// Run asks the node, or the directory.
func (c *privacyShowCmd) Run(e *env) error {
	var h node.Holding
	err := onNode(e, c.Data, func(client *node.Client) (err error) {
		h, err = client.Holds(e.ctx, c.Address)
		return err
	}, func(ctx context.Context, n *node.Node) (err error) {
		h, err = n.Holds(ctx, c.Address)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(h)
	}
	fmt.Fprintf(e.stdout, "%s: %d events, %d lessons, %d keys, %d mails in quarantine, %d cases\n", h.Address, h.Events.Count, h.Lessons, h.Keys, h.Mails, len(h.Cases))
	if h.Events.Count > 0 {
		const layout = "2006-01-02 15:04:05"
		fmt.Fprintf(e.stdout, "events from %s to %s UTC\n", h.Events.Oldest.Format(layout), h.Events.Newest.Format(layout))
	}
	for _, id := range h.Events.IDs {
		if _, err := fmt.Fprintln(e.stdout, " ", id); err != nil {
			return err
		}
	}
	if left := h.Events.Count - len(h.Events.IDs); left > 0 {
		fmt.Fprintf(e.stdout, "and %d older ones\n", left)
	}
	if len(h.Cases) > 0 {
		fmt.Fprintf(e.stdout, "cases of the abuse desk\n  %s\n", strings.Join(h.Cases, "\n  "))
	}
	return nil
}

type privacyEraseCmd struct{ person }

// Help is the long help.
func (privacyEraseCmd) Help() string {
	return `Destroys the keys of the person, so that the lessons taught in their name can never be read again, and deletes the events
that name them. It cannot be undone. In a cluster run it on every node: each has its own keys and events.

Example:
  $ rempart privacy erase ben@b.example --data /var/lib/rempart`
}

// Run erases and says what stays.
func (c *privacyEraseCmd) Run(e *env) error {
	var r node.Erased
	err := onNode(e, c.Data, func(client *node.Client) (err error) {
		r, err = client.Erase(e.ctx, c.Address)
		return err
	}, func(ctx context.Context, n *node.Node) (err error) {
		r, err = n.Erase(ctx, c.Address, node.LocalActor)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(r)
	}
	_, err = fmt.Fprintf(e.stdout, `%s: %d events deleted, %d keys destroyed, %d lessons made unreadable, %d mails in quarantine deleted
What stays: what those lessons moved in the weights that all share, hourly counts without addresses, log lines written
before, cases of the abuse desk, and backups made with --keys before now: delete those.
`, r.Address, r.Events, r.Keys, r.Lessons, r.Mails)
	return err
}

// onNode lets the running node work, or, if none runs, opens the directory.
func onNode(e *env, data string, running func(*node.Client) error, stopped func(context.Context, *node.Node) error) error {
	client, err := node.Dial(data)
	if err == nil {
		defer client.Close()
		return running(client)
	}
	if !errors.Is(err, node.ErrNotRunning) {
		return err
	}
	if _, err := os.Stat(data); err != nil { // do not make a node to ask it
		return err
	}
	n, err := node.Open(e.ctx, node.Config{Data: data, DNS: node.DNSConfig{Off: true}}, newLog(e), e.now)
	if err != nil {
		return err
	}
	err = n.Work(e.ctx, func(ctx context.Context) error { return stopped(ctx, n) })
	if closeErr := n.Close(); err == nil {
		err = closeErr
	}
	return err
}
