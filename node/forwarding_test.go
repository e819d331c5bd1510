//go:build integration

package node

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/sync/errgroup"

	"rempart/dns/dnstest"
	"rempart/gateway/milter/postfix"
	"rempart/index"
	"rempart/message"
	"rempart/message/email"
	"rempart/world"
)

// forwardedMails is how many go each way.
const forwardedMails = 200

// Who hands mails on in these tests.
const (
	listHost   = "203.0.113.30"
	forwarder  = "203.0.113.40"
	backupHost = "203.0.113.50"
)

// Two hundred honest mails, clean when their senders' servers hand them over, are clean as well when they come by way of others.
// Every sender asks that what fails DMARC be rejected; the policy is the shipped one, and nothing was taught. The receiving
// server is a Postfix that asks a node; all who hand on are real programs too, at addresses of their own.
func TestForwardedMail(t *testing.T) {
	mails := honestMail(t, forwardedMails)
	o := newOperator(t, mails)
	for _, way := range []struct {
		name    string
		trusted []string // trusted_forwarders
		signed  bool     // by the author's domain; else SPF alone speaks for it
		broken  bool     // neither SPF nor DKIM is left for the author's domain
		open    func(t *testing.T, mx int, to string) relay
	}{
		{"direct", nil, true, false, func(_ *testing.T, mx int, to string) relay { return relay{port: mx, to: to} }},
		{"list-with-footer", nil, true, true, footerList},
		{"list-in-from", nil, true, false, mungingList},
		{"forward", nil, true, false, func(t *testing.T, mx int, to string) relay { return forward(t, mx, to, false) }},
		{"forward-trusted", []string{forwarder}, false, false, func(t *testing.T, mx int, to string) relay { return forward(t, mx, to, false) }},
		{"srs", nil, true, false, func(t *testing.T, mx int, to string) relay { return forward(t, mx, to, true) }},
		{"srs-trusted", []string{forwarder}, false, false, func(t *testing.T, mx int, to string) relay { return forward(t, mx, to, true) }},
		{"backup-mx", nil, false, false, backupServer},
		{"fetched", nil, true, false, fetched},
		{"fetched-trusted", []string{"127.0.0.1"}, false, false, fetched},
	} {
		t.Run(way.name, func(t *testing.T) {
			to := way.name + "@mx.example"
			o.trust(t, way.trusted)
			r := way.open(t, o.mx.Port, to)
			sendAll(t, mails, r, way.signed)
			if r.finish != nil {
				r.finish()
			}
			got := o.inbox.Wait(t, to, len(mails), time.Minute)
			marked := 0
			for _, m := range got {
				if strings.Contains(m.Data, "X-Rempart-Action:") {
					marked++
					t.Logf("marked:\n%.3000s", m.Data)
				}
			}
			failed, worst := o.judged(t, to, len(mails))
			if marked > 0 || len(got) != len(mails) {
				t.Errorf("%d of %d mails came through, %d marked", len(got), len(mails), marked)
			}
			t.Logf("%d mails, %d marked; DMARC failed for %d; highest probability %.3f (%s)", len(got), marked, failed, worst.probability, worst.reasons)
			if way.broken != (failed > 0) {
				t.Errorf("DMARC failed for %d: the way does not break what it should", failed)
			}
		})
	}
}

// operator is who receives: a node, the Postfix that asks it, and the mailboxes behind.
type operator struct {
	node  *Node
	conf  Config
	mx    *postfix.Server
	inbox *postfix.Sink
}

func newOperator(t *testing.T, mails []*world.Mail) *operator {
	zone := dnstest.Serve(t, records(mails)...)
	path, _ := configuration(t, fmt.Sprintf(`
[[gateway.milter]]
name = "mx"
mode = "judge"
listen = ["127.0.0.1:0"]
relays = [%q]
`, backupHost))
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c.DNS.Off, c.DNS.Servers = false, []string{zone.Addr}
	inbox := postfix.NewSink(t)
	n, _ := serveConfig(t, c)
	mx := postfix.Start(t, fmt.Sprintf("myhostname = mx1.mx.example\nrelay_domains = mx.example\nrelayhost = [127.0.0.1]:%d\n"+
		"smtpd_milters = inet:%s\nmilter_default_action = tempfail\n%s", inbox.Port, n.Address("mx"), xclient))
	return &operator{n, c, mx, inbox}
}

// trust names forwarders while the node runs.
func (o *operator) trust(t *testing.T, forwarders []string) {
	t.Helper()
	o.conf.Auth.TrustedForwarders = forwarders
	if err := o.node.Reload(o.conf); err != nil {
		t.Fatal(err)
	}
}

// xclient lets the test say from which address a connection comes.
const xclient = "smtpd_authorized_xclient_hosts = 127.0.0.1\n"

type judgedMail struct {
	probability float64
	reasons     string
}

