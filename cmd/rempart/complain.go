package main

import (
	"fmt"
	"net/mail"
	"strings"

	"rempart/corpus"
	"rempart/message/feedback"
)

type complainCmd struct {
	Path string `arg:"" help:"The mail, as it came; - is standard input."`
	From string `required:"" help:"Who complains: your abuse desk." placeholder:"ADDRESS"`
	To   string `required:"" help:"To whom: the abuse desk of the network or domain that sent it." placeholder:"ADDRESS"`
	Type string `default:"abuse" enum:"abuse,fraud,virus,other,not-spam" help:"What the mail is: abuse (spam), fraud, virus, other, or not-spam."`
}

// Help is the long help.
func (complainCmd) Help() string {
	return `Writes a complaint about a mail in the Abuse Reporting Format (RFC 5965) to standard output, for your mail server to send. The
mail goes along as it is: take out what tells more of your user than the other side should know.

Example:
  $ rempart complain --from abuse@b.example --to abuse@a.example spam.eml | sendmail -t
  $ rempart quarantine show 01kb7xyz | rempart complain --type virus --from abuse@b.example --to abuse@a.example - | sendmail -t`
}

// Run writes the complaint.
func (c *complainCmd) Run(e *env) error {
	for _, a := range []string{c.From, c.To} {
		if _, err := mail.ParseAddress(a); err != nil {
			return fmt.Errorf("%q: %w", a, err)
		}
	}
	raw, err := readFeedback(e, c.Path)
	if err != nil {
		return err
	}
	k := complaintAbout(raw)
	k.Type = c.Type
	subject := "Complaint about a mail: " + k.Subject
	_, err = e.stdout.Write(k.Compose(c.From, c.To, subject, "This is a report about a mail that came from your network or domain; it is attached.\n", e.now()))
	return err
}

// complaintAbout is what a mail says of itself, and its last hop, which is the mail store's own, of who sent it.
func complaintAbout(raw []byte) feedback.Complaint {
	m := corpus.Mail(raw)
	k := feedback.Complaint{UserAgent: "Rempart", MailFrom: strings.Trim(m.Header.Get("Return-Path"), "<> "), Arrived: m.Arrived, Subject: m.Subject, Original: raw}
	if len(m.Route) > 0 {
		k.Source = m.Route[0].Address
	}
	if m.From.Domain != "" {
		k.Domains = []string{m.From.Domain}
	}
	return k
}
