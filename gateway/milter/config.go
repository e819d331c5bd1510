package milter

import (
	"cmp"

	"rempart/gateway"
)

// Config is one milter front door, table [[gateway.milter]]. Mail of a client that logged in is going out whatever
// direction says.
type Config struct {
	gateway.MailDoor

	// MaxSize is how many bytes of a mail are kept for judging; a longer one is judged on what was read and not signed. Default:
	// 16777216 (16 MiB).
	MaxSize int `toml:"max_size"`
}

// Check names the keys that are wrong; key is the table's path, as "gateway.milter[0]".
func (c Config) Check(key string) error {
	_, err := c.settle(key)
	return err
}

func (c Config) settle(key string) (s settings, err error) {
	s.Config = c
	s.MailDoor, s.MaxSize = c.WithDefaults(), cmp.Or(c.MaxSize, gateway.DefaultMaxSize)
	s.relays, err = c.MailDoor.Check(key, c.MaxSize)
	return s, err
}
