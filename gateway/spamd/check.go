package spamd

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"rempart/catalogue"
	"rempart/gateway"
	"rempart/message"
)

// scale is SpamAssassin's, in tenths, as it is written: spam from 5.0 on. What is refused has 15.0, above what sites refuse at.
var scale = gateway.Scale{PerScore: 10, Greylist: 40, Mark: 50, Refuse: 150}

// reactionTo is the place of an action on the scale. The protocol knows spam alone: what is to be put off or held is marked, with
// what was decided in X-Rempart-Action. Nothing is greylisted: the asking server stands between the source and us.
// docs/frontdoor-spamd.md prints this table.
func reactionTo(a message.Action) gateway.Reaction {
	switch a {
	case message.Accept:
		return gateway.Pass
	case message.Reject, message.Discard:
		return gateway.Refused
	}
	return gateway.Marked
}

// result is what a client is told of a mail. Without a verdict there are no parts, and the mail passes.
type result struct {
	score    gateway.Points
	parts    []gateway.Part
	verdict  *message.Verdict
	decision message.Decision
	mail     *message.Message
}

func (s *result) spam() bool { return s.score >= scale.Mark }

// field is the field Spam of an answer.
func (s *result) field(command string) string {
	word := "False"
	switch {
	case s.spam() && command == "REPORT_IFSPAM":
		word = "Yes"
	case s.spam():
		word = "True"
	case command == "REPORT_IFSPAM":
		word = "No"
	}
	return fmt.Sprintf("Spam: %s ; %.1f / %.1f", word, scale.Score(s.score), scale.Score(scale.Mark))
}

// tests are the names of the signals that were found, in the order of their table.
func (s *result) tests() (names []string) {
	for _, p := range s.parts {
		if p.Contribution != nil && p.Contribution.State == message.StatePresent {
			names = append(names, p.Name)
		}
	}
	return names
}

// check answers a mail.
func (f *Spamd) check(ctx context.Context, out io.Writer, client netip.Addr, r *request, b body, cfg *settings) error {
	m := b.message(r, client, cfg)
	s, err := f.judge(ctx, m, cfg)
	if err != nil {
		return err
	}
	switch r.command {
	case "HEADERS", "PROCESS":
		parts, err := f.rewrite(b, s, r.command == "HEADERS", cfg)
		if err != nil {
			return err
		}
		return writeMail(out, r, s.field(r.command), parts)
	case "SYMBOLS":
		tests := strings.Join(s.tests(), ",")
		if r.version < version13 {
			tests += "\r\n"
		}
		return writeVerdict(out, r, s.field(r.command), tests)
	case "REPORT_IFSPAM":
		if !s.spam() {
			return writeVerdict(out, r, s.field(r.command), "")
		}
		fallthrough
	case "REPORT":
		return writeVerdict(out, r, s.field(r.command), f.report(s))
	}
	return writeVerdict(out, r, s.field(r.command), "")
}

// judge asks for the verdict; without one the answer is on_error's.
func (f *Spamd) judge(ctx context.Context, m *message.Message, cfg *settings) (*result, error) {
	ans, err := f.host.Ask(ctx, &cfg.Door, m)
	if err != nil {
		f.host.Metrics.Message(cfg.Name, cfg.OnError.Action())
		if cfg.OnError == gateway.OnErrorTempfail {
			return nil, refuse(statusTempfail, "%s", catalogue.English().Say("answer.tempfail"))
		}
		return &result{decision: message.Decision{Mode: message.ModeShadow}, mail: m}, nil
	}
	v, d := ans.Worst()
	f.host.Metrics.Message(cfg.Name, d.Effective())
	total := scale.Bounded(scale.Points(v.Calibration.Odds(v.Score).Float(), d.Thresholds), d, reactionTo(d.Effective()))
	return &result{total, scale.Parts(v, total), v, d, m}, nil
}
