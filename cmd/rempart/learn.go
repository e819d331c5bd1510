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
	Label  string   `arg:"" enum:"spam,ham" help:"What the messages are: spam or ham."`
	Path   []string `arg:"" help:"Files or directories, as for scan; - is standard input."`
	Data   string   `default:"data" type:"path" help:"Data directory of the node." placeholder:"DIR"`
	Tenant string   `help:"For this tenant only."`
	Domain string   `help:"For this recipient domain only."`
	User   string   `help:"For this user only."`
}

// Help is the long help.
func (learnCmd) Help() string {
	return `Teaches the node that runs on the data directory, or, if none runs, the directory itself. Each message is printed with its
score and its probability of being spam before and after the lesson.

Example:
  $ rempart learn spam ~/Maildir/.Junk
  $ rempart learn ham --user ben@b.example - < mail.eml

A later lesson on the same message with the other label takes the first one back.`
}

// Run teaches every message of the paths.
func (c *learnCmd) Run(e *env) error {
	client, err := node.Dial(c.Data)
	if err == nil {
		defer client.Close()
		return c.teach(e.ctx, e, client.Learn)
	}
	if !errors.Is(err, node.ErrNotRunning) {
		return err
	}
	n, err := node.Open(e.ctx, node.Config{Data: c.Data, DNS: node.DNSConfig{Off: true}}, newLog(e), e.now)
	if err != nil {
		return err
	}
	err = n.Work(e.ctx, func(ctx context.Context) error { return c.teach(ctx, e, n.LearnByRequest) })
	if closeErr := n.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (c *learnCmd) teach(ctx context.Context, e *env, learn func(context.Context, node.LearnRequest) (node.LearnReply, error)) error {
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
