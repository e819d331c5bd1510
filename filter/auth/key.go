package auth

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"maps"
	"slices"
	"sync"
)

// Sizes of RSA keys that prove something (RFC 8301 section 3.2), and that are worth the time to calculate with.
const (
	minRSABits = 1024
	maxRSABits = 8192
)

// fault is why a signature does not pass: the word of RFC 8601 section 2.7.1 for it, and the reason.
type fault struct{ status, reason string }

func (f *fault) Error() string { return f.reason }

func permerror(reason string) error { return &fault{"permerror", reason} }
func failed(reason string) error    { return &fault{"fail", reason} }

// key is a public key record (RFC 6376 section 3.6.1).
type key struct {
	public  crypto.PublicKey // *rsa.PublicKey or ed25519.PublicKey
	strict  bool             // t=s: i= names no subdomain
	testing bool             // t=y
}

// parseKey reads the text of a key record. Errors are faults.
func parseKey(text string) (*key, error) {
	t, err := parseTags(text)
	if err != nil {
		return nil, permerror("key record is malformed")
	}
	if v, there := t["v"]; there && v != "DKIM1" {
		return nil, permerror("key record is of another version")
	}
	if _, there := t["h"]; there && !slices.Contains(t.list("h"), "sha256") {
		return nil, permerror("key is not for SHA-256")
	}
	if _, there := t["s"]; there && !slices.Contains(t.list("s"), "*") && !slices.Contains(t.list("s"), "email") {
		return nil, permerror("key is not for e-mail")
	}
	if p, there := t["p"]; there && p == "" {
		return nil, permerror("key is revoked")
	}
	k := &key{strict: slices.Contains(t.list("t"), "s"), testing: slices.Contains(t.list("t"), "y")}
	der, err := base64.StdEncoding.DecodeString(compact(t["p"]))
	if err != nil || len(der) == 0 {
		return nil, permerror("key record holds no key")
	}
	switch t["k"] {
	case "", "rsa":
		k.public, err = parseRSA(der)
	case "ed25519":
		if len(der) != ed25519.PublicKeySize {
			return nil, permerror("Ed25519 key has not 32 octets")
		}
		k.public = ed25519.PublicKey(der)
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
	if bits := r.N.BitLen(); bits < minRSABits || bits > maxRSABits {
		return nil, failed("RSA key is shorter than 1024 bits or longer than 8192")
	}
	return r, nil
}

// check verifies a signature over a SHA-256 (RFC 8463 section 3 for Ed25519).
func (k *key) check(algorithm string, sum, signature []byte) error {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		if algorithm != "rsa-sha256" {
			return permerror("key is for RSA")
		}
		if rsa.VerifyPKCS1v15(public, crypto.SHA256, sum, signature) == nil {
			return nil
		}
	case ed25519.PublicKey:
		if algorithm != "ed25519-sha256" {
			return permerror("key is for Ed25519")
		}
		if ed25519.Verify(public, sum, signature) {
			return nil
		}
	}
	return failed("signature does not verify")
}

// found is a key, or why there is none.
type found struct {
	key *key
	err error
}

// keys asks for the keys of all signers side by side, each once.
func (c *Checker) keys(ctx context.Context, signers []signer) map[string]found {
	out := map[string]found{}
	for _, s := range signers {
		out[s.keyName()] = found{}
	}
	var (
		wg sync.WaitGroup
		mu sync.Mutex
	)
	for _, name := range slices.Collect(maps.Keys(out)) {
		wg.Go(func() {
			k, err := c.key(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			out[name] = found{k, err}
		})
	}
	wg.Wait()
	return out
}

func (c *Checker) key(ctx context.Context, name string) (*key, error) {
	texts, err := c.dns.LookupTXT(ctx, name)
	if err != nil {
		return nil, &fault{failedOr(err, "permerror"), "no key: " + err.Error()}
	}
	if len(texts) != 1 { // RFC 6376 section 3.6.2.2: undefined
		return nil, permerror("several key records")
	}
	return parseKey(texts[0])
}
