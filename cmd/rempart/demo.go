package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rempart/console"
	"rempart/durable"
	"rempart/gateway"
	"rempart/gateway/api"
	"rempart/gateway/milter"
	"rempart/gateway/sip"
	"rempart/gateway/smpp"
	"rempart/geo"
	"rempart/message"
	"rempart/node"
	"rempart/policy"
	"rempart/report"
	"rempart/world"
	"rempart/world/send"
)

type demoCmd struct {
	Data   string        `default:"data/demo" type:"path" help:"Directory of the demo's node; one that is there is gone on with." placeholder:"DIR"`
	Listen string        `default:"127.0.0.1:8052" help:"Where the console answers." placeholder:"HOST:PORT"`
	For    time.Duration `help:"End after so long; 0 is until Ctrl-C." placeholder:"60s"`
	Seed   uint64        `default:"1" help:"Which world."`
	Rate   float64       `default:"20" help:"Messages a second, in the mean."`
	Teach  float64       `default:"0.15" help:"Share of the messages that a postmaster teaches with their true label."`
}

// Help is the long help.
func (demoCmd) Help() string {
	return `Runs a node with made-up mail, texts, calls and instant messages, so that there is something to look at. They go to its
front doors by the real protocols (milter, SMPP, SIP), on loopback; nothing leaves this machine and no DNS is asked. A share of
the messages is taught, so that the verdicts get better while you watch. At the end it prints what was measured beside the truth.

p and Enter pauses and resumes, q and Enter ends. Paused, and at the end, it prints the books: what was sent must be what
was judged and what was counted as dropped, else the exit code is 3.

Example:
  $ rempart demo --for 60s`
}

// Run runs the demo until it is told to end.
func (c *demoCmd) Run(e *env) error {
	d, err := c.prepare(e)
	if err != nil {
		return err
	}
	err = d.run(e)
	return errors.Join(err, d.node.Close())
}

// demo is a node, its world, and what plays the one to the other.
type demo struct {
	cmd     *demoCmd
	node    *node.Node
	log     *slog.Logger
	world   *world.World
	stream  uint64
	centre  *send.Centre
	hop     net.Listener // of the centre
	player  *send.Player
	lessons chan send.Result
	token   string // of the exchange, which tells how calls ended
	begun   time.Time
	before  measured // in earlier runs
	ledger  *world.Ledger
	phish   sync.Map // hosts that phishing truly leads to
}

// Names of the front doors, and what a tagged text is sent under.
const (
	mailDoor      = "mx"
	textDoor      = "sms"
	callDoor      = "sip"
	recordDoor    = "records"
	demoTagSender = "Likely-SCAM"
)

