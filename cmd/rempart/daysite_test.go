//go:build integration

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rempart/dns/dnstest"
	"rempart/gateway/milter/postfix"
)

// daySite is what an operator runs: three servers of the journal, two nodes, before each a mail exchanger, and the store behind.
type daySite struct {
	t         *testing.T
	dir       string
	old, next string // the program, and its next release
	journal   [3]*process
	health    [3]int // ports on which servers of the journal tell how they are
	nodes     [2]*siteNode
	store     *postfix.Sink
}

type siteNode struct {
	*process
	name, data           string
	milter, api, console int // ports
	mx                   *postfix.Server
}

// process is a program that can be killed and started again, from another file too.
type process struct {
	t     *testing.T
	args  []string // the first is the program
	log   string
	ready func()
	cmd   *exec.Cmd
}

func (p *process) start() {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.ready()
}

// end sends the signal and waits for the end.
func (p *process) end(sig os.Signal) {
	_ = p.cmd.Process.Signal(sig)
	_ = p.cmd.Wait()
}

func (p *process) again(sig os.Signal, program string) {
	p.end(sig)
	p.args[0] = program
	p.start()
}

const (
	siteToken    = "a token of the site's tests"
	sitePassword = "correct horse battery"
	ownDomain    = "own.example"
)

func newDaySite(t *testing.T) *daySite {
	t.Helper()
	s := &daySite{t: t, dir: t.TempDir(), store: postfix.NewSink(t)}
	s.store.Light = true
	s.old, s.next = buildRempart(t, s.dir, "old"), buildRempart(t, s.dir, "next", "-tags", "extractor2")
	s.startJournal()
	record := command(t, s.old, "dkim", "new", "--domain", ownDomain, "--selector", "s1", "--file", filepath.Join(s.dir, "s1.key"))
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("secret"), 8))
	writeFile(t, s.dir, "secret", secret)
	zone := dnstest.Serve(t, string(record))
	for i := range s.nodes {
		s.nodes[i] = s.newNode(fmt.Sprint("n", i+1), zone.Addr)
		s.nodes[i].start()
	}
	t.Cleanup(func() {
		for _, n := range s.nodes {
			n.end(os.Kill)
			if t.Failed() {
				log, _ := os.ReadFile(n.log)
				t.Logf("%s logs:\n%s", n.name, log[max(0, len(log)-1<<13):])
			}
		}
	})
	return s
}

// startJournal runs three servers as docs/cluster.md configures them.
func (s *daySite) startJournal() {
	t := s.t
	server := filepath.Join(s.dir, "nats-server")
	if out, err := exec.Command("go", "build", "-o", server, "github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		t.Fatalf("build the journal's server: %v\n%s", err, out)
	}
	var at, peers [3]int
	for i := range s.journal {
		at[i], peers[i], s.health[i] = postfix.FreePort(t), postfix.FreePort(t), postfix.FreePort(t)
	}
	conf := block(t, "cluster.md", "text")
	for i := range s.journal {
		c := strings.NewReplacer(`"nats1"`, fmt.Sprintf(`"nats%d"`, i+1), `listen = "10.0.0.1:4222"`, fmt.Sprintf(`listen = "127.0.0.1:%d"`, at[i]),
			"127.0.0.1:8222", fmt.Sprintf("127.0.0.1:%d", s.health[i]), "/var/lib/nats", filepath.Join(s.dir, fmt.Sprint("nats", i)),
			`listen = "10.0.0.1:6222"`, fmt.Sprintf(`listen = "127.0.0.1:%d"`, peers[i]),
			"10.0.0.1:6222", fmt.Sprintf("127.0.0.1:%d", peers[0]), "10.0.0.2:6222", fmt.Sprintf("127.0.0.1:%d", peers[1]),
			"10.0.0.3:6222", fmt.Sprintf("127.0.0.1:%d", peers[2])).Replace(conf)
		path := writeFile(t, s.dir, fmt.Sprint("nats", i, ".conf"), c)
		s.journal[i] = &process{t: t, args: []string{server, "-c", path}, log: path + ".log", ready: func() {}}
		s.journal[i].start()
		t.Cleanup(func() { s.journal[i].end(os.Kill) })
	}
	s.settled()
	joins := strings.NewReplacer("10.0.0.1:4222", fmt.Sprintf("127.0.0.1:%d", at[0]), "10.0.0.2:4222", fmt.Sprintf("127.0.0.1:%d", at[1]),
		"10.0.0.3:4222", fmt.Sprintf("127.0.0.1:%d", at[2]), "/etc/rempart/secret", filepath.Join(s.dir, "secret")).Replace(block(t, "cluster.md", "toml"))
	writeFile(t, s.dir, "journal.toml", joins)
}

