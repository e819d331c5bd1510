package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

const (
	// MinPassword is the least number of characters; length is what counts (NIST SP 800-63B section 3.1.1).
	MinPassword = 12
	maxPassword = 256 // bytes: nobody types more

	// OWASP's least for argon2id: 19 MiB, two passes. Some 50 ms.
	hashMemory  = 19 << 10 // KiB
	hashPasses  = 2
	hashThreads = 1
	hashKey     = 32
	hashSalt    = 16

	// Hashing is the dearest thing a stranger can ask for: two at a time take at most 38 MiB, and a queue that is longer
	// than a second is refused.
	maxHashing = 2
	maxWaiting = 40
)

// hasher bounds how many passwords are hashed at once.
type hasher struct {
	slots   chan struct{}
	waiting atomic.Int32
	dummy   string // compared with when there is no account, so that the clock does not tell
}

func newHasher() *hasher {
	h := &hasher{slots: make(chan struct{}, maxHashing)}
	h.dummy = encode(make([]byte, hashSalt), make([]byte, hashKey))
	return h
}

func (h *hasher) enter(ctx context.Context) error {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return ErrBusy
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hasher) leave() { <-h.slots }

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	salt := make([]byte, hashSalt)
	rand.Read(salt) // never fails
	return encode(salt, argon2.IDKey([]byte(password), salt, hashPasses, hashMemory, hashThreads, hashKey)), nil
}

func (h *hasher) check(ctx context.Context, phc, password string) (bool, error) {
	if len(password) > maxPassword {
		password = ""
	}
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	known := phc != ""
	if !known {
		phc = h.dummy
	}
	p, err := decode(phc)
	if err != nil {
		return false, err
	}
	key := argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.threads, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(key, p.key) == 1 && known, nil
}

func possiblePassword(password string) bool {
	return len(password) <= maxPassword && utf8.RuneCountInString(password) >= MinPassword
}

// encode writes the PHC string format: "$argon2id$v=19$m=19456,t=2,p=1$salt$key".
func encode(salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashPasses, hashThreads, b64(salt), b64(key))
}

type phcFields struct {
	passes, memory uint32
	threads        uint8
	salt, key      []byte
}

var errHash = errors.New("account: stored password cannot be read")

// decode reads what encode wrote, also with costs of another version; a journal that somebody changed must not take all
// memory.
func decode(phc string) (p phcFields, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.threads); err != nil {
		return p, errHash
	}
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return p, errHash
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return p, errHash
	}
	if p.memory > 1<<20 || p.passes == 0 || p.passes > 16 || p.threads == 0 || len(p.key) < 16 || len(p.key) > 64 {
		return p, errHash
	}
	return p, nil
}
