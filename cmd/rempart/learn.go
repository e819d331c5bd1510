package main

import (
	"context"
	"errors"
	"fmt"

	"rempart/corpus"
	"rempart/message"
	"rempart/node"
)

type learnCmd struct {
	Label       string   `arg:"" optional:"" enum:"spam,ham," default:"" help:"What the messages are: spam or ham."`
	Path        []string `arg:"" optional:"" help:"Files or directories, as for scan; - is standard input."`
	FromMaildir string   `type:"path" help:"Teach from a mail store instead: Junk is spam; answered, filed or old read mail is honest." placeholder:"DIR"`
	Junk        []string `help:"With --from-maildir: a folder whose mail is spam, besides those known by name in many languages." placeholder:"FOLDER"`
	Data        string   `default:"data" type:"path" help:"Data directory of the node." placeholder:"DIR"`
	Tenant      string   `help:"For this tenant only."`
	Domain      string   `help:"For this recipient domain only."`
	User        string   `help:"For this user only."`
}

// Help is the long help.
func (learnCmd) Help() string {
	return `Teaches the node that runs on the data directory, or, if none runs, the directory itself. Each message is printed with its
score and its probability of being spam before and after the lesson.

Example:
  $ rempart learn spam ~/Maildir/.Junk
  $ rempart learn ham --user ben@b.example - < mail.eml
  $ rempart learn --from-maildir /srv/mail --data /var/lib/rempart

A later lesson on the same message with the other label takes the first one back.

--from-maildir reads a Maildir or Maildir++, or a directory of many. Mail in Junk is spam; what was answered, filed in another
folder, or read and left in the inbox for 30 days is honest; the rest is passed over, as are Trash, Drafts and Sent. The
newest comes first, spam and honest mail in turns; of the more frequent kind at most four for each of the other. Broken off,
the same command goes on where it ended; later it teaches only what is new. At the end it prints how the last tenth was judged
before anything was taught, and when the other nine were.`
}

// Run teaches every message of the paths, or of the mail store.
func (c *learnCmd) Run(e *env) error {
	if (c.FromMaildir == "") == (c.Label == "" || len(c.Path) == 0) {
		return errors.New("give spam or ham and the messages, or --from-maildir DIR")
	}
	if len(c.Junk) > 0 && c.FromMaildir == "" {
		return errors.New("--junk is for --from-maildir")
	}
	client, err := node.Dial(c.Data)
	if err == nil {
		defer client.Close()
		return c.teachAll(e.ctx, e, client.Learn, client)
	}
	if !errors.Is(err, node.ErrNotRunning) {
		return err
	}
	n, err := node.Open(e.ctx, node.Config{Data: c.Data, DNS: node.DNSConfig{Off: true}}, newLog(e), e.now)
	if err != nil {
		return err
	}
	err = n.Work(e.ctx, func(ctx context.Context) error { return c.teachAll(ctx, e, n.LearnByRequest, n) })
	if closeErr := n.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (c *learnCmd) teachAll(ctx context.Context, e *env, learn learner, stored storeLearner) error {
	if c.FromMaildir != "" {
		return c.teachStore(ctx, e, stored)
	}
	return c.teach(ctx, e, learn)
}

type learner = func(context.Context, node.LearnRequest) (node.LearnReply, error)

func (c *learnCmd) teach(ctx context.Context, e *env, learn learner) error {
	var label message.Label
	if err := label.UnmarshalText([]byte(c.Label)); err != nil {
		return err
	}
	scope := message.Scope{Tenant: c.Tenant, Domain: c.Domain, User: c.User}
	taught := 0
	err := corpus.Each(c.Path, e.stdin, func(item corpus.Item) error {
		r, err := node.NewLearnRequest(item.Message, label, scope)
		if err != nil {
			return err
		}
		reply, err := learn(ctx, r)
		if err != nil {
			return fmt.Errorf("%s: %w", item.Name(), err)
		}
		taught++
		_, err = fmt.Fprintf(e.stdout, "%s: score %+.2f -> %+.2f, probability %.3f -> %.3f\n", item.Name(), reply.Before, reply.After,
			reply.BeforeProbability, reply.AfterProbability)
		return err
	})
	if err == nil {
		_, err = fmt.Fprintf(e.stdout, "%d taught as %s\n", taught, label)
	}
	return err
}