// settled waits until every server of the journal says that it is well.
func (s *daySite) settled() {
	s.t.Helper()
	for _, port := range s.health {
		eventually(s.t, "the journal's servers agree", func() bool {
			resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/healthz", port))
			if err != nil {
				return false
			}
			defer resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
	}
}

func (s *daySite) newNode(name, zone string) *siteNode {
	t := s.t
	n := &siteNode{name: name, data: filepath.Join(s.dir, name), milter: postfix.FreePort(t), api: postfix.FreePort(t), console: postfix.FreePort(t)}
	n.mx = postfix.Start(t, fmt.Sprintf("myhostname = %s.own.example\nrelay_domains = static:all\nrelayhost = [127.0.0.1]:%d\nsmtpd_milters = inet:127.0.0.1:%d\n"+
		"milter_default_action = tempfail\nsmtpd_authorized_xclient_hosts = 127.0.0.1\nsmtpd_delay_reject = no\nrecipient_delimiter = +\n"+
		"default_destination_recipient_limit = 1\nsmtpd_client_connection_count_limit = 0\n", name, s.store.Port, n.milter))
	journal, err := os.ReadFile(filepath.Join(s.dir, "journal.toml"))
	if err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf(`
name = %[1]q
data = %[2]q
[console]
listen = ["127.0.0.1:%[3]d"]
[dns]
servers = [%[4]q]
%[5]s
[mailbox]
delimiter = "+"
[policy.thresholds]
greylist = 0.5
tag = 0.9
quarantine = 0.98
reject = 0.995
[policy.greylist]
delay = "1s"
[policy.limit]
network = 100000
recipient = 100000
[[policy.rule]]
name = "invoice"
when = "verdict.probability > 0.5 and message.subject contains 'invoice'"
action = "tag"
[[policy.rule]]
name = "trial"
mode = "shadow"
when = "verdict.probability > 0.3"
action = "reject"
[quarantine]
next_hop = "127.0.0.1:%[6]d"
url = "http://127.0.0.1:%[3]d"
digest_from = "Quarantine <postmaster@own.example>"
[feedback]
addresses = ["abuse@own.example"]
[[sign.key]]
domain = "own.example"
selector = "s1"
file = %[7]q
[log]
messages = false
[[gateway.milter]]
name = "mx"
mode = "judge"
listen = ["127.0.0.1:%[8]d"]
[[gateway.api]]
name = "api"
listen = ["127.0.0.1:%[9]d"]
[[gateway.api.token]]
name = "tests"
sha256 = %[10]q
rights = ["judge", "learn"]
`, name, n.data, n.console, zone, journal, s.store.Port, filepath.Join(s.dir, "s1.key"), n.milter, n.api, fmt.Sprintf("%x", sha256.Sum256([]byte(siteToken))))
	path := writeFile(t, s.dir, name+".toml", conf)
	n.process = &process{t: t, args: []string{s.old, "serve", "--config", path}, log: path + ".log", ready: func() {
		for _, port := range []int{n.milter, n.api, n.console} {
			eventually(t, name+" listens", func() bool { // its start waits while the journal's servers choose a leader
				c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
				if err == nil {
					c.Close()
				}
				return err == nil
			})
		}
	}}
	return n
}

var linkPath = regexp.MustCompile(`/link/[\w-]+`)

// firstLink is the link for the administrator that the node's first start wrote into the log, if it did.
func (n *siteNode) firstLink() string {
	log, _ := os.ReadFile(n.log)
	return linkPath.FindString(string(log))
}

// post sends JSON or a mail to a node's API and returns the answer's body; ok says that it was 200.
func (n *siteNode) post(path, kind string, body []byte) (answer []byte, ok bool) {
	req, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d%s", n.api, path), bytes.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", "Bearer "+siteToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, false
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return answer, err == nil && resp.StatusCode == http.StatusOK
}

// waiting is how many mails are in the queues of the mail exchangers.
func (s *daySite) waiting() (n int) {
	for _, node := range s.nodes {
		for _, queue := range []string{"incoming", "active", "deferred", "hold"} {
			_ = filepath.WalkDir(filepath.Join(node.mx.Dir, "queue", queue), func(_ string, d os.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					n++
				}
				return nil
			})
		}
	}
	return n
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}

// block is the first code block of that kind on a page.
func block(t *testing.T, page, kind string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```"+kind+"\n")
	text, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatalf("%s has no block %s", page, kind)
	}
	return text
}
