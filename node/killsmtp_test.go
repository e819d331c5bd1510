//go:build integration

package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
	"rempart/quarantine"
)

// Under load from smtp-source a Postfix hands its mail through the program to another Postfix. The program, and the processes of
// the Postfix behind that take mail, are killed by turns (kill -9). Whatever the first Postfix was told 250 for has arrived or is in
// quarantine, and what arrived twice did so only where it could not be told. A third of the kills are with Rempart after the queue
// of the first Postfix, a third with another one between them that asks Rempart before it queues, a third with Rempart as a milter
// of the Postfix behind. REMPART_KILLS is how often in all; 30 take a minute.
func TestKillSMTP(t *testing.T) {
	kills := 30
	if s := os.Getenv("REMPART_KILLS"); s != "" {
		kills, _ = strconv.Atoi(s)
	}
	for _, way := range []string{afterQueue, beforeQueue, asMilter} {
		t.Run(way, func(t *testing.T) { newKilled(t, way).play(kills / 3) })
	}
}

// The ways of mail through the program.
const (
	afterQueue  = "after the queue"
	beforeQueue = "before the queue"
	asMilter    = "milter" // a batch in four goes into quarantine
)

// play kills by turns under load, and looks at what came of it.
func (l *killed) play(kills int) {
	t := l.t
	ctx, stop := context.WithCancel(t.Context())
	load := make(chan error, 1)
	go func() { load <- l.load(ctx) }()
	var program, next int
	for i := range kills {
		l.progress()
		time.Sleep(rand.N(300 * time.Millisecond)) // at any moment of a mail
		if i%2 == 0 {
			l.restart()
			program++
			continue
		}
		if l.killNextHop() {
			next++
		}
	}
	stop()
	if err := <-load; err != nil {
		t.Fatal(err)
	}
	l.settle()
	l.report(program, next)
}

// killed is the program between Postfixes.
type killed struct {
	t           *testing.T
	binary, dir string
	port        int // of the program
	front, back *postfix.Server
	sink        *postfix.Sink
	process     *exec.Cmd
	way         string
	sent, kept  int // mails that the first Postfix took, and those among them for the quarantine; read when load has ended
}