// judged is for how many mails to a recipient DMARC failed, and the one that was nearest to being marked.
func (o *operator) judged(t *testing.T, to string, n int) (failed int, worst judgedMail) {
	t.Helper()
	var page index.Page
	for end := time.Now().Add(20 * time.Second); len(page.Events) < n && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		if page, err = o.node.index.Search(t.Context(), index.Query{Text: to, Limit: 500}); err != nil {
			t.Fatal(err)
		}
	}
	if len(page.Events) < n {
		t.Errorf("%d of %d mails are on record", len(page.Events), n)
	}
	for _, e := range page.Events {
		v := &e.Verdicts[0]
		var reasons []string
		for _, c := range v.Contributions {
			if c.State == message.StatePresent {
				reasons = append(reasons, fmt.Sprintf("%s%+.1f", c.Name, c.Weight().Float()))
			}
			if c.Name == "dmarc_fail" && c.State == message.StatePresent {
				failed++
			}
		}
		if v.Probability >= worst.probability {
			worst = judgedMail{v.Probability, strings.Join(reasons, " ")}
		}
	}
	return failed, worst
}

// honestMail is the first honest mails of a simulated world.
func honestMail(t *testing.T, n int) (out []*world.Mail) {
	w, err := world.New(world.Config{Seed: 7, Start: time.Now(), Rate: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for len(out) < n {
		if s := w.Next(); s.Mail != nil && s.Truth.Label == message.Ham && s.Mail.Client.Is4() {
			out = append(out, s.Mail)
		}
	}
	return out
}

// records are what the domains of all mails publish: SPF that names their servers and no others, a DKIM key, DMARC with
// p=reject, and reverse names of all who hand over.
func records(mails []*world.Mail) []string {
	hosts := map[string]map[netip.Addr]bool{"lists.example": {netip.MustParseAddr(listHost): true},
		"forward.example": {netip.MustParseAddr(forwarder): true}}
	names := map[netip.Addr]string{netip.MustParseAddr(listHost): "lists.example", netip.MustParseAddr(forwarder): "forward.example"}
	for _, m := range mails {
		for _, d := range []string{domainOf(m.From), authorDomain(m)} {
			if hosts[d] == nil {
				hosts[d] = map[netip.Addr]bool{}
			}
			hosts[d][m.Client] = true
		}
		names[m.Client] = m.Name
	}
	var out []string
	for d, addresses := range hosts {
		spf := "v=spf1"
		for a := range addresses {
			spf += " ip4:" + a.String()
		}
		key := base64.StdEncoding.EncodeToString(privateKey(d).Public().(ed25519.PublicKey))
		for name, text := range map[string]string{"": spf + " -all", "_dmarc.": "v=DMARC1; p=reject", "s._domainkey.": "v=DKIM1; k=ed25519; p=" + key} {
			var strs []string
			for c := range slices.Chunk([]byte(text), 200) {
				strs = append(strs, fmt.Sprintf("%q", c))
			}
			out = append(out, name+d+". 60 IN TXT "+strings.Join(strs, " "))
		}
	}
	for a, name := range names {
		b := a.As4()
		out = append(out, fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa. 60 IN PTR %s.", b[3], b[2], b[1], b[0], name), fmt.Sprintf("%s. 60 IN A %s", name, a))
	}
	return out
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

func authorDomain(m *world.Mail) string { return email.ParseBytes(m.Raw).From.Domain }

func privateKey(domain string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(domain))
	return ed25519.NewKeyFromSeed(seed[:])
}

// sendAll has every mail's own server hand it to r, written to the address that r takes.
func sendAll(t *testing.T, mails []*world.Mail, r relay, signed bool) {
	t.Helper()
	var g errgroup.Group
	g.SetLimit(8)
	for _, m := range mails {
		g.Go(func() error {
			raw := bytes.ReplaceAll(m.Raw, []byte("<"+m.To[0]+">"), []byte("<"+r.to+">"))
			if signed {
				domain := authorDomain(m)
				var out bytes.Buffer
				err := dkim.Sign(&out, bytes.NewReader(raw), &dkim.SignOptions{Domain: domain, Selector: "s", Signer: privateKey(domain),
					HeaderKeys:             []string{"From", "To", "Cc", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"},
					HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed})
				if err != nil {
					return err
				}
				raw = out.Bytes()
			}
			return handOver(r.port, m, r.to, raw)
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

// footerList is a list as they were before DMARC: the author stays in From, the footer breaks the author's signature.
func footerList(t *testing.T, mx int, to string) relay { return mailingList(t, mx, to, "") }

// mungingList writes itself into From and drops the author's signature.
func mungingList(t *testing.T, mx int, to string) relay {
	return mailingList(t, mx, to, "From: Friends of the Valley <talk@lists.example>\n")
}

// newDir is a directory that another user may enter; t.TempDir is not.
func newDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "rempart-forwarding-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
