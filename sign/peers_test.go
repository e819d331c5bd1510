//go:build integration

package sign

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rempart/dns/dnstest"
	"rempart/message/dkim"
)

// python is Debian's, which has dkimpy.
const python = "/usr/bin/python3"

// peers are OpenDKIM and dkimpy, who find these keys.
type peers struct {
	t               *testing.T
	dir, keys, conf string
}

func newPeers(t *testing.T, signers ...*Signer) *peers {
	t.Helper()
	for _, program := range []string{"opendkim", "opendkim-testkey", python} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	p := &peers{t: t, dir: t.TempDir()}
	p.keys, p.conf = filepath.Join(p.dir, "keys"), filepath.Join(p.dir, "opendkim.conf")
	var names, data strings.Builder
	for _, s := range signers {
		for _, k := range s.Keys(today) {
			fmt.Fprintf(&names, "%s %s\n", k.Name(), k.Record)
			fmt.Fprintf(&data, "%s %s\n", k.Name(), k.Record)
		}
	}
	p.write("keys", names.String())
	p.write("data", data.String())
	p.write("opendkim.conf", "TestDNSData file:"+filepath.Join(p.dir, "data")+"\nMode v\n")
	return p
}

func (p *peers) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peers) run(stdin, name string, args ...string) string {
	p.t.Helper()
	c := exec.Command(name, args...)
	c.Stdin = strings.NewReader(stdin)
	var out, warnings strings.Builder
	c.Stdout, c.Stderr = &out, &warnings
	if err := c.Run(); err != nil {
		p.t.Fatalf("%s: %v\n%s%s", c, err, out.String(), warnings.String())
	}
	return out.String() + warnings.String()
}

// dkimpy is what dkimpy says.
func (p *peers) dkimpy(command, mail string, args ...string) string {
	p.t.Helper()
	return p.run(mail, python, append([]string{"testdata/peer.py", command, p.keys}, args...)...)
}

// opendkim is what OpenDKIM says of the signatures of a mail.
func (p *peers) opendkim(mail string) string {
	p.t.Helper()
	if !strings.HasSuffix(mail, "\n") {
		mail += "\r\n" // as SMTP has it; its test mode reads lines
	}
	p.write("mail", mail)
	return p.run("", "opendkim", "-x", p.conf, "-t", filepath.Join(p.dir, "mail"), "-vv")
}

// mails are forms that mail has.
func mails() map[string]string {
	return map[string]string{
		"plain":                plain,
		"no body":              plain[:strings.Index(plain, "\r\n\r\n")+4],
		"empty lines":          plain + "\r\n\r\n\r\n",
		"no last line end":     strings.TrimSuffix(plain, "\r\n"),
		"trailing spaces":      strings.Replace(plain, "are.", "are. \t \r\n\t \r\n  two  words  ", 1),
		"odd folds":            strings.Replace(plain, "the figures", "\r\n the\r\n\t \t figures \r\n ", 1),
		"no space after colon": strings.Replace(plain, "Subject: ", "Subject:", 1),
		"8 bit":                strings.Replace(plain, "are.", "\xc3\xa4r\xff.", 1),
		"8 bit in the header":  strings.Replace(plain, "the figures", "die Z\xc3\xa4hlen", 1),
		"fields twice":         "Cc: c@c.example\r\nCc: d@d.example\r\nList-Id: <l>\r\n" + plain,
		"long":                 plain + strings.Repeat("A line of text as mails have them, with some seventy letters in it.\r\n", 5000),
		"a long line":          plain + strings.Repeat("x ", 20_000) + "\r\n",
	}
}

func TestPeersVerify(t *testing.T) {
	s := load(t, pair(t, "a.example"))
	p := newPeers(t, s)
	for what, raw := range mails() {
		fields, outcome := s.Sign(outgoing(raw), today)
		if outcome != DKIM {
			t.Fatalf("%s: %s", what, outcome)
		}
		if got := p.dkimpy("verify", before(raw, fields)); got != "pass\npass\n" {
			t.Errorf("%s: dkimpy: %s", what, got)
		}
		if got := p.opendkim(before(raw, fields)); strings.Count(got, "verification (s=") != 1 || !strings.Contains(got, "succeeded") {
			t.Errorf("%s: OpenDKIM: %s", what, got)
		}
		for i, f := range fields { // OpenDKIM stops at the first that is good
			if got := p.opendkim(before(raw, fields[i:i+1])); !strings.Contains(got, "verification (s="+[]string{"r", "e"}[i]) || !strings.Contains(got, "succeeded") {
				t.Errorf("%s: OpenDKIM: %s\n%s", what, got, f.Value)
			}
		}
	}
	fields, _ := s.Sign(outgoing(plain), today)
	changed := before(strings.Replace(plain, "figures", "Figures", 1), fields)
	if got := p.dkimpy("verify", changed); strings.Contains(got, "pass") {
		t.Errorf("changed: dkimpy: %s", got)
	}
	if got := p.opendkim(changed); strings.Contains(got, "succeeded") {
		t.Errorf("changed: OpenDKIM: %s", got)
	}
}

