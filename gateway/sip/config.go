package sip

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"rempart/gateway"
	"rempart/message"
)

// Config is one SIP front door, table [[gateway.sip]]: calls (INVITE) and instant messages (MESSAGE) of your session
// border controllers and proxies. It listens for UDP and TCP on each address. Keep the port closed to the rest of the
// world. Its on_error is accept where none is given.
type Config struct {
	gateway.Door

	// OnAccept is how a call that may go on does so: "redirect" answers 302 with next_hops as Contact; "continue" answers
	// 404, whereupon the asking switch tries its next route; "relay" hands the request to next_hops and the responses
	// back, without keeping state. Default: redirect.
	OnAccept string `toml:"on_accept"`

	// NextHops are where calls go on, "host:port". Of redirect they are offered in this order; of relay they are addresses
	// reached by UDP, and a call goes to one chosen by its Call-ID. Default: none.
	NextHops []string `toml:"next_hops"`

	// SentBy is the "address:port" under which next hops reach this front door, for the Via field of relayed requests.
	// Default: the address listened on, which must then be a certain one.
	SentBy string `toml:"sent_by"`

	// Relays are addresses and networks of the operator's own proxies. The source of a call that comes through them is read
	// from the Via fields they wrote. Default: none.
	Relays []string `toml:"relays"`

	// RejectCode is the answer to a call or message that is rejected: 603 (Decline, with a Reason field), 607 (Unwanted,
	// RFC 8197), 608 (Rejected, RFC 8688) or 404. Default: 603.
	RejectCode int `toml:"reject_code"`

	// TagName is the display name in the Contact of a redirected call that is to be tagged; switches that take it over show
	// it to the called one. Default: empty.
	TagName string `toml:"tag_name"`
}

// Ways of a call that may go on.
const (
	onAcceptRedirect = "redirect"
	onAcceptContinue = "continue"
	onAcceptRelay    = "relay"
)

const defaultRejectCode = 603

// settings is a checked configuration.
type settings struct {
	Config
	relays []netip.Prefix
	hops   []netip.AddrPort // of relay
	sentBy netip.AddrPort   // zero if none is given
}

// Check names the keys that are wrong; key is the table's path, as "gateway.sip[0]".
func (c Config) Check(key string) error {
	_, err := c.settle(key)
	return err
}

func (c Config) settle(key string) (s settings, err error) {
	s.Config = c.withDefaults()
	errs := []error{c.Door.Check(key)}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(key+"."+format, args...)) }
	for _, addr := range c.Listen {
		if _, _, err := net.SplitHostPort(addr); err != nil || strings.HasPrefix(addr, "unix:") || strings.HasPrefix(addr, "systemd") {
			bad("listen: %q: use address:port, for UDP and TCP", addr)
		}
	}
	switch s.OnAccept {
	case onAcceptRedirect, onAcceptRelay:
		if len(c.NextHops) == 0 {
			bad("next_hops = []: name where calls go on, as \"192.0.2.10:5060\"")
		}
	case onAcceptContinue:
		if s.RejectCode == 404 {
			bad("reject_code = 404: on_accept = \"continue\" says it of calls that may go on; use 603, 607 or 608")
		}
	default:
		bad("on_accept = %q: use redirect, continue or relay", c.OnAccept)
	}
	for _, hop := range c.NextHops {
		addr, err := netip.ParseAddrPort(hop)
		host, port, errName := net.SplitHostPort(hop)
		switch {
		case s.OnAccept == onAcceptRelay && err != nil:
			bad("next_hops: %q: a relayed call needs an address, as 192.0.2.10:5060", hop)
		case errName != nil || host == "" || port == "" || strings.ContainsAny(hop, "<>\" \r\n\t"):
			bad("next_hops: %q: use host:port", hop)
		}
		s.hops = append(s.hops, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()))
	}
	if c.SentBy != "" {
		if s.sentBy, err = netip.ParseAddrPort(c.SentBy); err != nil {
			bad("sent_by = %q: use address:port", c.SentBy)
		}
	} else if s.OnAccept == onAcceptRelay && slices.ContainsFunc(c.Listen, anyAddress) {
		bad("sent_by = \"\": name the address under which the next hops reach this front door, since listen names all")
	}
	if s.relays, err = gateway.Networks(c.Relays); err != nil {
		bad("relays: %w", err)
	}
	if !slices.Contains([]int{404, 603, 607, 608}, s.RejectCode) {
		bad("reject_code = %d: use 603, 607, 608 or 404", c.RejectCode)
	}
	if strings.ContainsAny(c.TagName, "\"\\\r\n\x00") {
		bad("tag_name = %q: use one line without quotes and backslashes", c.TagName)
	}
	return s, errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	if c.OnError == gateway.OnErrorDefault {
		c.OnError = gateway.OnErrorAccept
	}
	c.Door = c.Door.WithDefaults()
	if c.OnAccept == "" {
		c.OnAccept = onAcceptRedirect
	}
	if c.RejectCode == 0 {
		c.RejectCode = defaultRejectCode
	}
	return c
}

// judging reports whether decisions are carried out.
func (s *settings) judging() bool { return s.Mode == message.ModeJudge }

func (s *settings) relaying() bool { return s.OnAccept == onAcceptRelay }

// anyAddress reports an address to listen on that is none to be reached under.
func anyAddress(listen string) bool {
	addr, err := netip.ParseAddrPort(listen)
	return err != nil || addr.Addr().IsUnspecified()
}
