package main

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// names is a DNS server that knows no name and says so after a delay; below a silent zone it never answers.
type names struct {
	delay  time.Duration
	silent string
}

func (n names) serve(ctx context.Context, address string) error {
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	s := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(n.answer)}
	defer context.AfterFunc(ctx, func() { _ = s.Shutdown() })() // the process ends
	return s.ActivateAndServe()
}

func (n names) answer(w dns.ResponseWriter, q *dns.Msg) {
	if n.silent != "" && dns.IsSubDomain(dns.Fqdn(n.silent), strings.ToLower(q.Question[0].Name)) {
		return
	}
	time.Sleep(n.delay)
	m := new(dns.Msg)
	m.SetRcode(q, dns.RcodeNameError)
	_ = w.WriteMsg(m) // the asker may be gone
}
