//go:build integration

package node

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rempart/dns/dnstest"
	"rempart/gateway/milter/postfix"
	"rempart/message/dkim"
	"rempart/sign"
	"rempart/world"
)

// What rspamc makes of a mail that a user sends dkimpy accepts. It writes what stands in dkim-signature, the signature by RSA.
func TestSigningByRspamc(t *testing.T) {
	need(t, "rspamc")
	dir := newDir(t)
	keys, conf := "", "[[gateway.rspamd]]\nname = \"rspamd\"\nmode = \"judge\"\nlisten = [\"127.0.0.1:0\"]\n"
	for _, k := range []struct{ selector, algorithm string }{{"2026", dkim.RSA}, {"2026e", dkim.Ed25519}} {
		file := filepath.Join(dir, "example.org."+k.selector+".key")
		_, line := newKey(t, file, "example.org", k.selector, k.algorithm)
		keys += line
		conf += fmt.Sprintf("[[sign.key]]\ndomain = \"example.org\"\nselector = %q\nfile = %q\n", k.selector, file)
	}
	path, _ := configuration(t, conf)
	n, _ := serve(t, path)
	data := write(t, dir, "keys", keys)
	for name, raw := range map[string]string{
		"plain": "From: Ann <ann@example.org>\r\nTo: ben@example.net\r\nSubject: the\r\n figures\r\n\r\nHere they are.\r\n",
		"LF":    "From: Ann <ann@example.org>\nTo: ben@example.net\nSubject: the\n figures\n\nHere they are.\n\n",
	} {
		out, err := exec.Command("rspamc", "-h", n.Address("rspamd").String(), "-u", "ann@example.org", "-i", "192.0.2.7", "-m", "symbols", write(t, dir, "mail", raw)).Output()
		if err != nil {
			t.Fatalf("%v %s", err, out)
		}
		run := exec.Command("/usr/bin/python3", "../sign/testdata/peer.py", "verify", data)
		run.Stdin = bytes.NewReader(out)
		if got, err := run.CombinedOutput(); err != nil || string(got) != "pass\n" {
			t.Errorf("%s: %v, dkimpy says %s of\n%s", name, err, got, out)
		}
	}
}

// block is the n-th fenced block of a kind in docs/signing.md.
func block(t *testing.T, kind string, n int) string {
	t.Helper()
	page, err := os.ReadFile("../docs/signing.md")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile("(?ms)^ *```"+regexp.QuoteMeta(kind)+"\n(.*?)^ *```").FindAllStringSubmatch(string(page), -1)
	if n >= len(all) {
		t.Fatalf("the page has no %s block %d", kind, n)
	}
	return regexp.MustCompile("(?m)^   ").ReplaceAllString(all[n][1], "")
}

