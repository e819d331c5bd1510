//go:build integration

package nexthop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
)

// authority signs certificates that this process trusts as it does its system's.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.cert, a.key = a.sign(t, "authority", &x509.Certificate{Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign})
	t.Setenv("SSL_CERT_FILE", filepath.Join(a.dir, "authority.crt")) // read when the first certificate is verified
	return a
}

// sign writes NAME.crt and NAME.key.
func (a *authority) sign(t *testing.T, name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, by := a.cert, a.key
	if parent == nil {
		parent, by = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".crt": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(a.dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// startDovecot answers Postfix who may log in: ben, with "correct-horse".
func startDovecot(t *testing.T) (socket string) {
	t.Helper()
	if _, err := exec.LookPath("dovecot"); err != nil {
		t.Skip("no dovecot here: .ci/run installs it")
	}
	dir, err := os.MkdirTemp("", "rempart-sasl-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf(`
protocols =
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
ssl = no
auth_mechanisms = plain
passdb {
  driver = static
  args = password={PLAIN}correct-horse
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=%[1]s
}
service auth {
  unix_listener %[1]s/auth {
    mode = 0666
  }
}
`, dir)
	if err := os.WriteFile(dir+"/dovecot.conf", []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dovecot", "-F", "-c", dir+"/dovecot.conf")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if log, _ := os.ReadFile(dir + "/log"); t.Failed() {
			t.Logf("Dovecot's log:\n%s", log)
		}
	})
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(dir + "/auth"); err == nil {
			return dir + "/auth"
		}
	}
	t.Fatal("Dovecot did not start")
	return ""
}

// A Postfix that is a submission relay (STARTTLS, Dovecot's SASL, nobody without a login) takes mail by TLS from who knows the password,
// and certificates are looked at when they are to be.
func TestSubmissionWithPostfix(t *testing.T) {
	ca := newAuthority(t)
	ca.sign(t, "here", &x509.Certificate{Subject: pkix.Name{CommonName: "here"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	ca.sign(t, "elsewhere", &x509.Certificate{Subject: pkix.Name{CommonName: "elsewhere"}, DNSNames: []string{"elsewhere.example"}})
	socket := startDovecot(t)
	inbox := postfix.NewSink(t)
	relay := func(more string) int {
		return postfix.Start(t, fmt.Sprintf("myhostname = relay.mx.example\nrelayhost = [127.0.0.1]:%d\nsmtpd_tls_received_header = yes\n"+
			"relay_domains = mx.example\n%s", inbox.Port, more), "tlsmgr unix - - n 1000? 1 tlsmgr").Port
	}
	tls := func(name string) string {
		return fmt.Sprintf("smtpd_tls_security_level = may\nsmtpd_tls_cert_file = %[1]s/%[2]s.crt\nsmtpd_tls_key_file = %[1]s/%[2]s.key\n", ca.dir, name)
	}
	submission := relay(tls("here") + "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = " + socket + "\n" +
		"smtpd_tls_auth_only = yes\nsmtpd_relay_restrictions = permit_sasl_authenticated, reject\n")
	other, plain := relay(tls("elsewhere")), relay("")
	passwords := t.TempDir()
	right, wrong := filepath.Join(passwords, "right"), filepath.Join(passwords, "wrong")
	if err := errors.Join(os.WriteFile(right, []byte("correct-horse\n"), 0o600), os.WriteFile(wrong, []byte("correct\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		name string
		port int
		a    Access
		want string // in the error; "" and it is delivered
		tls  bool
	}{
		{"opportunistic", other, Access{}, "", true},
		{"any certificate", other, Access{TLS: "encrypt"}, "", true},
		{"a certificate for another name", other, Access{TLS: "verify"}, "TLS failed", false},
		{"no TLS there", plain, Access{}, "", false},
		{"no TLS there", plain, Access{TLS: "encrypt"}, "offers no STARTTLS", false},
		{"nobody logs in", submission, Access{TLS: "verify"}, "554", false},
		{"logged in", submission, Access{User: "ben", PasswordFile: right}, "", true},
		{"logged in", submission, Access{User: "ben", PasswordFile: right, TLS: "encrypt"}, "", true},
		{"a wrong password", submission, Access{User: "ben", PasswordFile: wrong}, "log in as ben: 535", false},
		{"a login where none is offered", other, Access{User: "ben", PasswordFile: right, TLS: "encrypt"}, "log in as ben", false},
	} {
		to := fmt.Sprintf("to%d@mx.example", i)
		err := Send(t.Context(), fmt.Sprintf("127.0.0.1:%d", tt.port), tt.a, "", to, []byte("Subject: "+to+"\r\n\r\nhi\r\n"))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %+v: %v", tt.name, tt.a, err)
		}
		var refused *textproto.Error
		if errors.As(err, &refused) && tt.name != "nobody logs in" {
			t.Errorf("%s is taken for a refusal of the mail: %v", tt.name, err)
		}
		if err != nil || tt.want != "" {
			continue
		}
		got := inbox.Wait(t, to, 1, 20*time.Second)
		if secure := strings.Contains(got[0].Data, "using TLSv1"); secure != tt.tls {
			t.Errorf("%s, %+v: by TLS %v\n%s", tt.name, tt.a, secure, got[0].Data)
		}
	}
	if inbox.Count() != 5 {
		t.Errorf("%d mails came", inbox.Count())
	}
}
