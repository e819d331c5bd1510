//go:build integration

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/textproto"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rempart/message"
	"rempart/quarantine"
	"rempart/world"
)

// TestDay plays the mail of a made-up world to a site: two mail exchangers with a node each, and a journal of three servers. While
// it comes, each server and each node is killed once (kill -9) and, later, stopped and started again as its next release; users
// teach on both nodes, and a postmaster walks through every page of both consoles. Then all mail that was taken is in the store
// behind or in quarantine, twice only where that could not be told, and both nodes judge alike. REMPART_DAY is the number of
// mails: 1,500 by default, some two minutes; 100,000 take an hour.
func TestDay(t *testing.T) {
	mails := 1500
	if s := os.Getenv("REMPART_DAY"); s != "" {
		mails, _ = strconv.Atoi(s)
	}
	s := newDaySite(t)
	d := &day{daySite: s, mails: mails, told: map[string]*fate{}}
	walk := newWalk(t, s)
	var walking sync.WaitGroup
	walking.Go(walk.run)
	d.play()
	walk.stop()
	walking.Wait()
	d.books()
	walk.report()
	d.alike()
}

// day is the mail of a day and what became of it.
type day struct {
	*daySite
	mails   int
	sent    atomic.Int64
	taught  atomic.Int64
	refused atomic.Int64 // tries that were put off

	mu   sync.Mutex
	told map[string]*fate // by recipient; each mail's are its own
}

// fate is what a sending server was told of one recipient's copy.
type fate struct {
	accepted, rejected bool
	unsure             int // tries after which it could not know
}

const senders = 12

// play sends all mail, and has at set points of the day something killed or upgraded.
func (d *day) play() {
	w, err := world.New(world.Config{Seed: 52, Start: time.Now(), Rate: 50})
	if err != nil {
		d.t.Fatal(err)
	}
	queue := make(chan letter)
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for l := range queue {
				d.send(l)
			}
		})
	}
	events := d.events()
	var doing sync.WaitGroup
	for n := 0; n < d.mails; {
		var l letter
		if n%10 == 9 {
			l = outgoing(n)
		} else if x := w.Next(); x.Mail == nil {
			continue
		} else {
			l = incoming(n, &x)
		}
		n++
		queue <- l
		if len(events) > 0 && n >= events[0].at {
			doing.Wait() // one thing at a time
			event := events[0]
			events = events[1:]
			doing.Go(func() {
				d.t.Logf("%6d mails: %s", d.sent.Load(), event.what)
				event.do()
			})
		}
	}
	close(queue)
	all.Wait()
	doing.Wait()
	if len(events) > 0 {
		d.t.Errorf("%d events did not come", len(events))
	}
}

type event struct {
	at   int // mails
	what string
	do   func()
}

// events kills every process once in the first half of the day and upgrades it in the second.
func (d *day) events() (out []event) {
	add := func(what string, do func()) { out = append(out, event{what: what, do: do}) }
	for i, n := range d.nodes {
		add("kill "+n.name, func() { n.again(os.Kill, d.old) })
		add(fmt.Sprintf("kill server %d of the journal", i+1), func() { d.restartJournal(i, os.Kill) })
	}
	add("kill server 3 of the journal", func() { d.restartJournal(2, os.Kill) })
	for i, n := range d.nodes {
		add("upgrade "+n.name, func() { n.again(syscall.SIGTERM, d.next) })
		add(fmt.Sprintf("restart server %d of the journal", i+1), func() { d.restartJournal(i, syscall.SIGTERM) })
	}
	add("restart server 3 of the journal", func() { d.restartJournal(2, syscall.SIGTERM) })
	for i := range out {
		out[i].at = d.mails * (i + 1) / (len(out) + 1)
	}
	return out
}

func (d *day) restartJournal(i int, sig os.Signal) {
	d.journal[i].again(sig, d.journal[i].args[0])
	d.settled()
}

// letter is one mail on its way to the site.
type letter struct {
	client, helo, login, from string
	to                        []string
	raw                       []byte
	label                     message.Label
}

// incoming is the world's mail, with the number in every recipient's address, by which it is known again.
func incoming(n int, x *world.Sent) letter {
	m := x.Mail
	l := letter{client: m.Client.String(), helo: m.Helo, from: m.From, raw: m.Raw, label: x.Truth.Label}
	if m.Client.Is6() {
		l.client = "IPV6:" + l.client
	}
	for _, to := range m.To {
		local, domain, _ := strings.Cut(to, "@")
		l.to = append(l.to, fmt.Sprintf("%s+%d@%s", local, n, domain))
	}
	return l
}

// outgoing is a mail of one of the site's own accounts, which is signed.
func outgoing(n int) letter {
	user := fmt.Sprintf("user%d@%s", n%40, ownDomain)
	return letter{client: "192.0.2.20", helo: "laptop.own.example", login: user, from: user, to: []string{fmt.Sprintf("friend+%d@else.example", n)}, label: message.Ham,
		raw: fmt.Appendf(nil, "From: <%s>\r\nTo: <friend@else.example>\r\nSubject: lunch %d\r\nDate: %s\r\nMessage-ID: <%d@%s>\r\n\r\nShall we meet at %d o'clock?\r\n",
			user, n, time.Now().Format(time.RFC1123Z), n, ownDomain, n%12)}
}

