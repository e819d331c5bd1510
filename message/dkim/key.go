package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"slices"
)

// Sizes of RSA keys that prove something (RFC 8301 section 3.2), and that are worth the time to calculate with.
const (
	MinRSABits = 1024
	MaxRSABits = 8192
)

// Algorithms of signatures (RFC 6376 section 3.3.2, RFC 8463 section 3).
const (
	RSA     = "rsa-sha256"
	Ed25519 = "ed25519-sha256"
)

// Fault is why a signature does not pass: the word of RFC 8601 section 2.7.1 for it, and the reason.
type Fault struct{ Status, Reason string }

func (f *Fault) Error() string { return f.Reason }

func permerror(reason string) error { return &Fault{"permerror", reason} }
func failed(reason string) error    { return &Fault{"fail", reason} }

// Key is a public key record (RFC 6376 section 3.6.1).
type Key struct {
	Public  crypto.PublicKey // *rsa.PublicKey or ed25519.PublicKey
	Testing bool             // t=y: the domain only tries it out
	strict  bool             // t=s: i= names no subdomain
}

// KeyName is where DNS has the key of a domain's selector.
func KeyName(selector, domain string) string { return selector + "._domainkey." + domain }

// ParseKey reads the text of a key record. Errors are faults.
func ParseKey(text string) (*Key, error) {
	t, err := ParseTags(text)
	if err != nil {
		return nil, permerror("key record is malformed")
	}
	if v, there := t["v"]; there && v != "DKIM1" {
		return nil, permerror("key record is of another version")
	}
	if _, there := t["h"]; there && !slices.Contains(t.List("h"), "sha256") {
		return nil, permerror("key is not for SHA-256")
	}
	if _, there := t["s"]; there && !slices.Contains(t.List("s"), "*") && !slices.Contains(t.List("s"), "email") {
		return nil, permerror("key is not for e-mail")
	}
	if p, there := t["p"]; there && p == "" {
		return nil, permerror("key is revoked")
	}
	k := &Key{strict: slices.Contains(t.List("t"), "s"), Testing: slices.Contains(t.List("t"), "y")}
	der, err := base64.StdEncoding.DecodeString(compact(t["p"]))
	if err != nil || len(der) == 0 {
		return nil, permerror("key record holds no key")
	}
	switch t["k"] {
	case "", "rsa":
		k.Public, err = parseRSA(der)
	case "ed25519":
		if len(der) != ed25519.PublicKeySize {
			return nil, permerror("Ed25519 key has not 32 octets")
		}
		k.Public = ed25519.PublicKey(der)
	default:
		return nil, permerror("key is of an unknown kind")
	}
	return k, err
}

// parseRSA reads SubjectPublicKeyInfo, or the bare key that RFC 6376 also can be read to mean (erratum 3017).
func parseRSA(der []byte) (crypto.PublicKey, error) {
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		public, err = x509.ParsePKCS1PublicKey(der)
	}
	r, ok := public.(*rsa.PublicKey)
	if err != nil || !ok {
		return nil, permerror("key is no RSA key")
	}
	if bits := r.N.BitLen(); bits < MinRSABits || bits > MaxRSABits {
		return nil, failed("RSA key is shorter than 1024 bits or longer than 8192")
	}
	return r, nil
}

// Check verifies a signature over a SHA-256 (RFC 8463 section 3 for Ed25519). Errors are faults.
func (k *Key) Check(algorithm string, sum, signature []byte) error {
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		if algorithm != RSA {
			return permerror("key is for RSA")
		}
		if rsa.VerifyPKCS1v15(public, crypto.SHA256, sum, signature) == nil {
			return nil
		}
	case ed25519.PublicKey:
		if algorithm != Ed25519 {
			return permerror("key is for Ed25519")
		}
		if ed25519.Verify(public, sum, signature) {
			return nil
		}
	}
	return failed("signature does not verify")
}

// Found is a key, or the fault why there is none.
type Found struct {
	Key *Key
	Err error
}