func newKilled(t *testing.T, way string) *killed {
	t.Helper()
	if _, err := exec.LookPath("smtp-source"); err != nil {
		t.Skip("smtp-source is not installed")
	}
	l := &killed{t: t, way: way, dir: t.TempDir(), port: postfix.FreePort(t), sink: postfix.NewSink(t)}
	l.sink.Light = true
	l.binary = filepath.Join(l.dir, "rempart")
	if out, err := exec.Command("go", "build", "-o", l.binary, "rempart/cmd/rempart").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const common = "relay_domains = example.net, kept.example\nminimal_backoff_time = 1s\nmaximal_backoff_time = 2s\nqueue_run_delay = 1s\nservice_throttle_time = 1s\n" +
		"default_destination_concurrency_failed_cohort_limit = 0\n"
	door := fmt.Sprintf("[[gateway.smtp]]\nname = \"mx\"\nlisten = [\"127.0.0.1:%d\"]\nxclient_hosts = [\"127.0.0.1\"]\n", l.port)
	behind := fmt.Sprintf("myhostname = back.example.net\nrelayhost = [127.0.0.1]:%d\n", l.sink.Port)
	if way == asMilter {
		behind += fmt.Sprintf("smtpd_milters = inet:127.0.0.1:%d\nmilter_default_action = tempfail\n", l.port)
		door = fmt.Sprintf("[[policy.scope]]\ndomain = \"kept.example\"\nthresholds = { quarantine = 0.00001 }\n"+
			"[quarantine]\nnext_hop = \"127.0.0.1:%d\"\n[[gateway.milter]]\nname = \"mx\"\nlisten = [\"127.0.0.1:%d\"]\n", l.sink.Port, l.port)
	}
	l.back = postfix.Start(t, common+behind)
	forth := fmt.Sprintf("content_filter = smtp:[127.0.0.1]:%d\nsmtp_send_xforward_command = yes\n", l.port)
	switch way {
	case beforeQueue:
		asks := postfix.FreePort(t)
		postfix.Start(t, common+"myhostname = asks.example.net\n",
			fmt.Sprintf("127.0.0.1:%d inet n - n - - smtpd\n  -o smtpd_proxy_filter=127.0.0.1:%d", asks, l.port))
		forth = fmt.Sprintf("relayhost = [127.0.0.1]:%d\n", asks)
	case asMilter:
		forth = fmt.Sprintf("relayhost = [127.0.0.1]:%d\n", l.back.Port)
	}
	if way != asMilter {
		door += fmt.Sprintf("next_hops = [\"127.0.0.1:%d\"]\n", l.back.Port)
	}
	l.front = postfix.Start(t, common+"myhostname = front.example.net\n"+forth)
	conf := fmt.Sprintf("data = %q\n[console]\nlisten = []\n[dns]\noff = true\n%s", filepath.Join(l.dir, "data"), door)
	if err := os.WriteFile(filepath.Join(l.dir, "rempart.toml"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	l.start()
	t.Cleanup(l.kill)
	return l
}

func (l *killed) start() {
	l.t.Helper()
	log, err := os.OpenFile(filepath.Join(l.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	defer log.Close()
	l.process = exec.Command(l.binary, "serve", "--config", filepath.Join(l.dir, "rempart.toml"))
	l.process.Stdout, l.process.Stderr = log, log
	if err := l.process.Start(); err != nil {
		l.t.Fatal(err)
	}
	postfix.WaitPort(l.t, l.port)
}

func (l *killed) kill() {
	_ = l.process.Process.Kill()
	_ = l.process.Wait()
}

func (l *killed) restart() {
	l.t.Helper()
	l.kill()
	l.start()
}

// load sends mails without end, each to a recipient of its own, and waits while too many are on their way.
func (l *killed) load(ctx context.Context) error {
	const batch = 100
	sizes := []string{"2000", "300000"}
	for n := 0; ; n++ {
		for l.sent-l.kept-l.sink.Count() > 3*batch {
			if ctx.Err() != nil {
				return nil
			}
			time.Sleep(10 * time.Millisecond)
		}
		if ctx.Err() != nil {
			return nil
		}
		domain := "example.net"
		if l.way == asMilter && n%4 == 3 {
			domain = "kept.example"
			l.kept += batch
		}
		out, err := exec.Command("smtp-source", "-s", "10", "-m", strconv.Itoa(batch), "-l", sizes[n%len(sizes)], "-N", "-f", "a@example.com",
			"-t", fmt.Sprintf("b%d@%s", n, domain), fmt.Sprintf("inet:127.0.0.1:%d", l.front.Port)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("smtp-source: %w\n%s", err, out)
		}
		l.sent += batch
	}
}

// progress waits until mail comes through again.
func (l *killed) progress() {
	l.t.Helper()
	before := l.sink.Count()
	for end := time.Now().Add(60 * time.Second); l.sink.Count() < before+10; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatal("no more mail comes through")
		}
	}
}

// killNextHop kills the processes that take mail at the Postfix behind, and reports whether there were any.
func (l *killed) killNextHop() (any bool) {
	l.t.Helper()
	b, err := os.ReadFile(filepath.Join(l.back.Dir, "queue/pid/master.pid"))
	if err != nil {
		l.t.Fatal(err)
	}
	master := strings.TrimSpace(string(b))
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		if f := strings.Fields(string(b)); len(f) > 3 && f[1] == "(smtpd)" && f[3] == master {
			pid, _ := strconv.Atoi(f[0])
			any = syscall.Kill(pid, syscall.SIGKILL) == nil || any
		}
	}
	return any
}

// settle waits until no queue holds mail.
func (l *killed) settle() {
	l.t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		var waiting []string
		for _, p := range []*postfix.Server{l.front, l.back} {
			for _, queue := range []string{"incoming", "active", "deferred"} {
				_ = filepath.WalkDir(filepath.Join(p.Dir, "queue", queue), func(path string, d os.DirEntry, err error) error {
					if err == nil && !d.IsDir() {
						waiting = append(waiting, path)
					}
					return nil
				})
			}
		}
		if len(waiting) == 0 {
			return
		}
		if time.Now().After(end) {
			l.t.Fatalf("%d mails wait in the queues for ever: %q\n%s", len(waiting), waiting, l.saidOf(waiting[0]))
		}
	}
}