// prepare makes the directory and opens the node.
func (c *demoCmd) prepare(e *env) (*demo, error) {
	if c.Teach < 0 || c.Teach > 1 {
		return nil, fmt.Errorf("--teach %v: use a share from 0 to 1", c.Teach)
	}
	d := &demo{cmd: c, begun: e.now(), token: rand.Text(), centre: &send.Centre{TagSender: demoTagSender},
		ledger:  &world.Ledger{Sender: senderName, Doors: map[message.Channel]string{message.Email: mailDoor, message.SMS: textDoor, message.Call: callDoor, message.IM: callDoor}},
		lessons: make(chan send.Result, lessonQueue),
		log:     slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	slog.SetDefault(d.log) // libraries log there
	if err := durable.MakeDir(c.Data); err != nil {
		return nil, err
	}
	var err error
	if d.stream, err = nextStream(filepath.Join(c.Data, "demo.stream")); err != nil {
		return nil, err
	}
	if d.world, err = world.New(world.Config{Seed: c.Seed, Stream: d.stream, Start: d.begun.UTC(), Rate: c.Rate}); err != nil {
		return nil, err
	}
	places := filepath.Join(c.Data, "world.mmdb")
	if err := durable.WriteFile(places, d.world.Geography()); err != nil {
		return nil, err
	}
	numbers := filepath.Join(c.Data, "world.csv")
	if err := durable.WriteFile(numbers, d.world.NumberPlan()); err != nil {
		return nil, err
	}
	if d.hop, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if d.node, err = node.Open(e.ctx, d.config(places, numbers), d.log, e.now); err != nil {
		return nil, errors.Join(err, d.hop.Close())
	}
	d.before = d.measured()
	return d, nil
}

// nextStream numbers the runs of a directory, so that none repeats what another one sent.
func nextStream(path string) (n uint64, err error) {
	b, err := os.ReadFile(path)
	if err == nil {
		if _, err := fmt.Sscan(string(b), &n); err != nil {
			return 0, fmt.Errorf("read %s: %w", path, err)
		}
		n++
	} else if !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	return n, durable.WriteFile(path, fmt.Appendln(nil, n))
}

// config is the node's: embedded defaults, front doors on loopback, and thresholds that let every action be seen.
func (d *demo) config(places, numbers string) node.Config {
	c := d.cmd
	digest := sha256.Sum256([]byte(d.token))
	quiet, tag, hold, reject := false, 0.9, 0.98, 0.995
	loopback := []string{"127.0.0.1:0"}
	return node.Config{
		Data: c.Data, Name: "demo", Version: version,
		Console: node.ConsoleConfig{Listen: []string{c.Listen}},
		DNS:     node.DNSConfig{Off: true},
		Geo:     geo.Config{Country: places, Network: places, Numbers: numbers},
		Policy:  policy.Config{Thresholds: policy.Thresholds{Tag: &tag, Hold: &hold, Reject: &reject}},
		Log:     node.LogConfig{Messages: &quiet},
		Keep:    node.KeepConfig{Subjects: true},
		Gateway: node.GatewayConfig{
			Milter: []milter.Config{{MailDoor: gateway.MailDoor{Door: gateway.Door{Name: mailDoor, Listen: loopback}}}},
			SMPP: []smpp.Config{{Door: gateway.Door{Name: textDoor, Listen: loopback}, NextHops: []string{d.hop.Addr().String()},
				TagSender: demoTagSender}},
			SIP: []sip.Config{{Door: gateway.Door{Name: callDoor, Listen: loopback}, OnAccept: "continue", Relays: []string{"127.0.0.1"}}},
			API: []api.Config{{Door: gateway.Door{Name: recordDoor, Listen: loopback},
				Token: []api.Token{{Name: "exchange", SHA256: hex.EncodeToString(digest[:]), Rights: []string{api.RightJudge}}}}},
		},
	}
}

// run serves, plays, and at the end takes all down in the order that loses nothing: player, lessons, node, centre.
func (d *demo) run(e *env) error {
	group, ctx := errgroup.WithContext(context.WithoutCancel(e.ctx)) // Ctrl-C ends the player; the rest follows it
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	receiving, stopReceiving := context.WithCancel(ctx)
	defer stopReceiving()
	ready := make(chan struct{})
	group.Go(func() error { return d.centre.Run(receiving, d.hop) })
	group.Go(func() error {
		defer stopReceiving()
		return d.node.Serve(serving, func() { close(ready) })
	})
	group.Go(func() error {
		defer stopServing()
		select {
		case <-ready:
			return d.play(ctx, e)
		case <-ctx.Done():
			return nil // the node's error says it
		}
	})
	return group.Wait()
}

// play plays the stream until the time is over, a key or Ctrl-C, and closes the books.
func (d *demo) play(ctx context.Context, e *env) error {
	d.player = send.New(send.Config{Milter: d.node.Address(mailDoor).String(), SMPP: d.node.Address(textDoor).String(),
		SIP: d.node.Address(callDoor).String(),
		API: "http://" + d.node.Address(recordDoor).String(), Token: d.token,
		Systems: d.world.Systems(), Speed: 1, Answered: d.answered, Log: d.log}, func() world.Sent {
		d.world.CatchUp(e.now().UTC().Add(-maxBehind))
		return d.world.Next()
	})
	d.node.SetBooks(d.consoleBooks)
	d.node.SetLand(report.Land{Shapes: d.world.Map()})
	d.node.SetTour(func() []console.Stop { return d.tour(ctx) })
	if err := d.greet(ctx, e.stdout); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(e.ctx, stop)()
	if d.cmd.For > 0 {
		defer time.AfterFunc(d.cmd.For, stop).Stop()
	}
	var beside errgroup.Group
	beside.Go(func() error { return d.teach(ctx) })
	beside.Go(func() error { return d.attend(ctx, stop, e) })
	err := d.player.Run(ctx)
	stop()
	err = errors.Join(err, beside.Wait())
	if err := errors.Join(err, d.closeBooks(e)); err != nil {
		return err
	}
	_, err = io.WriteString(e.stdout, d.truthTable())
	return err
}

// greet says where everything is. The one-time link is for whoever looks first; it makes the administrator.
func (d *demo) greet(ctx context.Context, w io.Writer) error {
	link, err := d.node.FirstLink(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Rempart demo: made-up mail, texts, calls and messages, world %d, stretch %d; data in %s\n", d.cmd.Seed, d.stream, d.cmd.Data)
	fmt.Fprintf(w, "console     %s\n", d.node.ConsoleURL())
	if link != "" {
		fmt.Fprintf(w, "first login %s (once)\n", link)
	}
	fmt.Fprintf(w, "front doors milter %s, SMPP %s, SIP %s\n", d.node.Address(mailDoor), d.node.Address(textDoor), d.node.Address(callDoor))
	fmt.Fprintln(w, "p and Enter pauses and resumes, q and Enter ends")
	return nil
}

// maxBehind is how far the world's clock may be behind, after a pause, before the mails' dates would look odd.
const maxBehind = time.Minute

// lessonQueue bounds what waits to be taught; beyond it a postmaster has no time either.
const lessonQueue = 64

// answered enters the truth of what was judged and picks the messages to be taught: the same ones for the same world.
func (d *demo) answered(r send.Result) {
	if r.Answer != send.Refused && r.Answer != send.Error {
		d.ledger.Add(&r.Sent)
		if r.Sent.Truth.Category == message.Phishing {
			for _, host := range r.Sent.Truth.Hosts {
				d.phish.Store(host, true)
			}
		}
	}
	if mathrand.New(mathrand.NewPCG(d.cmd.Seed, r.Sent.Number)).Float64() >= d.cmd.Teach {
		return
	}
	select {
	case d.lessons <- r:
	default:
	}
}

// teach teaches as a postmaster would, one after the other.
func (d *demo) teach(ctx context.Context) error {
	for {
		select {
		case r := <-d.lessons:
			d.teachOne(ctx, r)
		case <-ctx.Done():
			return nil
		}
	}
}

// lessonRetry: a disk that was too slow to keep a lesson has caught up, or the next try is as cheap.
const lessonRetry = 2 * time.Second

// teachOne teaches one message, again and again while the journal cannot keep it. To teach it twice changes nothing.
func (d *demo) teachOne(ctx context.Context, r send.Result) {
	m := r.Sent.Messages()[r.Part]
	for tries := 0; ; tries++ {
		_, _, err := d.node.Learn(ctx, m, r.Sent.Truth.Label, r.Sent.Truth.Category, message.Scope{}, "postmaster")
		if err == nil || ctx.Err() != nil {
			return
		}
		if tries == 0 {
			d.log.Warn("a lesson has to wait", "error", err)
		}
		select {
		case <-time.After(lessonRetry):
		case <-ctx.Done():
			return
		}
	}
}

// attend obeys the keys and shows the state on a terminal.
func (d *demo) attend(ctx context.Context, stop func(), e *env) error {
	keys := make(chan string)
	// It ends with the program: a read from a terminal cannot be taken back.
	go func() {
		for lines := bufio.NewScanner(e.stdin); lines.Scan(); {
			select {
			case keys <- strings.TrimSpace(lines.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	paused, led := false, false
	for {
		select {
		case key := <-keys:
			switch key {
			case "q":
				stop()
			case "p":
				if paused = !paused; !paused {
					d.player.Resume()
					continue
				}
				d.player.Pause()
				if !d.player.Drained(ctx) {
					continue
				}
				if err := d.closeBooks(e); err != nil {
					stop()
					return err
				}
			}
		case <-ticker.C:
			if !led {
				led = d.lead(ctx, e.stdout)
			}
			if e.terminal && !paused {
				d.status(e.stderr)
			}
		case <-ctx.Done():
			return nil
		}
	}
}
