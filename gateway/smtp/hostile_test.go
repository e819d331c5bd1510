package smtp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/message"
)

// What breaks the rules is answered so, and who goes on breaking them is sent away.
func TestBadCommands(t *testing.T) {
	r := newRig(t, by(nil), func(c *Config) { c.XClientHosts = []string{"127.0.0.1"} })
	for _, tt := range []struct{ line, want string }{
		{"", "502"}, {"BLURB", "502"}, {"LHLO client.example", "502"}, {"EHLO", "501"}, {"STARTTLS", "502"}, {"AUTH PLAIN AGEAYg==", "502"},
		{"NOOP\x00", "500 5.5.2 a line"}, {"NOOP\rRSET", "500 5.5.2 a line"}, {"NOOP\nRSET", "500 5.5.2 a line"},
		{"NOOP " + strings.Repeat("x", maxLine), "500 5.5.2 the line is too long"}, {"NOOP " + strings.Repeat("x", 1<<20), "500 5.5.2 the line is too long"},
		{"MAIL FROM:a@example.com", "501"}, {"MAIL TO:<a@example.com>", "501"}, {"MAIL FROM:<a@example.com", "501"}, {"MAIL FROM:<a@example.com>SIZE=1", "501"},
		{"MAIL FROM:<a b@example.com>", "501"}, {"MAIL FROM:<\"a>", "501"}, {"MAIL FROM:<\"a\\", "501"}, {"MAIL FROM:<a@example.com> =x", "501"},
		{"MAIL FROM:<a@example.com> SIZE=x", "501"}, {"MAIL FROM:<a@example.com> SIZE=99999999999999999999999", "501"},
		{"MAIL FROM:<a@example.com> SIZE=99999999999999999999", "552 5.3.4"}, {"MAIL FROM:<a@example.com> SIZE=70000000", "552 5.3.4"},
		{"MAIL FROM:<a@example.com> BODY=BINARYMIME", "555"}, {"MAIL FROM:<a@example.com> AUTH=<>", "555"}, {"MAIL FROM:<a@example.com> SMTPUTF8=1", "555"},
		{"RCPT TO:<a@example.com>", "503"}, {"DATA", "503"}, {"BDAT -1", "501"}, {"BDAT 99999999999999999999 LAST", "501"}, {"BDAT 0 LAST", "503"},
		{"XFORWARD", "501"}, {"XFORWARD ADDR", "501"}, {"XFORWARD ADDR=1.2.3", "501"}, {"XFORWARD LOGIN=a", "501"}, {"XFORWARD NAME=+0D+0ARSET", "501"},
		{"XFORWARD NAME=+4", "501"}, {"XCLIENT IDENT=a", "501"},
	} {
		d := r.hello()
		if got := d.do(tt.line, ""); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%.60q is answered %q, want %q", tt.line, got, tt.want)
		}
		if strings.Contains(tt.line, "\n") {
			d.want("250") // what follows the LF is a command of its own
		}
		d.do("NOOP", "250")
	}
	d := r.hello()
	for range maxBad - 1 {
		d.do("BLURB", "502")
	}
	d.do("BLURB", "421 4.7.0")
	d.ended()
}

// Recipients that the next hop refuses are no fault of the client's.
func TestManyRefusedRecipients(t *testing.T) {
	r := newRig(t, by(nil), nil)
	d := r.hello()
	for _, refused := range []string{"550 5.1.1 no such user", "504 5.5.2 need a whole address", "501 5.1.3 bad address"} {
		r.hop.set("RCPT", refused)
		for range 3 * maxBad {
			d.write("MAIL FROM:<a@example.com>\r\nRCPT TO:<nobody@example.net>\r\nDATA\r\nRSET\r\n")
			for _, want := range []string{"250", refused, "554 5.5.1", "250"} {
				d.want(want)
			}
		}
	}
}

func TestTooManyRecipients(t *testing.T) {
	r := newRig(t, by(nil), nil)
	d := r.hello()
	d.begin("accept")
	for range maxRecipients - 1 {
		d.do("RCPT TO:<accept@example.net>", "250")
	}
	d.do("RCPT TO:<accept@example.net>", "452 4.5.3")
	d.do("DATA", "354")
	d.write(plain + ".\r\n")
	d.want("250")
}

// A mail beyond the limit is read to its end and refused; what it took of the memory is given back.
func TestOversize(t *testing.T) {
	r := newRig(t, by(nil), func(c *Config) { c.MaxSize = 64 << 10 })
	d := r.hello()
	big := "\r\n" + strings.Repeat(strings.Repeat("x", 1022)+"\r\n", 100)
	if got := d.send(big, "accept"); !strings.HasPrefix(got, "552 5.3.4") {
		t.Errorf("answered %q", got)
	}
	d.begin("accept")
	d.write("BDAT 60000\r\n" + strings.Repeat("x", 60000) + "BDAT 60000\r\n" + strings.Repeat("x", 60000) + "BDAT 0 LAST\r\n")
	d.want("250")
	d.want("552 5.3.4")
	d.want("552 5.3.4")
	if got := d.send(plain, "accept"); !strings.HasPrefix(got, "250") {
		t.Errorf("the next mail is answered %q", got)
	}
	// What all connections hold is bounded too.
	r.proxy.held.limit = 10_000
	if got := d.send("\r\n"+strings.Repeat("x", 20_000)+"\r\n", "accept"); !strings.HasPrefix(got, "452 4.3.1") {
		t.Errorf("answered %q", got)
	}
}