// Chains of our seals, of dkimpy's and of both in turns pass for both.
func TestPeersSeal(t *testing.T) {
	nodes := sealers(t, nil, "one.example", "two.example")
	rsa, _ := keyFile(t, dkim.RSA)
	other := load(t, Config{Key: []KeyConfig{{Domain: "python.example", Selector: "s", File: rsa}}})
	author := load(t, pair(t, "a.example"))
	p := newPeers(t, nodes[0].signer, nodes[1].signer, other, author)
	for i := range nodes {
		nodes[i].checker = checker(t, append(records(other), append(records(nodes[0].signer), records(nodes[1].signer)...)...)...)
	}
	for what, raw := range mails() {
		fields, _ := author.Sign(outgoing(raw), today)
		mail := before(raw, fields)
		for n, hop := range []string{"one", "python", "two", "python", "one"} {
			switch hop {
			case "one":
				mail = nodes[0].hop(mail)
			case "two":
				mail = nodes[1].hop(mail)
			case "python":
				mail = p.dkimpy("seal", mail, "python.example", rsa)
			}
			if got := p.dkimpy("arc", mail); !strings.HasPrefix(got, "pass ") {
				t.Fatalf("%s, hop %d by %s: dkimpy: %s\n%.6000s", what, n+1, hop, got, mail)
			}
			if arc := nodes[0].takes(mail).Facts.Auth.ARC; arc.Status != "pass" || arc.Instance != n+1 || arc.OldestPass != 1 {
				t.Fatalf("%s, hop %d by %s: %+v", what, n+1, hop, arc)
			}
		}
	}
}

// A chain that was broken on the way is sealed as such, and dkimpy says the same of it.
func TestPeersOfAFailedChain(t *testing.T) {
	nodes := sealers(t, nil, "one.example", "two.example")
	p := newPeers(t, nodes[0].signer, nodes[1].signer)
	mail := nodes[1].hop(nodes[0].hop(plain) + "a footer\r\n")
	if got := p.dkimpy("arc", mail); !strings.HasPrefix(got, "ended ARC-Seal[2]") || !strings.Contains(mail, "cv=fail") {
		t.Errorf("%s\n%s", got, mail)
	}
}

// The record that we say is to be in DNS is the one that OpenDKIM wants there for the key, asked over DNS. Its tool
// reads RSA keys alone.
func TestPeersTestKey(t *testing.T) {
	c := pair(t, "a.example")
	c.Key = c.Key[:1]
	s := load(t, c)
	p := newPeers(t, s)
	address, port, _ := strings.Cut(dnstest.Serve(t, records(s)...).Addr, ":")
	p.write("unbound.conf", "server:\n\tdo-not-query-localhost: no\n\tmodule-config: iterator\nforward-zone:\n\tname: \".\"\n\tforward-addr: "+address+"@"+port+"\n")
	p.write("testkey.conf", "ResolverConfiguration "+filepath.Join(p.dir, "unbound.conf")+"\n")
	for _, k := range s.Keys(today) {
		out := p.run("", "opendkim-testkey", "-x", filepath.Join(p.dir, "testkey.conf"), "-d", k.Domain, "-s", k.Selector, "-k", k.File, "-vvv")
		if !strings.Contains(out, "key OK") {
			t.Errorf("%s", out)
		}
	}
}

// Keys that rspamadm makes are read, and have the record that it prints.
func TestPeersRspamadm(t *testing.T) {
	if _, err := exec.LookPath("rspamadm"); err != nil {
		t.Skip(err)
	}
	p := newPeers(t)
	for _, kind := range []string{"rsa", "ed25519"} {
		file := filepath.Join(p.dir, "a.example.dkim.key")
		printed := p.run("", "rspamadm", "dkim_keygen", "-t", kind, "-s", "dkim", "-d", "a.example", "-b", "2048", "-k", file)
		s := load(t, Config{Path: filepath.Join(p.dir, "$domain.$selector.key")})
		record := strings.Join(strings.Fields(s.Keys(today)[0].Record), "")
		if got := strings.NewReplacer("\"", "", "\n", "", "\t", "", " ", "").Replace(printed); !strings.Contains(got, record) {
			t.Errorf("%s: %s\nwe say %s", kind, printed, record)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}
