package sign

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rempart/message/dkim"
)

func asPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// The forms in which rspamd, OpenDKIM and OpenSSL write keys are read, all of one key alike.
func TestForms(t *testing.T) {
	r, err := Generate(dkim.RSA)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Generate(dkim.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PrivateKey(r.signer.(*rsa.PrivateKey))
	pkcs8, err := x509.MarshalPKCS8PrivateKey(r.signer)
	if err != nil {
		t.Fatal(err)
	}
	ed8, err := x509.MarshalPKCS8PrivateKey(e.signer)
	if err != nil {
		t.Fatal(err)
	}
	both := e.signer.(ed25519.PrivateKey)
	b64 := base64.StdEncoding.EncodeToString
	for what, tt := range map[string]struct {
		text string
		want Private
	}{
		"PKCS #1":                  {asPEM("RSA PRIVATE KEY", pkcs1), r},
		"PKCS #8":                  {asPEM("PRIVATE KEY", pkcs8), r},
		"with words before":        {"The key of 2026\n\n" + asPEM("PRIVATE KEY", pkcs8), r},
		"with CRLF":                {strings.ReplaceAll(asPEM("PRIVATE KEY", pkcs8), "\n", "\r\n"), r},
		"base64 of PKCS #1":        {b64(pkcs1), r},
		"base64 of PKCS #8, lines": {b64(pkcs8)[:70] + "\n" + b64(pkcs8)[70:] + "\n", r},
		"Ed25519, PKCS #8":         {asPEM("PRIVATE KEY", ed8), e},
		"Ed25519, seed":            {b64(both.Seed()) + "\n", e},
		"Ed25519, seed and public": {b64(both), e},
	} {
		got, err := ParsePrivate([]byte(tt.text))
		if err != nil || got.Algorithm != tt.want.Algorithm || got.Record() != tt.want.Record() {
			t.Errorf("%s: %v, %s", what, err, got.Algorithm)
		}
	}
}

// What rspamadm dkim_keygen -t ed25519 printed, with the record it printed for it.
func TestRspamdsKey(t *testing.T) {
	p, err := ParsePrivate([]byte("LnKFGtY6fq3sOfHA7RUj3qFRGAdkjICaWgMD6ifHfAKbJAywA6GEKdZJYEwKIiaEv+HBW4w6Q4+eCpqNGU+fpw==\n"))
	if err != nil || p.Record() != "v=DKIM1; k=ed25519; p=myQMsAOhhCnWSWBMCiImhL/hwVuMOkOPngqajRlPn6c=" {
		t.Errorf("%v, %v", err, p)
	}
}

func TestKeysThatCannotSign(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&curve.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	const short = "MIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAwggE8AgEAAkEAq7BFUpkGp3+LQmlQYx2eqzDV+xeG8kx/sQFV18S5JhzGeIJNA72wSeukEPojtqUyX2J0CciPBh7eqclQ2zpAswIDAQABAkAgisq4+zRdrzkwH1ITV1vpytnkO/NiHcnePQiOW0VUybPyHoGM/jf75C5xET7ZQpBe5kx5VHsPZj0CBb3b+wSRAiEA2mPWCBytosIU/ODRfq6EiV04lt6waE7I2uSPqIC20LcCIQDJQYIHQII+3YaPqyhGgqMexuuuGx+lDKD6/Fu/JwPb5QIhAKthiYcYKlL9h8bjDsQhZDUACPasjzdsDEdq8inDyLOFAiEAmCr/tZwA3qeAZoBzI10DGPIuoKXBd3nk/eBxPkaxlEECIQCNymjsoI7GldtujVnr1qT+3yedLfHKsrDVjIT3LsvTqw=="
	for text, want := range map[string]string{
		"":                          "no key",
		"not a key":                 "neither PEM nor base64",
		asPEM("PUBLIC KEY", public): "it holds a PUBLIC KEY",
		asPEM("PRIVATE KEY", ec):    "neither RSA nor Ed25519",
		asPEM("ENCRYPTED PRIVATE KEY", []byte("x")): "encrypted",
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\neA==\n-----END RSA PRIVATE KEY-----\n": "encrypted",
		base64.StdEncoding.EncodeToString(make([]byte, 64)):                                                                          "do not belong together",
		short: "has 512 bits",
	} {
		if _, err := ParsePrivate([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
}

func TestReadPrivate(t *testing.T) {
	path, _ := keyFile(t, dkim.RSA)
	if _, warnings, err := readPrivate(path); err != nil || warnings != nil {
		t.Errorf("%v, %v", warnings, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, warnings, err := readPrivate(path); err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0], path+": others may read") {
		t.Errorf("%v, %v", warnings, err)
	}
	if _, warnings, err := readPrivate("testdata/rfc8463.rsa.key"); err != nil || !strings.Contains(strings.Join(warnings, " "), "1024 bits") {
		t.Errorf("%v, %v", warnings, err)
	}
	for _, wrong := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir(), "/dev/null"} {
		if _, _, err := readPrivate(wrong); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// A file of anybody's bytes is a key that signs, or an error.
func FuzzParsePrivate(f *testing.F) {
	f.Add([]byte("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePrivate(b)
		if err != nil {
			return
		}
		if k, err := dkim.ParseKey(p.Record()); err != nil || !p.matches(k) {
			t.Fatalf("its record: %v", err)
		}
	})
}
