package node

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"rempart/journal"
	"rempart/keyring"
	"rempart/message"
	"rempart/message/email"
)

// cluster is a NATS server of the operator's and what is needed to join it.
type cluster struct {
	url, secret string
}

func newCluster(t *testing.T) cluster {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
		NoSigs: true, NoLog: true, MaxPayload: 2 * journal.MaxRecord})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	return cluster{srv.ClientURL(), secretFile(t, "a secret of thirty-two bytes, or more")}
}

func secretFile(t *testing.T, secret string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString([]byte(secret))+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// config is a node's of that name.
func (c cluster) config(t *testing.T, name string) Config {
	t.Helper()
	path, _ := configuration(t, fmt.Sprintf("[journal]\nservers = [%q]\nsync_interval = \"always\"\nsecret_file = %q\n", c.url, c.secret))
	conf, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	conf.Name = name
	return conf
}

var anns = message.Scope{Tenant: "school", User: "ann@a.example"}

// teachAs teaches a text of which nothing else is known.
func teachAs(t *testing.T, n *Node, words string, scope message.Scope) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, _, err := n.Learn(ctx, aMail(words), message.Spam, message.CategoryNone, scope, "test"); err != nil {
		t.Fatal(err)
	}
}

func aMail(words string) *message.Message {
	m := email.ParseBytes([]byte("From: x@example.com\r\nTo: ann@a.example\r\nSubject: x\r\n\r\n" + words + "\r\n"))
	m.Direction = message.In
	return m
}

// same waits until both nodes learned as many lessons, and holds their verdicts against each other.
func same(t *testing.T, lessons uint64, nodes ...*Node) {
	t.Helper()
	for _, n := range nodes {
		eventually(t, fmt.Sprintf("%s learned %d lessons", n.config.Name, lessons), func() bool { return uint64(n.filter.Lessons()) == lessons })
	}
	for _, words := range []string{"cheap watches", "win a prize", "lunch at noon"} {
		first := nodes[0].verdict(t.Context(), aMail(words), anns)
		for _, n := range nodes[1:] {
			if v := n.verdict(t.Context(), aMail(words), anns); v.Score != first.Score || v.Probability != first.Probability {
				t.Errorf("%q: %v and %v", words, first.Score, v.Score)
			}
		}
	}
}

// Two nodes on one cluster learn the same, whoever taught for whom on which of them, also a node that joins later and one that
// was away; their sketches merge.
func TestNodesLearnTheSame(t *testing.T) {
	c := newCluster(t)
	a, _ := serveConfig(t, c.config(t, "a"))
	conf := c.config(t, "b")
	b, stopB := serveConfig(t, conf)
	teachAs(t, a, "cheap watches for you", message.Scope{})
	teachAs(t, b, "win a prize today", message.Scope{})
	teachAs(t, a, "cheap watches again", anns)
	teachAs(t, b, "win two prizes", anns)
	same(t, 4, a, b)
	stopB()
	teachAs(t, a, "a watch and a prize", message.Scope{Tenant: "hospital"})
	b, _ = serveConfig(t, conf)
	late, _ := serveConfig(t, c.config(t, "late"))
	same(t, 5, a, b, late)
	first, err := a.sketchKey()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := b.sketchKey(); err != nil || first != second {
		t.Errorf("sketches have keys of their own: %v", err)
	}
}

// A lesson whose key is on a node that does not answer waits, and those behind it, also on a node that starts meanwhile; the health page
// says so. When the node with the key is back, all learn; who was erased there meanwhile stays erased.
func TestLessonsWaitForKeys(t *testing.T) {
	for _, erased := range []bool{false, true} {
		t.Run(fmt.Sprint("erased ", erased), func(t *testing.T) {
			c := newCluster(t)
			away := c.config(t, "away").withDefaults()
			ring, err := keyring.Open(filepath.Join(away.Data, "keys"))
			if err != nil {
				t.Fatal(err)
			}
			n, _ := serveConfig(t, c.config(t, "n"))
			lesson := n.filter.Lesson(t.Context(), aMail("cheap watches"), message.Spam, anns, "test")
			lesson.ID, lesson.Time = "0123", time.Now()
			record, _ := lesson.AppendBinary(nil)
			sealed, err := ring.Seal(keyring.Scope{Tenant: anns.Tenant, User: anns.User}, record, []byte(lesson.ID))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := n.journal.Append(t.Context(), journal.Lessons, lesson.ID, sealed); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the lesson waits", func() bool { return n.awaiting.Load() })
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, _, err := n.Learn(ctx, aMail("win a prize"), message.Spam, message.CategoryNone, anns, "test"); err == nil {
				t.Error("a lesson behind it was learned")
			}
			if h := fmt.Sprint(n.Health(t.Context())); !strings.Contains(h, "health.lessons_wait") {
				t.Errorf("health says %s", h)
			}
			later := c.config(t, "late")
			late, stopLate := serveConfig(t, later)
			eventually(t, "a node that starts meanwhile waits as well", func() bool { return late.awaiting.Load() })
			stopLate()
			want := uint64(2)
			if erased {
				if err := ring.Destroy(keyring.Scope{Tenant: anns.Tenant, User: anns.User}); err != nil {
					t.Fatal(err)
				}
				want = 1
			}
			back, _ := serveConfig(t, away)
			eventually(t, "the lesson is not waited for any more", func() bool { return !n.awaiting.Load() })
			late, _ = serveConfig(t, later)
			same(t, want, n, back, late)
		})
	}
}

// Nodes with unlike secrets do not read each other's lessons, and say so. After a while lessons go on without those that cannot be
// read, without a wait for each; a node that is given the right secret learns them after all.
func TestOtherSecret(t *testing.T) {
	c := newCluster(t)
	a, _ := serveConfig(t, c.config(t, "a"))
	for range 30 {
		teachAs(t, a, "cheap watches for you", anns)
		teachAs(t, a, "lunch at noon", anns)
	}
	right := c.secret
	c.secret = secretFile(t, "another secret of thirty-two bytes!!")
	conf := c.config(t, "b")
	var later atomic.Int64
	b, stop := serveClock(t, conf, func() time.Time { return time.Now().Add(time.Duration(later.Load())) })
	eventually(t, "the lesson waits", func() bool { return b.awaiting.Load() })
	later.Store(int64(2 * keyPatience))
	lost := int64(a.filter.Lessons())
	eventually(t, "the lessons are passed over", func() bool { return b.locked.Load() == lost })
	teachAs(t, b, "win a prize", message.Scope{})
	if h := fmt.Sprint(b.Health(t.Context())); b.filter.Lessons() != 1 || !strings.Contains(h, "health.lessons_locked") {
		t.Errorf("%d lessons; %s", b.filter.Lessons(), h)
	}
	stop()
	b, stop = serveConfig(t, conf) // nothing is waited for again, and what was learned is there at once
	if b.filter.Lessons() != 1 || b.awaiting.Load() {
		t.Errorf("after a restart %d lessons", b.filter.Lessons())
	}
	stop()
	conf.Journal.SecretFile = right
	b, _ = serveConfig(t, conf)
	same(t, uint64(lost)+1, a, b)
	conf = c.config(t, "c")
	conf.Journal.SecretFile = secretFile(t, "short")
	if _, err := Open(t.Context(), conf, discard(), time.Now); err == nil || !strings.Contains(err.Error(), "32 random bytes") {
		t.Errorf("a short secret: %v", err)
	}
}
