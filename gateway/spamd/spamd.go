// Package spamd is the front door for mail servers and scripts that speak the protocol of SpamAssassin's spamd: spamc, Exim's
// condition spam, and what else sends "CHECK SPAMC/1.5".
//
// The protocol, as spamd 4.0 speaks it and its file PROTOCOL describes it: one request a connection, a command line, header
// fields, an empty line and the mail; the answer is "SPAMD/1.1 0 EX_OK", the field Spam with score and threshold, and what the
// command asks for. Versions 1.0 to 1.5 differ in which fields an answer has. A status other than 0 is an exit code of
// sysexits.h.
//
// A client knows spam and not spam, by score. It is on SpamAssassin's scale, where spam begins at 5.0 ([gateway.Scale]). Tests
// are our signals, in upper case. In shadow and tap mode nothing is spam, and a mail that is to be rewritten comes back
// unchanged. Who may scan may not thereby teach. TLS is not spoken. All is safe for concurrent use.
package spamd

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync/atomic"

	"rempart/gateway"
)

// Spamd is one front door.
type Spamd struct {
	live  atomic.Pointer[settings]
	host  *gateway.Host
	learn gateway.Learn
	name  string // of this machine, in X-Spam-Checker-Version and reports
}

// settings is a checked configuration.
type settings struct {
	Config
	relays   []netip.Prefix
	teachers gateway.Teachers
}

// New checks cfg and makes the front door; it starts nothing.
func New(cfg Config, host *gateway.Host, learn gateway.Learn) (*Spamd, error) {
	f := &Spamd{host: host, learn: learn}
	if f.name, _ = os.Hostname(); f.name == "" {
		f.name = "localhost"
	}
	return f, f.Reconfigure(cfg)
}

// Reconfigure checks cfg and takes it over, from the next request on and without touching a connection. Name, listen and
// max_connections stay as they were.
func (f *Spamd) Reconfigure(cfg Config) error {
	s, err := cfg.settle("gateway.spamd")
	if err != nil {
		return err
	}
	f.live.Store(&s)
	return nil
}

func (f *Spamd) cfg() *settings { return f.live.Load() }

// Run serves until ctx is done; requests in hand are answered.
func (f *Spamd) Run(ctx context.Context, listeners []net.Listener) error {
	return f.host.Serve(ctx, &f.cfg().Door, listeners, f.serve)
}