// newKey writes a key, and gives the record of DNS and a line of dkimpy's keys.
func newKey(t *testing.T, path, domain, selector, algorithm string) (record, line string) {
	t.Helper()
	k, err := sign.Generate(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	text, err := k.PEM()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	name := dkim.KeyName(selector, domain)
	record = strings.NewReplacer(" IN TXT", " 60 IN TXT", "\n", " ").Replace(sign.Zone(name, k.Record()))
	return strings.TrimSpace(record), name + " " + k.Record() + "\n"
}

// A mail goes out by a Postfix that is set up as docs/signing.md says, comes in by another whose milter seals, and again by that
// one: dkimpy and OpenDKIM accept what was delivered each time.
func TestSigningByPostfix(t *testing.T) {
	need(t, "swaks")
	need(t, "opendkim")
	dir := newDir(t)
	var zone []string
	keys := ""
	for _, k := range []struct{ selector, algorithm string }{{"2026", dkim.RSA}, {"2026e", dkim.Ed25519}} {
		record, line := newKey(t, filepath.Join(dir, "example.org."+k.selector+".key"), "example.org", k.selector, k.algorithm)
		zone, keys = append(zone, record), keys+line
	}
	other := filepath.Join(dir, "python.key")
	record, line := newKey(t, other, "python.example", "s", dkim.RSA)
	zone, keys = append(zone, record, `_dmarc.example.org. 60 IN TXT "v=DMARC1; p=reject"`), keys+line
	data := write(t, dir, "keys", keys)
	opendkim := write(t, dir, "opendkim.conf", "TestDNSData file:"+data+"\nMode v\n")

	text := strings.NewReplacer("/etc/rempart", dir, "127.0.0.1:8892", "127.0.0.1:0").Replace(block(t, "toml", 0))
	path, _ := configuration(t, text+"[[gateway.milter]]\nname = \"mx\"\nmode = \"judge\"\nlisten = [\"127.0.0.1:0\"]\n"+block(t, "toml", 2))
	conf, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	servers := fmt.Sprintf("servers = [%q]", dnstest.Serve(t, zone...).Addr)
	c, err := Load(write(t, dir, "rempart.toml", strings.Replace(string(conf), "off = true", servers, 1)))
	if err != nil {
		t.Fatal(err)
	}
	n, _ := serveConfig(t, c)
	inbox := postfix.NewSink(t)
	main := func(door, domains string) *postfix.Server {
		return postfix.Start(t, fmt.Sprintf("myhostname = %s.example.org\nrelay_domains = %s\nrelayhost = [127.0.0.1]:%d\n%s%s", door, domains, inbox.Port,
			strings.ReplaceAll(block(t, "main.cf", 0), "127.0.0.1:8892", n.Address(door).String()), xclient))
	}
	out, in := main("submission", "example.net"), main("mx", "example.net")

	send := func(port int, to, raw string) error {
		said, err := postfix.Run("swaks", "--server", fmt.Sprintf("127.0.0.1:%d", port), "--from", "ann@example.org", "--to", to, "--data", "@"+write(t, dir, "sent", raw))
		if err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		return nil
	}
	dkimpy := func(command, mail string, args ...string) string {
		t.Helper()
		run := exec.Command("/usr/bin/python3", append([]string{"../sign/testdata/peer.py", command, data}, args...)...)
		run.Stdin = strings.NewReader(mail)
		b, err := run.CombinedOutput()
		if err != nil {
			t.Fatalf("%v %s", err, b)
		}
		return string(b)
	}
	accepted := func(what, mail string) {
		t.Helper()
		if got := dkimpy("verify", mail); got != "pass\npass\n" {
			t.Errorf("%s: dkimpy says %s of\n%s", what, got, mail)
		}
		got, _ := postfix.Run("opendkim", "-x", opendkim, "-vv", "-t", write(t, dir, "mail", mail))
		if !strings.Contains(got, "verification (s=2026") || !strings.Contains(got, "succeeded") {
			t.Errorf("%s: OpenDKIM says %s", what, got)
		}
	}
	for name, raw := range map[string]string{"rewritten": "From: ann@example.org\nSubject:  the\n\t \tfigures  \nTo: ben@example.net\n\nHere.\n", "rewritten-without": "From: ann@example.org\n\nHere.\n"} {
		low := 1e-9
		changed := c
		changed.Policy.Outgoing.Rewrite = &low
		if err := n.Reload(changed); err != nil {
			t.Fatal(err)
		}
		to := name + "@example.net"
		if err := send(out.Port, to, raw); err != nil {
			t.Fatal(err)
		}
		mail := inbox.Wait(t, to, 1, 20*time.Second)[0].Data
		if accepted(name, mail); !strings.Contains(mail, "Subject: [SPAM]") {
			t.Errorf("%s: not rewritten:\n%s", name, mail)
		}
	}
	if err := n.Reload(c); err != nil {
		t.Fatal(err)
	}
	sender := &world.Mail{Client: netip.MustParseAddr("203.0.113.7"), Name: "mx.example.com", Helo: "mx.example.com", From: "ann@example.org"}
	for name, raw := range map[string]string{
		"plain":            "From: Ann <ann@example.org>\nTo: ben@example.net\nSubject: the figures\nDate: Sat, 28 Nov 2026 12:00:00 +0000\nMessage-ID: <1@example.org>\n\nHere they are.\n",
		"without-fields":   "From: ann@example.org\n\nHere.\n",
		"odd":              "From:ann@example.org\nSubject:  the\n\t \tfigures  \nX-Rempart-Action: accept\nTo:\n ben@example.net\n\n\n trailing \t \n\n..dots\n.\n\n\n",
		"eight-bit":        "From: Zo\xc3\xab <ann@example.org>\nSubject: Z\xc3\xa4hlen\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nSch\xc3\xb6n.\n",
		"below-the-domain": "From: ann@deep.example.org\nSubject: hi\n\nHere.\n",
		"empty":            "From: ann@example.org\nSubject: empty\n\n",
	} {
		to := name + "@example.net"
		if err := send(out.Port, to, raw); err != nil {
			t.Fatal(err)
		}
		mail := inbox.Wait(t, to, 1, 20*time.Second)[0].Data
		accepted(name, mail)
		if !strings.HasPrefix(mail, "DKIM-Signature: v=1; a=rsa-sha256; ") {
			t.Errorf("%s: the signatures do not stand on top:\n%s", name, mail)
		}
		for hop, want := range []string{"i=1", "i=2", "i=4"} {
			if hop == 2 { // another server in between
				mail = dkimpy("seal", mail, "python.example", other)
			}
			to := fmt.Sprintf("%s-%d@example.net", name, hop)
			if err := handOver(in.Port, sender, to, []byte(mail)); err != nil {
				t.Fatal(err)
			}
			mail = inbox.Wait(t, to, 1, 20*time.Second)[0].Data
			accepted(name+" handed on", mail)
			if got := dkimpy("arc", mail); !strings.HasPrefix(got, "pass ") || !strings.HasPrefix(mail, "ARC-Seal: "+want+"; ") ||
				!strings.Contains(mail, "ARC-Authentication-Results: "+want+"; example.org;") || !strings.Contains(mail, "dmarc=pass header.from=") {
				t.Errorf("%s, hop %d: dkimpy says %s of\n%s", name, hop+1, got, mail)
			}
		}
	}
}
