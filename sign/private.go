package sign

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"rempart/message/dkim"
)

// recommendedRSABits is the size that signers are to use (RFC 8301 section 3.2); smaller keys are read with a warning.
const recommendedRSABits = 2048

// maxKeyFile bounds a key's file; one of 8192 bits has some 6 kB.
const maxKeyFile = 64 << 10

// Private is a key that signs.
type Private struct {
	signer    crypto.Signer // *rsa.PrivateKey or ed25519.PrivateKey
	Algorithm string        // dkim.RSA or dkim.Ed25519
}

// Generate makes a new key of an algorithm, RSA of 2048 bits: larger ones do not fit what many DNS servers send by UDP.
func Generate(algorithm string) (Private, error) {
	if algorithm == dkim.Ed25519 {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return Private{k, algorithm}, err
	}
	k, err := rsa.GenerateKey(rand.Reader, recommendedRSABits)
	return Private{k, dkim.RSA}, err
}

// PEM is the key as a file has it (PKCS #8), which OpenDKIM, rspamd and OpenSSL read as well.
func (p Private) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.signer)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// Record is the text that DNS is to have (RFC 6376 section 3.6.1, RFC 8463 section 4).
func (p Private) Record() string {
	if public, ok := p.signer.Public().(ed25519.PublicKey); ok {
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	}
	der, err := x509.MarshalPKIXPublicKey(p.signer.Public())
	if err != nil {
		panic(err) // an RSA key always can be written
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

// matches reports whether a record holds the public half.
func (p Private) matches(k *dkim.Key) bool {
	public, ok := p.signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(k.Public)
}

// sign signs a SHA-256 (RFC 8463 section 3 for Ed25519).
func (p Private) sign(sum []byte) (string, error) {
	options := crypto.SHA256
	if p.Algorithm == dkim.Ed25519 {
		options = 0
	}
	b, err := p.signer.Sign(rand.Reader, sum, options)
	return base64.StdEncoding.EncodeToString(b), err
}

// ParsePrivate reads a key: PEM of PKCS #1 or PKCS #8, or what rspamd writes: base64 of one of these, or of an Ed25519 seed,
// perhaps with the public key behind it.
func ParsePrivate(b []byte) (Private, error) {
	if block, _ := pem.Decode(b); block != nil {
		switch block.Type {
		case "RSA PRIVATE KEY", "PRIVATE KEY":
			if block.Headers["DEK-Info"] == "" {
				return parseDER(block.Bytes)
			}
			fallthrough
		case "ENCRYPTED PRIVATE KEY":
			return Private{}, errors.New("the key is encrypted: take the passphrase off (openssl pkey)")
		}
		return Private{}, fmt.Errorf("it holds a %s, not a private key", block.Type)
	}
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(b), nil)))
	if err != nil {
		return Private{}, errors.New("it is neither PEM nor base64")
	}
	switch len(der) {
	case ed25519.SeedSize:
		return Private{ed25519.NewKeyFromSeed(der), dkim.Ed25519}, nil
	case ed25519.PrivateKeySize:
		k := ed25519.NewKeyFromSeed(der[:ed25519.SeedSize])
		if !bytes.Equal(k, der) {
			return Private{}, errors.New("the two halves of the Ed25519 key do not belong together")
		}
		return Private{k, dkim.Ed25519}, nil
	}
	return parseDER(der)
}

func parseDER(der []byte) (Private, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if parsed, err = x509.ParsePKCS1PrivateKey(der); err != nil {
			return Private{}, errors.New("it is no key of PKCS #1 or PKCS #8")
		}
	}
	switch k := parsed.(type) {
	case *rsa.PrivateKey:
		if bits := k.N.BitLen(); bits < dkim.MinRSABits || bits > dkim.MaxRSABits {
			return Private{}, fmt.Errorf("the RSA key has %d bits: use 2048", bits)
		}
		return Private{k, dkim.RSA}, nil
	case ed25519.PrivateKey:
		return Private{k, dkim.Ed25519}, nil
	}
	return Private{}, errors.New("it is neither RSA nor Ed25519")
}

// readPrivate reads a key's file. Warnings say what is unwise about it.
func readPrivate(path string) (p Private, warnings []string, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not hold the start up
	if err != nil {
		return p, nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return p, nil, err
	}
	if !st.Mode().IsRegular() {
		return p, nil, fmt.Errorf("%s: it is no regular file", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return p, nil, err
	}
	if p, err = ParsePrivate(b); err != nil {
		return p, nil, fmt.Errorf("%s: %w", path, err)
	}
	if st.Mode().Perm()&0o006 != 0 {
		warnings = append(warnings, fmt.Sprintf("%s: others may read or write the key: chmod o= it", path))
	}
	if k, ok := p.signer.(*rsa.PrivateKey); ok && k.N.BitLen() < recommendedRSABits {
		warnings = append(warnings, fmt.Sprintf("%s: the RSA key has %d bits: rotate to one of 2048", path, k.N.BitLen()))
	}
	return p, warnings, nil
}