// send hands the letter to one mail exchanger or the other until it is taken or refused for good, as mail servers do. A share
// of what was taken is taught.
func (d *day) send(l letter) {
	defer d.sent.Add(1)
	for try := 0; ; try++ {
		node := d.nodes[rand.IntN(len(d.nodes))]
		err := hand(node.mx.Port, l)
		var answer *textproto.Error
		refused := errors.As(err, &answer)
		switch {
		case err == nil:
			d.note(l, func(f *fate) { f.accepted = true })
			if rand.IntN(20) == 0 && l.login == "" {
				d.teach(l)
			}
			return
		case refused && answer.Code >= 500:
			d.note(l, func(f *fate) { f.rejected = true })
			return
		case !refused || strings.Contains(answer.Msg, "Service unavailable"):
			d.note(l, func(f *fate) { f.unsure++ }) // the node, or the connection, went away: it may have kept it
		}
		d.refused.Add(1)
		if try == 300 {
			d.t.Errorf("a mail for %s is put off for ever: %v", l.to, err)
			return
		}
		time.Sleep(time.Second)
	}
}

func (d *day) note(l letter, change func(*fate)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, to := range l.to {
		f := d.told[to]
		if f == nil {
			f = &fate{}
			d.told[to] = f
		}
		change(f)
	}
}

// hand is one SMTP session of a sending server.
func hand(port int, l letter) error {
	c, err := textproto.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer c.Close()
	xclient := "XCLIENT NAME=[UNAVAILABLE] ADDR=" + l.client
	if l.login != "" {
		xclient += " LOGIN=" + l.login
	}
	steps := []struct {
		want int
		line string
	}{{220, ""}, {250, "EHLO test.example"}, {220, xclient}, {250, "EHLO " + l.helo}, {250, "MAIL FROM:<" + l.from + ">"}}
	for _, to := range l.to {
		steps = append(steps, struct {
			want int
			line string
		}{250, "RCPT TO:<" + to + ">"})
	}
	steps = append(steps, struct {
		want int
		line string
	}{354, "DATA"})
	for _, step := range steps {
		if step.line != "" {
			if err := c.PrintfLine("%s", step.line); err != nil {
				return err
			}
		}
		if _, _, err := c.ReadResponse(step.want); err != nil {
			return err
		}
	}
	w := c.DotWriter()
	if _, err := w.Write(l.raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, _, err = c.ReadResponse(250)
	_ = c.PrintfLine("QUIT")
	return err
}

// teach gives the truth about a mail to one of the nodes, as its reader would.
func (d *day) teach(l letter) {
	body, err := json.Marshal(map[string]any{"label": l.label, "channel": "email", "message": l.raw})
	if err != nil {
		d.t.Error(err)
		return
	}
	for range 100 {
		if _, ok := d.nodes[rand.IntN(2)].post("/v1/learn", "application/json", body); ok {
			d.taught.Add(1)
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	d.t.Error("a lesson was not taken")
}

// books holds what senders were told against where the mail is.
func (d *day) books() {
	t := d.t
	eventually(t, "the queues are empty", func() bool { return d.waiting() == 0 })
	kept := map[string]int{}
	for _, n := range d.nodes {
		out, err := exec.Command(d.next, "quarantine", "list", "--json", "--data", n.data).Output()
		if err != nil {
			t.Fatal(err)
		}
		for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
			var c quarantine.Copy
			if err := dec.Decode(&c); err != nil {
				t.Fatal(err)
			}
			kept[c.Recipient]++
		}
	}
	arrived := d.store.Arrived()
	var accepted, rejected, lost, twice, unexplained int
	for to, f := range d.told {
		n := arrived[to] + kept[to]
		switch {
		case f.accepted && n == 0:
			lost++
			t.Logf("lost: %s", to)
		case f.accepted:
			accepted++
		case f.rejected:
			rejected++
		}
		if extra := n - 1; extra > 0 {
			twice += extra
			if extra > f.unsure {
				unexplained++
			}
		}
	}
	t.Logf("%d mails: %d accepted, of them %d kept in quarantine, %d rejected, %d tries put off, %d lessons. Lost %d, arrived twice %d, of them unexplained %d",
		d.sent.Load(), accepted, len(kept), rejected, d.refused.Load(), d.taught.Load(), lost, twice, unexplained)
	if lost > 0 || unexplained > 0 || accepted == 0 || len(kept) == 0 || rejected == 0 || d.taught.Load() == 0 {
		t.Error("the books do not close, or the day was too quiet to tell")
	}
}

// alike holds the nodes' verdicts on new mail against each other. What each saw itself is forgotten by a restart, so that what
// they agreed on is left: the lessons.
func (d *day) alike() {
	t := d.t
	for _, n := range d.nodes {
		n.again(syscall.SIGTERM, d.next)
	}
	w, err := world.New(world.Config{Seed: 52, Stream: 1, Start: time.Now(), Rate: 50})
	if err != nil {
		t.Fatal(err)
	}
	differ, judged := 0, 0
	for judged < 300 {
		x := w.Next()
		if x.Mail == nil {
			continue
		}
		judged++
		var verdicts [2]struct{ Score, Probability float64 }
		for i, n := range d.nodes {
			answer, ok := n.post("/v1/judge/email?client="+x.Mail.Client.String(), "message/rfc822", x.Mail.Raw)
			if !ok {
				t.Fatalf("%s does not judge: %s", n.name, answer)
			}
			if err := json.Unmarshal(answer, &verdicts[i]); err != nil {
				t.Fatal(err)
			}
		}
		if verdicts[0] != verdicts[1] {
			differ++
			t.Logf("%s: %v and %v", x.Truth.Kind, verdicts[0], verdicts[1])
		}
	}
	t.Logf("%d new mails judged on both nodes: %d verdicts differ", judged, differ)
	if differ > 0 {
		t.Error("the nodes do not judge alike")
	}
}
