package spamd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"rempart/config"
	"rempart/filter"
	"rempart/gateway"
	"rempart/message"
	"rempart/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a front door on a port or a socket of its own, before a real filter and a real policy.
type rig struct {
	t       testing.TB
	network string
	addr    string
	door    *Spamd
	cfg     Config
	filter  *filter.Filter
	rules   *policy.Rules
	asked   chan *message.Message
	taken   chan gateway.Lesson
	stop    context.CancelFunc
}

const (
	mail = "From: Anna <anna@example.com>\r\nTo: ben@example.net\r\nSubject: lunch\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\n" +
		"Message-ID: <1@example.com>\r\n\r\nShall we meet at the usual place at twelve? http://menu.example.com/today\r\n"
	scam = "From: Bank <service@example.org>\r\nTo: ben@example.net\r\nSubject: URGENT!!! YOUR ACCOUNT\r\nMessage-ID: <2@example.org>\r\n" +
		"X-Spam-Flag: NO\r\nX-Rempart-Action: accept\r\nX-Spam-Status: No, score=-9\r\n\ttests=none\r\nContent-Type: text/html\r\n\r\n" +
		"<a href=\"http://192.0.2.66/login\">https://bank.example/</a> verify your password now or lose $1,000,000\r\n"
)

// judge is the node's way of a message; who writes "panic" or "hold" tries the door.
func (r *rig) judge(ctx context.Context, m *message.Message) gateway.Answer {
	switch m.Subject {
	case "panic":
		panic("broken")
	case "hold":
		<-ctx.Done()
		return gateway.Answer{}
	}
	j := r.filter.Judge(ctx, m, m.Recipients)
	seen := *m // the front door goes on with m
	seen.Route = slices.Clone(m.Route)
	select {
	case r.asked <- &seen:
	default:
	}
	return gateway.Answer{Judgement: j, Decisions: policy.Decide(j, m, r.rules)}
}

func (r *rig) learn(ctx context.Context, l gateway.Lesson) (bool, error) {
	switch {
	case l.Message.Subject == "disk full":
		return false, errors.New("no space left on device")
	case r.filter.Taught(l.Message, l.Scope) == l.Label:
		return false, nil
	}
	r.filter.Apply(r.filter.Lesson(ctx, l.Message, l.Label, l.Scope, l.Teacher))
	select {
	case r.taken <- l:
	default:
	}
	return true, nil
}

// newRig reads door and rules as they stand in a configuration.
func newRig(t testing.TB, door, rules string) *rig {
	t.Helper()
	return newRigOn(t, "127.0.0.1:0", door, rules)
}

func newRigOn(t testing.TB, listen, door, rules string) *rig {
	t.Helper()
	r := &rig{t: t, filter: filter.New(filter.Options{}), asked: make(chan *message.Message, 1), taken: make(chan gateway.Lesson, 1)}
	if err := config.Parse("test", []byte("name = 'mx'\nlisten = ['"+listen+"']\n"+door), &r.cfg); err != nil {
		t.Fatal(err)
	}
	var c policy.Config
	if err := config.Parse("policy", []byte(rules), &c); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.rules, err = policy.New(c); err != nil {
		t.Fatal(err)
	}
	host := &gateway.Host{Judge: r.judge, Log: slog.New(slog.DiscardHandler), Metrics: gateway.NewMetrics(prometheus.NewRegistry())}
	if r.door, err = New(r.cfg, host, r.learn); err != nil {
		t.Fatal(err)
	}
	l, err := gateway.ListenAll(t.Context(), r.cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.door.Run(ctx, l) }()
	r.network, r.addr, r.stop = l[0].Addr().Network(), l[0].Addr().String(), stop
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) dial() net.Conn {
	r.t.Helper()
	c, err := net.Dial(r.network, r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// send sends bytes, says that no more come, and gives all of the answer.
func (r *rig) send(request string) string {
	r.t.Helper()
	c := r.dial()
	defer c.Close()
	go func() {
		_, _ = io.WriteString(c, request)
		_ = c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	b, err := io.ReadAll(c)
	if err != nil {
		r.t.Fatalf("%v after %q", err, b)
	}
	return string(b)
}

// ask sends a command of version 1.5 with the mail; fields are "Name: value".
func (r *rig) ask(command, mail string, fields ...string) (head, body string) {
	r.t.Helper()
	head, body, _ = strings.Cut(r.send(asked(command, mail, fields...)), "\r\n\r\n")
	return head, body
}

func asked(command, mail string, fields ...string) string {
	fields = append(fields, fmt.Sprintf("Content-length: %d", len(mail)))
	return command + " SPAMC/1.5\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n" + mail
}
