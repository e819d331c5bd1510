// Package nexthop hands a mail of our own, or one that we kept, to the operator's mail server by SMTP (RFC 5321): released mail,
// digests, answers, reports. What is to be queued and tried again is the mail server's matter.
package nexthop

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"strings"
	"time"
)

// How long handing over one mail may take, and of that connecting, the greeting and going over to TLS each.
const (
	sendTime = 5 * time.Minute
	dialTime = 10 * time.Second
)

// ErrUnavailable: the next hop is away, or takes no mail at all from us as things are.
var ErrUnavailable = errors.New("no mail can be handed over")

// errHandshake: STARTTLS was accepted and led to nothing.
var errHandshake = errors.New("TLS failed")

// Send hands a mail to the next hop for one recipient. Without an error the next hop has taken it. A [textproto.Error] in the error's
// chain is what it said of this recipient or this mail, and [ErrUnavailable] there is about the next hop alone; with neither it broke off
// in the middle, for whichever reason.
func Send(ctx context.Context, nextHop string, a Access, from, to string, raw []byte) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	err := attempt(ctx, nextHop, &a, true, from, to, raw)
	if errors.Is(err, errHandshake) && a.level() == levelMay {
		err = attempt(ctx, nextHop, &a, false, from, to, raw) // broken TLS is no worse than none
	}
	if err != nil {
		return fmt.Errorf("next hop %s: %w", nextHop, err)
	}
	return nil
}

// Refused reports whether err is a refusal by the next hop that asking again does not mend (RFC 5321 section 4.2.1).
func Refused(err error) bool {
	var refused *textproto.Error
	return errors.As(err, &refused) && refused.Code >= 500
}

func attempt(ctx context.Context, nextHop string, a *Access, secure bool, from, to string, raw []byte) error {
	network, address := Endpoint(nextHop)
	dialer := net.Dialer{Timeout: dialTime}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	host, _, err := net.SplitHostPort(address)
	if network == "unix" || err != nil {
		host = "localhost"
	}
	c, err := a.begin(ctx, conn, host, secure, from)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return deliver(c, to, raw)
}

// begin goes as far as is the same for all mail from a sender: to the answer to MAIL. What was answered is no [textproto.Error] in its
// errors, since it is not about this mail: see Send.
func (a *Access) begin(ctx context.Context, conn net.Conn, host string, secure bool, from string) (*smtp.Client, error) {
	if err := allow(ctx, conn, dialTime); err != nil {
		return nil, err
	}
	c, err := greet(conn, host)
	if err != nil {
		return nil, fmt.Errorf("greet: %v", err)
	}
	if secure {
		if err := allow(ctx, conn, dialTime); err != nil {
			return nil, err
		}
		if err := a.startTLS(c, host); err != nil {
			return nil, err
		}
	}
	if err := allow(ctx, conn, sendTime); err != nil {
		return nil, err
	}
	if err := a.login(c, host); err != nil {
		return nil, err
	}
	if err := c.Mail(from); err != nil {
		return nil, fmt.Errorf("MAIL: %v", err) // 530 asks us to log in
	}
	return c, nil
}

// allow gives what comes next on conn so much time, if ctx does not end before: its end sets a deadline too, which this may overwrite.
func allow(ctx context.Context, conn net.Conn, t time.Duration) error {
	return errors.Join(conn.SetDeadline(time.Now().Add(t)), ctx.Err())
}

func greet(conn net.Conn, host string) (*smtp.Client, error) {
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return nil, err
	}
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	return c, c.Hello(name)
}

// startTLS goes over to TLS as the level wants it.
func (a *Access) startTLS(c *smtp.Client, host string) error {
	level := a.level()
	offered, _ := c.Extension("STARTTLS")
	if !offered {
		if level == levelMay {
			return nil
		}
		return errors.New("it offers no STARTTLS")
	}
	err := c.StartTLS(&tls.Config{ServerName: host, InsecureSkipVerify: level != levelVerify})
	var refused *textproto.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && level == levelMay:
		return nil // it goes on without, as RFC 3207 section 4 lets it
	}
	return fmt.Errorf("%w: %v", errHandshake, err)
}

// login says who we are, if there is a user. Never without TLS.
func (a *Access) login(c *smtp.Client, host string) error {
	if a.User == "" {
		return nil
	}
	if _, secure := c.TLSConnectionState(); !secure {
		return errors.New("no TLS: the password is not sent")
	}
	password, err := a.password()
	if err != nil {
		return err
	}
	if err := c.Auth(smtp.PlainAuth("", a.User, password, host)); err != nil {
		return fmt.Errorf("log in as %s: %v", a.User, err)
	}
	return nil
}

func deliver(c *smtp.Client, to string, raw []byte) error {
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
