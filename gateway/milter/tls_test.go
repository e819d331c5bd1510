//go:build integration

package milter

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
	"net/smtp"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
	"rempart/message"
)

// Postfix tells whether its client spoke TLS, with the macros that it sends without being told to.
func TestPostfixTLS(t *testing.T) {
	asked := make(chan *message.Message, 1)
	r := newRig(t, by(asked), nil)
	sink := postfix.NewSink(t)
	mx := postfix.Start(t, fmt.Sprintf("myhostname = mx.example.net\nrelay_domains = example.net\nrelayhost = [127.0.0.1]:%d\nsmtpd_milters = inet:%s\n"+
		"smtpd_tls_security_level = may\nsmtpd_tls_chain_files = %s\n", sink.Port, r.addr, keyAndCertificate(t)), "tlsmgr unix - - n 1000? 1 tlsmgr")
	for _, secure := range []bool{false, true} {
		c, err := smtp.Dial(fmt.Sprint("127.0.0.1:", mx.Port))
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if secure {
			want = "TLSv1.3"
			if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil {
				t.Fatal(err)
			}
		}
		steps := []error{c.Mail("a@example.com"), c.Rcpt("accept@example.net")}
		w, err := c.Data()
		for _, e := range append(steps, err) {
			if e != nil {
				t.Fatal(e)
			}
		}
		if _, err := w.Write([]byte(plainMail)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if m := <-asked; m.Source.TLS != want {
			t.Errorf("TLS %v: told %q", secure, m.Source.TLS)
		}
		_ = c.Quit()
	}
}

// keyAndCertificate is a file as smtpd_tls_chain_files wants it.
func keyAndCertificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx.example.net"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "chain.pem")
	chain := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})...)
	if err := os.WriteFile(path, chain, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
