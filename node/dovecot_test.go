//go:build integration

package node

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rempart/corpus"
	"rempart/message"
)

// A real Dovecot with the settings and scripts of docs/dovecot.md: a mail that is moved into Junk is taught as spam in its owner's name,
// one that is moved out as honest, one that goes from there into the bin is not, and marked mail is filed.
func TestDovecotPage(t *testing.T) {
	d := startDovecot(t)
	ben := message.Recipient{Address: "ben@b.example", Domain: "b.example"}
	probability := func() float64 {
		m := corpus.Mail([]byte(scam))
		m.Recipients = []message.Recipient{ben}
		return d.node.Scan(t.Context(), m).Judgement.Verdicts[0].Probability
	}
	before := probability()
	c := d.login(t, "ben@b.example")
	c.do(t, "CREATE Junk")
	c.do(t, "CREATE Trash")
	c.append(t, "INBOX", "X-Spam-Flag: YES\r\nX-Rempart-Action: tag\r\n"+scam)
	c.do(t, "SELECT INBOX")
	c.do(t, "MOVE 1 Junk")
	taught := probability()
	if d.node.filter.Lessons() != 1 || taught <= before {
		t.Errorf("moved into Junk: %d lessons, probability %.3f, then %.3f\n%s", d.node.filter.Lessons(), before, taught, d.log(t))
	}
	c.do(t, "SELECT Junk")
	c.do(t, "COPY 1 Trash")
	if n := d.node.filter.Lessons(); n != 1 {
		t.Errorf("from Junk into the bin: %d lessons", n)
	}
	c.do(t, "MOVE 1 INBOX")
	if n, p := d.node.filter.Lessons(), probability(); n != 2 || p >= before {
		t.Errorf("moved out of Junk: %d lessons, probability %.3f, untaught %.3f\n%s", n, p, before, d.log(t))
	}
	c.append(t, "Junk", strings.Replace(scam, "URGENT", "PRIZE", 1))
	if n := d.node.filter.Lessons(); n != 3 {
		t.Errorf("appended to Junk: %d lessons\n%s", n, d.log(t))
	}
	for _, mail := range []struct{ head, folder string }{{"X-Rempart-Action: tag\r\n", "Junk"}, {"", "INBOX"}} {
		if out := d.sieve(t, mail.head+scam); !strings.Contains(out, "store message in folder: "+mail.folder) {
			t.Errorf("%q is not filed in %s:\n%s", mail.head, mail.folder, out)
		}
	}
}

// scam has no mark.
const scam = "From: Prize Office <office@a.example>\r\nTo: ben@b.example\r\nSubject: URGENT claim\r\nMessage-ID: <scam@a.example>\r\n" +
	"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n\r\nYou have won a lottery. Send your bank details to claim the sum today.\r\n"

// dovecot is a server whose files all lie in one directory.
type dovecot struct {
	node *Node
	dir  string
	port int
	page map[string][]string // snippets by language
}

func startDovecot(t *testing.T) *dovecot {
	t.Helper()
	for _, program := range []string{"dovecot", "spamc", "sievec"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s here: .ci/run installs it", program)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("Dovecot takes other users' rights: needs root")
	}
	dir, err := os.MkdirTemp("", "rempart-dovecot-") // short, for the names of sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &dovecot{dir: dir, page: map[string][]string{}}
	page, err := os.ReadFile("../docs/dovecot.md")
	if err != nil {
		t.Fatal(err)
	}
	place := strings.NewReplacer("/run/rempart/", dir+"/", "/usr/local/lib/rempart", dir+"/bin", "/etc/dovecot/sieve", dir+"/sieve")
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```").FindAllStringSubmatch(string(page), -1) {
		d.page[m[1]] = append(d.page[m[1]], place.Replace(m[2]))
	}
	path, _ := configuration(t, d.page["toml"][0])
	d.node, _ = serve(t, path)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	files := map[string]string{"sieve/rempart-spam.sieve": d.page["sieve"][0], "sieve/rempart-ham.sieve": d.page["sieve"][1],
		"sieve/filing.sieve": d.page["sieve"][2], "bin/learn": d.page["sh"][0], "dovecot.conf": fmt.Sprintf(`
protocols = imap
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:%[1]s/mail/%%u
mail_uid = nobody
mail_gid = nogroup
first_valid_gid = 0
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=%[1]s/mail/%%u
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = %[2]d
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
namespace inbox {
  inbox = yes
  separator = /
}
%[3]s`, dir, d.port, d.page["dovecot"][0])}
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "mail"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{dir, filepath.Join(dir, "mail"), filepath.Join(dir, "spamd.sock")} {
		if err := os.Chmod(file, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("sievec", "-c", filepath.Join(dir, "dovecot.conf"), filepath.Join(dir, "sieve")).CombinedOutput(); err != nil {
		t.Fatalf("sievec: %v\n%s", err, out)
	}
	server := exec.Command("dovecot", "-F", "-c", filepath.Join(dir, "dovecot.conf"))
	var out bytes.Buffer
	server.Stdout, server.Stderr = &out, &out
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	})
	return d
}

func (d *dovecot) log(t *testing.T) string {
	t.Helper()
	b, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	return string(b)
}

// sieve runs the page's script that files marked mail.
func (d *dovecot) sieve(t *testing.T, mail string) string {
	t.Helper()
	file := filepath.Join(d.dir, "mail.eml")
	if err := os.WriteFile(file, []byte(mail), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sieve-test", "-c", filepath.Join(d.dir, "dovecot.conf"), filepath.Join(d.dir, "sieve/filing.sieve"), file).CombinedOutput()
	if err != nil {
		t.Fatalf("sieve-test: %v\n%s", err, out)
	}
	return string(out)
}

// imap is a client's connection.
type imap struct {
	net.Conn
	in *bufio.Reader
}

func (d *dovecot) login(t *testing.T, user string) *imap {
	t.Helper()
	var conn net.Conn
	var err error
	for range 100 {
		if conn, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", d.port)); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, d.log(t))
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	c := &imap{conn, bufio.NewReader(conn)}
	if _, err := c.in.ReadString('\n'); err != nil {
		t.Fatalf("%v\n%s", err, d.log(t))
	}
	c.do(t, "LOGIN "+user+" secret")
	return c
}

// do gives a command and waits until it is done.
func (c *imap) do(t *testing.T, command string) {
	t.Helper()
	fmt.Fprintf(c, "a %s\r\n", command)
	c.done(t, command)
}

func (c *imap) append(t *testing.T, folder, mail string) {
	t.Helper()
	fmt.Fprintf(c, "a APPEND %s {%d}\r\n", folder, len(mail))
	if line, err := c.in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "+") {
		t.Fatalf("APPEND: %q %v", line, err)
	}
	fmt.Fprintf(c, "%s\r\n", mail)
	c.done(t, "APPEND")
}

func (c *imap) done(t *testing.T, command string) {
	t.Helper()
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		if result, ok := strings.CutPrefix(line, "a "); ok {
			if !strings.HasPrefix(result, "OK") {
				t.Fatalf("%s: %s", command, line)
			}
			return
		}
	}
}
