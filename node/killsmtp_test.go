//go:build integration

package node

import (
	"context"
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
)

// Under load from smtp-source a Postfix hands its mail through the program to another Postfix. The program, and the processes of
// the Postfix behind that take mail, are killed by turns (kill -9). Whatever the first Postfix was told 250 for has arrived, and
// what arrived twice did so only where it could not be told. Half of the kills are with Rempart after the queue of the first
// Postfix, half with a third one between them that asks Rempart before it queues. REMPART_KILLS is how often in all; 60 fit in
// some 90 seconds.
func TestKillSMTP(t *testing.T) {
	kills := 60
	if s := os.Getenv("REMPART_KILLS"); s != "" {
		kills, _ = strconv.Atoi(s)
	}
	t.Run("after the queue", func(t *testing.T) { newKilled(t, false).play(kills / 2) })
	t.Run("before the queue", func(t *testing.T) { newKilled(t, true).play(kills / 2) })
}

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
	sent        int // mails that the first Postfix took; read when load has ended
}

func newKilled(t *testing.T, before bool) *killed {
	t.Helper()
	if _, err := exec.LookPath("smtp-source"); err != nil {
		t.Skip("smtp-source is not installed")
	}
	l := &killed{t: t, dir: t.TempDir(), port: postfix.FreePort(t), sink: postfix.NewSink(t)}
	l.sink.Light = true
	l.binary = filepath.Join(l.dir, "rempart")
	if out, err := exec.Command("go", "build", "-o", l.binary, "rempart/cmd/rempart").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const common = "relay_domains = example.net\nminimal_backoff_time = 1s\nmaximal_backoff_time = 2s\nqueue_run_delay = 1s\nservice_throttle_time = 1s\n" +
		"default_destination_concurrency_failed_cohort_limit = 0\n"
	l.back = postfix.Start(t, common+fmt.Sprintf("myhostname = back.example.net\nrelayhost = [127.0.0.1]:%d\n", l.sink.Port))
	way := fmt.Sprintf("content_filter = smtp:[127.0.0.1]:%d\nsmtp_send_xforward_command = yes\n", l.port)
	if before {
		asks := postfix.FreePort(t)
		postfix.Start(t, common+"myhostname = asks.example.net\n",
			fmt.Sprintf("127.0.0.1:%d inet n - n - - smtpd\n  -o smtpd_proxy_filter=127.0.0.1:%d", asks, l.port))
		way = fmt.Sprintf("relayhost = [127.0.0.1]:%d\n", asks)
	}
	l.front = postfix.Start(t, common+"myhostname = front.example.net\n"+way)
	conf := fmt.Sprintf("data = %q\n[console]\nlisten = []\n[dns]\noff = true\n[[gateway.smtp]]\nname = \"mx\"\nlisten = [\"127.0.0.1:%d\"]\n"+
		"next_hops = [\"127.0.0.1:%d\"]\nxclient_hosts = [\"127.0.0.1\"]\n", filepath.Join(l.dir, "data"), l.port, l.back.Port)
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
		for l.sent-l.sink.Count() > 3*batch {
			if ctx.Err() != nil {
				return nil
			}
			time.Sleep(10 * time.Millisecond)
		}
		if ctx.Err() != nil {
			return nil
		}
		out, err := exec.Command("smtp-source", "-s", "10", "-m", strconv.Itoa(batch), "-l", sizes[n%len(sizes)], "-N", "-f", "a@example.com",
			"-t", fmt.Sprintf("b%d@example.net", n), fmt.Sprintf("inet:127.0.0.1:%d", l.front.Port)).CombinedOutput()
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
		waiting := 0
		for _, p := range []*postfix.Server{l.front, l.back} {
			for _, queue := range []string{"incoming", "active", "deferred"} {
				_ = filepath.WalkDir(filepath.Join(p.Dir, "queue", queue), func(_ string, d os.DirEntry, err error) error {
					if err == nil && !d.IsDir() {
						waiting++
					}
					return nil
				})
			}
		}
		if waiting == 0 {
			return
		}
		if time.Now().After(end) {
			l.t.Fatalf("%d mails wait in the queues for ever", waiting)
		}
	}
}

var (
	delivered = regexp.MustCompile(`to=<([^>]*)>.* status=(sent|deferred|bounced) \((.*)\)`)
	untried   = regexp.MustCompile(`^delivery temporarily suspended|Connection refused`)
	// The last is what a Postfix says that asks before it queues, when it loses whom it asked.
	maybe = regexp.MustCompile(`may be sent more than once|lost before it answered|queue file write error`)
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
	for to := range accepted {
		n := len(l.sink.For(to))
		if n == 0 {
			lost++
		}
		twice += max(0, n-1)
		if n-1 > unsure[to] {
			unexplained++
		}
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
