package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"rempart/catalogue"
	"rempart/node"
	"rempart/quarantine"
)

type quarantineCmd struct {
	List    quarantineListCmd    `cmd:"" help:"List what is kept, newest first."`
	Show    quarantineShowCmd    `cmd:"" help:"Print a mail as it came."`
	Release quarantineReleaseCmd `cmd:"" help:"Deliver a mail, and teach that it is honest."`
	Delete  quarantineDeleteCmd  `cmd:"" help:"Delete a mail for good."`
}

type quarantineListCmd struct {
	Text      string `arg:"" optional:"" help:"Only where it occurs in the recipient or the sender, or is the id."`
	Recipient string `help:"Only of this recipient." placeholder:"ADDRESS"`
	Waiting   bool   `help:"Only what was not released yet."`
	JSON      bool   `help:"Print one JSON object a line."`
	Data      string `default:"data" type:"path" help:"Data directory of the running node." placeholder:"DIR"`
}

// Help is the long help.
func (quarantineListCmd) Help() string {
	return `Each recipient has a copy: one line each, newest first.

Example:
  $ rempart quarantine list --waiting --data /var/lib/rempart
  $ rempart quarantine list --json b.example | jq -r .recipient | sort | uniq -c`
}

// Run lists page by page.
func (c *quarantineListCmd) Run(e *env) error {
	return onRunning(c.Data, func(client *node.Client) error {
		w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
		defer w.Flush()
		for q := (quarantine.Query{Text: c.Text, Recipient: c.Recipient, Waiting: c.Waiting, Limit: 500}); ; {
			page, err := client.Quarantined(e.ctx, q)
			if err != nil {
				return err
			}
			for i := range page.Copies {
				if err := c.print(e, w, &page.Copies[i]); err != nil {
					return err
				}
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return nil
			}
		}
	})
}

func (c *quarantineListCmd) print(e *env, w *tabwriter.Writer, k *quarantine.Copy) error {
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(k)
	}
	state := "waiting"
	switch {
	case !k.Released.IsZero():
		state = "released by " + k.ReleasedBy
	case k.Malware:
		state = "malware"
	}
	_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.3f\t%s\n", k.ID, k.Time.Format("2006-01-02 15:04"), catalogue.Seen(k.Recipient), catalogue.Seen("<"+k.MailFrom+">"),
		k.Probability, state)
	return err
}

type quarantineShowCmd struct {
	ID   string `arg:"" help:"Id, as list and the console have it."`
	Data string `default:"data" type:"path" help:"Data directory of the running node." placeholder:"DIR"`
}

// Help is the long help.
func (quarantineShowCmd) Help() string {
	return `Prints the bytes of the mail as they came: a terminal does what they say, so look at them in a pager.

Example:
  $ rempart quarantine show 01kb7xyz --data /var/lib/rempart | less
  $ rempart quarantine show 01kb7xyz | rempart scan -`
}

// Run prints the mail.
func (c *quarantineShowCmd) Run(e *env) error {
	return onRunning(c.Data, func(client *node.Client) error {
		raw, err := client.QuarantinedMail(e.ctx, c.ID)
		if err == nil {
			_, err = e.stdout.Write(raw)
		}
		return err
	})
}

// copies is what release and delete are told.
type copies struct {
	ID        string   `arg:"" help:"Id, as list and the console have it."`
	Recipient []string `help:"Only of this recipient. Default: of all who have a copy." placeholder:"ADDRESS"`
	Data      string   `default:"data" type:"path" help:"Data directory of the running node." placeholder:"DIR"`
}

type quarantineReleaseCmd struct{ copies }

// Help is the long help.
func (quarantineReleaseCmd) Help() string {
	return `Hands the mail, byte for byte, to the next hop of [quarantine], and teaches in its recipient's name that it is honest. What was
released before is delivered again only with --recipient.

Example:
  $ rempart quarantine release 01kb7xyz --data /var/lib/rempart`
}

// Run releases.
func (c *quarantineReleaseCmd) Run(e *env) error {
	return c.each(e, true, "released", func(client *node.Client, recipient string) error { return client.Release(e.ctx, c.ID, recipient) })
}

type quarantineDeleteCmd struct{ copies }

// Help is the long help.
func (quarantineDeleteCmd) Help() string {
	return `Deletes the mail for good; without it, it is deleted when it is older than [quarantine] keep.

Example:
  $ rempart quarantine delete 01kb7xyz --recipient ben@b.example --data /var/lib/rempart`
}

// Run deletes.
func (c *quarantineDeleteCmd) Run(e *env) error {
	return c.each(e, false, "deleted", func(client *node.Client, recipient string) error {
		return client.DeleteQuarantined(e.ctx, c.ID, recipient)
	})
}

func (c *copies) each(e *env, waiting bool, done string, do func(*node.Client, string) error) error {
	return onRunning(c.Data, func(client *node.Client) error {
		recipients := c.Recipient
		if recipients == nil {
			var err error
			if recipients, err = c.all(e, client, waiting); err != nil {
				return err
			}
		}
		if len(recipients) == 0 {
			return errors.New("there is no copy of that id: see rempart quarantine list")
		}
		for _, to := range recipients {
			if err := do(client, to); err != nil {
				return fmt.Errorf("%s for %s: %w", c.ID, to, err)
			}
			if _, err := fmt.Fprintf(e.stdout, "%s for %s: %s\n", c.ID, to, done); err != nil {
				return err
			}
		}
		return nil
	})
}

// all are the recipients of the mail.
func (c *copies) all(e *env, client *node.Client, waiting bool) (recipients []string, err error) {
	for q := (quarantine.Query{Text: c.ID, Waiting: waiting, Limit: 500}); ; {
		page, err := client.Quarantined(e.ctx, q)
		if err != nil {
			return nil, err
		}
		for _, k := range page.Copies {
			if k.ID == c.ID {
				recipients = append(recipients, k.Recipient)
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return recipients, nil
		}
	}
}

// onRunning works on the node that runs.
func onRunning(data string, do func(*node.Client) error) error {
	client, err := node.Dial(data)
	if err != nil {
		return err
	}
	defer client.Close()
	return do(client)
}