// saidOf is what the Postfixes logged of the mail in that file of a queue.
func (l *killed) saidOf(path string) string {
	var said strings.Builder
	for _, p := range []*postfix.Server{l.front, l.back} {
		log, _ := os.ReadFile(filepath.Join(p.Dir, "log/mail.log"))
		for line := range strings.Lines(string(log)) {
			if strings.Contains(line, filepath.Base(path)) {
				said.WriteString(line)
			}
		}
	}
	return said.String()
}

var (
	delivered = regexp.MustCompile(`to=<([^>]*)>.* status=(sent|deferred|bounced) \((.*)\)`)
	untried   = regexp.MustCompile(`^delivery temporarily suspended|Connection refused`)
	// The last two are what a Postfix says that asks before it queues, when it loses whom it asked: a proxy, a milter.
	maybe = regexp.MustCompile(`may be sent more than once|lost before it answered|queue file write error|451 4\.7\.1 Service unavailable`)
)

// report compares what the first Postfix was told with what arrived.
func (l *killed) report(program, next int) {
	l.t.Helper()
	log, err := os.ReadFile(filepath.Join(l.front.Dir, "log/mail.log"))
	if err != nil {
		l.t.Fatal(err)
	}
	accepted, unsure := map[string]bool{}, map[string]int{}
	tries, unknown := 0, 0
	for _, m := range delivered.FindAllStringSubmatch(string(log), -1) {
		if untried.MatchString(m[3]) {
			continue
		}
		tries++
		switch to := m[1]; {
		case m[2] == "sent":
			accepted[to] = true
		case m[2] == "bounced":
			l.t.Errorf("bounced: %s", m[0])
		case maybe.MatchString(m[3]):
			unsure[to]++
			unknown++
		}
	}
	lost, twice, unexplained := 0, 0, 0
	quarantined, arrived := l.quarantined(), l.sink.Arrived()
	for to := range accepted {
		n := arrived[to] + quarantined[to]
		if n == 0 {
			lost++
		}
		twice += max(0, n-1)
		if n-1 > unsure[to] {
			unexplained++
		}
	}
	for to, n := range quarantined {
		if n > 1 {
			l.t.Errorf("quarantine has %d copies for %s, who was sent one mail", n, to)
		}
	}
	if (len(quarantined) > 0) != (l.kept > 0) {
		l.t.Errorf("%d mailboxes have mail in quarantine", len(quarantined))
	}
	l.t.Logf("killed: the program %d times, the next hop %d times. %d mails, %d tries, %d of them broken off, %d with an answer that nobody knows. "+
		"Lost %d, arrived twice %d, of them unexplained %d", program, next, l.sent, tries, tries-len(accepted), unknown, lost, twice, unexplained)
	if len(accepted) != l.sent || lost > 0 || unexplained > 0 {
		l.t.Errorf("of %d mails %d were accepted; %d lost, %d arrived twice without reason", l.sent, len(accepted), lost, unexplained)
	}
	if tries == len(accepted) {
		l.t.Error("no kill hit a mail")
	}
}

// quarantined is how many copies each recipient has in quarantine.
func (l *killed) quarantined() map[string]int {
	l.t.Helper()
	out, err := exec.Command(l.binary, "quarantine", "list", "--json", "--data", filepath.Join(l.dir, "data")).Output()
	if err != nil {
		l.t.Fatal(err)
	}
	n := map[string]int{}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var c quarantine.Copy
		if err := d.Decode(&c); err != nil {
			l.t.Fatal(err)
		}
		n[c.Recipient]++
	}
	return n
}
