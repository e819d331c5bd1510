// Package clamav asks ClamAV's daemon (clamd) whether a mail carries malware.
//
// [Scanner.Check] writes what it said into m.Facts.Scan; [Malware] is the signal that reads it. A mail goes to clamd whole, by
// INSTREAM (clamd(8)), and clamd takes it apart itself. What was not answered within the budget is unknown, and so is everything
// while clamd is switched off because it did not answer, not even to PING: no mail waits for a scanner that is down. A Scanner is
// safe for concurrent use.
package clamav

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"rempart/config"
	"rempart/message"
)

// Config is table [clamav].
type Config struct {
	// Address of ClamAV's daemon, "unix:/run/clamav/clamd.ctl" or "127.0.0.1:3310" (LocalSocket or TCPSocket of its
	// clamd.conf). Every mail is sent there, unencrypted: over a network only where you trust it. Default: none, nothing is scanned.
	Address string `toml:"address"`

	// Budget is how long the scan of one mail may take, beside the DNS questions, and at most half of the front door's
	// budget. What is not scanned by then is judged without it. Default: 2s.
	Budget config.Duration `toml:"budget"`

	// MaxSize is how much of a mail is scanned: at most what StreamMaxLength of clamd.conf allows. What is found in that part
	// of a longer mail counts; that nothing is found in it says nothing. Default: 26214400 (25 MiB).
	MaxSize int `toml:"max_size"`
}

const (
	defaultBudget  = 2 * time.Second
	defaultMaxSize = 25 << 20 // StreamMaxLength as Debian configures it
	// maxScans at one time: clamd works on ten (MaxThreads) and lets others wait.
	maxScans = 10
	// pingTime is how long clamd may take to say that it is there; where it does not, a mail waits so much longer than its budget.
	pingTime = time.Second
)

// Scanner asks one clamd.
type Scanner struct {
	network, address string
	budget           time.Duration
	maxSize          int
	scans            chan struct{} // one place for each scan at work
	outage           outage
	log              *slog.Logger
}

// Check names every key that is wrong.
func (c Config) Check() error {
	var errs []error
	if _, address := c.endpoint(); c.Address != "" && address == "" {
		errs = append(errs, fmt.Errorf("clamav.address = %q: write unix:/path/of/socket, or host:port", c.Address))
	}
	if c.Budget < 0 {
		errs = append(errs, fmt.Errorf("clamav.budget = %s: use a duration above 0", c.Budget))
	}
	if c.MaxSize < 0 {
		errs = append(errs, fmt.Errorf("clamav.max_size = %d: use a number above 0", c.MaxSize))
	}
	return errors.Join(errs...)
}

// endpoint is the address as package net wants it; empty if it is none.
func (c Config) endpoint() (network, address string) {
	if path, ok := strings.CutPrefix(c.Address, "unix:"); ok {
		return "unix", path
	}
	if _, port, err := net.SplitHostPort(c.Address); err == nil && port != "" {
		return "tcp", c.Address
	}
	return "", ""
}

// New returns a scanner for a configuration that passed its check; nil if it names no address.
func New(c Config, log *slog.Logger) *Scanner {
	if c.Address == "" {
		return nil
	}
	s := &Scanner{budget: time.Duration(c.Budget), maxSize: c.MaxSize, scans: make(chan struct{}, maxScans), log: log}
	s.network, s.address = c.endpoint()
	if s.budget == 0 {
		s.budget = defaultBudget
	}
	if s.maxSize == 0 {
		s.maxSize = defaultMaxSize
	}
	return s
}

// Check fills m.Facts.Scan.
func (s *Scanner) Check(ctx context.Context, m *message.Message) {
	m.Facts.Scan = message.Scan{State: message.StateUnknown}
	if !s.outage.ask(time.Now()) {
		return
	}
	scanning, cancel := within(ctx, s.budget)
	defer cancel()
	select {
	case s.scans <- struct{}{}:
		defer func() { <-s.scans }()
	case <-scanning.Done():
		return
	}
	part := m.Raw[:min(len(m.Raw), s.maxSize)]
	r, err := s.scan(scanning, part)
	if err != nil {
		s.failed(ctx, err)
		return
	}
	s.answered()
	switch {
	case r.found != "":
		m.Facts.Scan = message.Scan{State: message.StatePresent, Name: r.found, Guess: guessed(r.found)}
	case r.clean && len(part) == max(m.Size, len(m.Raw)):
		m.Facts.Scan = message.Scan{State: message.StateAbsent}
	}
}

// within is ctx for at most that long, and half of what it has left: no mail is put off because a scanner is slow.
func within(ctx context.Context, budget time.Duration) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		budget = min(budget, time.Until(end)/2)
	}
	return context.WithTimeout(ctx, budget)
}

// failed notes a scan without an answer. It says nothing of clamd if nobody waits any more, or if the mail was too heavy for its
// budget: clamd says at once that it is there (PING) while archives keep it busy.
func (s *Scanner) failed(ctx context.Context, err error) {
	if errors.Is(err, errLate) {
		pinging, cancel := within(ctx, pingTime)
		defer cancel()
		if s.ping(pinging) {
			s.answered()
			return
		}
	}
	if ctx.Err() == nil && s.outage.fails(time.Now()) {
		s.log.Warn("clamd does not answer: mail is judged without it", "address", s.address, "error", err)
	}
}

func (s *Scanner) answered() {
	if s.outage.answers() {
		s.log.Info("clamd answers again", "address", s.address)
	}
}

// Down reports whether clamd is switched off because it did not answer.
func (s *Scanner) Down() bool { return s.outage.down() }

// guessed reports what ClamAV found by a rule of thumb (spoofed links, encrypted archives, broken headers) or what is unwanted by
// some only, not by the signature of a known program.
func guessed(name string) bool {
	return strings.HasPrefix(name, "Heuristics.") || strings.HasPrefix(name, "PUA.")
}

// Malware speaks against a mail in which ClamAV found malware. Value: 1, or 0.3 for what it guesses (names that begin with
// Heuristics or PUA). Argument: the name that ClamAV's database has for it.
func Malware(m *message.Message) message.Result {
	scan := &m.Facts.Scan
	switch {
	case scan.State == message.StateUnknown:
		return message.Unknown
	case scan.State == message.StateAbsent:
		return message.Absent
	case scan.Guess:
		return message.Present(0.3, scan.Name)
	}
	return message.Present(1, scan.Name)
}