// Lines of any length, NUL, 8-bit headers: all goes to the judge and on as it came.
func TestOddContent(t *testing.T) {
	asked := make(chan *message.Message, 1)
	r := newRig(t, by(asked), nil)
	d := r.hello()
	for _, content := range []string{
		"Subject: " + strings.Repeat("long ", 100_000) + "\r\n\r\nx\r\n", "\r\n" + strings.Repeat("x", 1<<20) + "\r\n", "Subject: a\x00b\r\n\r\n\x00\r\n",
		"Subj\xe9ct: \xff\xfe\r\n\r\n\x80\r\n", "no header at all\r\n", "", "\r\n", " folded at once\r\n\r\n", ":\r\n\r\n", "Subject\r\n",
	} {
		if got := d.send(content, "accept"); !strings.HasPrefix(got, "250") {
			t.Errorf("%.40q: answered %q", content, got)
		}
		if m := <-asked; string(m.Raw) != content {
			t.Errorf("%.40q: judged %.40q", content, m.Raw)
		}
		if all := r.hop.mails(); all[len(all)-1].data != content {
			t.Errorf("%.40q: sent on %.40q", content, all[len(all)-1].data)
		}
	}
	// A mail that is all body stays so behind our headers.
	d.send("no header at all\r\n", "tag")
	<-asked
	all := r.hop.mails()
	if got := all[len(all)-1].data; !strings.HasSuffix(got, "\r\n\r\nno header at all\r\n") {
		t.Errorf("%q", got)
	}
	d.send(plain[len("Subject: hello\r\n"):], "rewrite")
	<-asked
	all = r.hop.mails()
	if got := all[len(all)-1].data; !strings.Contains(got, "\r\nSubject: [SPAM]\r\nFrom:") {
		t.Errorf("%q", got)
	}
}

// The parser's own collection of malformed mails goes through, by DATA and by BDAT, with line ends made good and nothing else
// changed.
func TestMalformedMails(t *testing.T) {
	files, err := filepath.Glob("../../message/email/testdata/*.eml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d mails: %v", len(files), err)
	}
	r := newRig(t, by(nil), nil)
	d := r.hello()
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, _, _ := decode(append(b[:len(b):len(b)], "\r\n"...), len(b)+2, true)
		want := string(c.raw)
		stuffed, _ := appendStuffed(nil, c.raw, true)
		d.begin("accept")
		d.write(fmt.Sprintf("BDAT %d\r\n%sBDAT 2 LAST\r\n\r\n", len(b), b))
		d.want("250")
		d.want("250")
		if got := d.send(string(stuffed), "accept"); !strings.HasPrefix(got, "250") {
			t.Errorf("%s: answered %q", file, got)
		}
		all := r.hop.mails()
		if n := len(all); all[n-1].data != want || all[n-2].data != want {
			t.Errorf("%s: changed on its way", file)
		}
	}
}

// Who sends a byte now and then is waited for as long as the whole may take, and no longer; the next hop is told that we are
// still there.
func TestSlowClients(t *testing.T) {
	r := newRig(t, by(nil), nil, func(p *Proxy) {
		p.patient.command, p.patient.block, p.patient.transaction, p.patient.keep = 200*time.Millisecond, 200*time.Millisecond, time.Second, 10*time.Millisecond
	})
	drip := func(d *dialogue, s string) {
		for i := range len(s) {
			if _, err := d.conn.Write([]byte{s[i]}); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	d := r.hello()
	drip(d, "NOOP in a line that never ends")
	d.want("421 4.4.2")
	d.ended()

	d = r.hello()
	d.begin("accept")
	d.do("DATA", "354")
	d.want("421 4.4.2") // silence
	d.ended()

	d = r.hello()
	d.begin("accept")
	d.do("DATA", "354")
	drip(d, strings.Repeat("x", 60))
	d.want("421 4.4.2")
	d.ended()

	d = r.hello()
	d.begin("accept")
	d.do("DATA", "354")
	drip(d, "\r\nslow\r\n.\r\n")
	d.want("250")
	if said := strings.Join(r.hop.commands(), " "); !strings.Contains(said, "NOOP") {
		t.Errorf("the next hop heard %q", said)
	}
}

// certificate makes files for STARTTLS.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx.example"}, DNSNames: []string{"mx.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, of, of, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: b}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, _ := x509.ParseCertificate(der)
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return cert, key, pool
}

func TestStartTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	asked := make(chan *message.Message, 2)
	r := newRig(t, by(asked), func(c *Config) { c.Certificate, c.Key = cert, key })
	d := r.dial()
	if got := d.do("EHLO client.example", "250"); !strings.Contains(got, "STARTTLS") {
		t.Errorf("offered %q", got)
	}
	d.do("STARTTLS", "220")
	conn := tls.Client(d.conn, &tls.Config{RootCAs: pool, ServerName: "mx.example"})
	d.conn, d.r = conn, newClient(conn).r
	d.do("MAIL FROM:<a@example.com>", "503") // all that was said in clear is forgotten
	if got := d.do("EHLO client.example", "250"); strings.Contains(got, "STARTTLS") {
		t.Errorf("offered again %q", got)
	}
	if got := d.send(plain, "accept"); !strings.HasPrefix(got, "250") {
		t.Errorf("answered %q", got)
	}
	if m := <-asked; m.Source.TLS != "TLSv1.3" {
		t.Errorf("told %q", m.Source.TLS)
	}
	d.do("QUIT", "221")
	d.ended()

	// What was slipped in behind the command in clear is not taken for encrypted.
	d = r.hello()
	d.do("STARTTLS\r\nMAIL FROM:<a@example.com>", "501")
	d.ended()
	// No handshake.
	d = r.hello()
	d.do("STARTTLS", "220")
	d.write("MAIL FROM:<a@example.com>\r\n")
	d.ended()
}
