// Package nexthop hands a mail of our own, or one that we kept, to the operator's mail server by SMTP (RFC 5321): released mail,
// digests, answers, reports. What is to be queued and tried again is the mail server's matter.
package nexthop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"strings"
	"time"
)

// How long handing over one mail may take, and connecting for it.
const (
	sendTime = 5 * time.Minute
	dialTime = 10 * time.Second
)

// Send hands a mail to the next hop for one recipient. Without an error the next hop has taken it.
func Send(ctx context.Context, nextHop, from, to string, raw []byte) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	network, address := Endpoint(nextHop)
	dialer := net.Dialer{Timeout: dialTime}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return fmt.Errorf("next hop: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	if err := deliver(conn, from, to, raw); err != nil {
		return fmt.Errorf("next hop %s: %w", nextHop, err)
	}
	return nil
}

// Refused reports whether err is a refusal by the next hop that asking again does not mend (RFC 5321 section 4.2.1).
func Refused(err error) bool {
	var refused *textproto.Error
	return errors.As(err, &refused) && refused.Code >= 500
}

func deliver(conn net.Conn, from, to string, raw []byte) error {
	c, err := smtp.NewClient(conn, "localhost")
	if err != nil {
		return err
	}
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	if err := c.Hello(name); err != nil {
		return err
	}
	if err := c.Mail(from); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // it has the mail
	return nil
}

// Endpoint reads the address of a next hop, "host:port" or "unix:/path", as package net wants it; both are empty if it is none.
func Endpoint(s string) (network, address string) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok && path != "" {
		return "unix", path
	}
	if _, port, err := net.SplitHostPort(s); err == nil && port != "" {
		return "tcp", s
	}
	return "", ""
}
