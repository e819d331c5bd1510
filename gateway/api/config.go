package api

import (
	"encoding/hex"
	"errors"
	"fmt"

	"rempart/gateway"
)

// Config is one HTTP front door, table [[gateway.api]]. It speaks plain HTTP: put it behind the TLS of your web server, or
// on the loopback address. Its mode decides which action the answer names: in shadow and tap it is always accept.
type Config struct {
	gateway.Door

	// MaxSize is how large a message may be, in bytes. Default: 33554432 (32 MiB).
	MaxSize int64 `toml:"max_size"`

	// Token lists who may use the API, tables [[gateway.api.token]]. Without one nobody may.
	Token []Token `toml:"token"`
}

// Token is one user of the API.
type Token struct {
	// Name of the user; it stands in lessons as the teacher.
	Name string `toml:"name"`

	// SHA256 is the digest of the token in hexadecimal, so that the configuration gives no token away. Make both with:
	// T=$(openssl rand -hex 32); echo "$T"; printf %s "$T" | sha256sum
	SHA256 string `toml:"sha256"`

	// Rights are "judge" (ask for verdicts, tell how calls ended) and "learn" (teach). Default: none.
	Rights []string `toml:"rights"`

	// Tenant bounds the token: what it judges and teaches is this tenant's. Default: the whole node's.
	Tenant string `toml:"tenant"`
}

// Rights of a token.
const (
	RightJudge = "judge"
	RightLearn = "learn"
)

const defaultMaxSize = 32 << 20

// Check names the keys that are wrong; key is the table's path, as "gateway.api[0]".
func (c Config) Check(key string) error {
	errs := []error{c.Door.Check(key)}
	if c.MaxSize < 0 {
		errs = append(errs, fmt.Errorf("%s.max_size = %d: use a number above 0", key, c.MaxSize))
	}
	for i, t := range c.Token {
		key := fmt.Sprintf("%s.token[%d]", key, i)
		if t.Name == "" {
			errs = append(errs, fmt.Errorf("%s.name = \"\": give the token a name", key))
		}
		if b, err := hex.DecodeString(t.SHA256); err != nil || len(b) != 32 {
			errs = append(errs, fmt.Errorf("%s.sha256: use the 64 hexadecimal digits of the token's SHA-256", key))
		}
		for _, r := range t.Rights {
			if r != RightJudge && r != RightLearn {
				errs = append(errs, fmt.Errorf("%s.rights: %q: use judge or learn", key, r))
			}
		}
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	c.Door = c.Door.WithDefaults()
	if c.MaxSize == 0 {
		c.MaxSize = defaultMaxSize
	}
	return c
}
