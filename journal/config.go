package journal

import (
	"errors"
	"fmt"
	"time"
)

// Config is the section [journal].
type Config struct {
	// Servers are the addresses of your own NATS cluster ("nats://10.0.0.1:4222"), three or five of them. Default: empty,
	// the journal runs inside this process and opens no port.
	Servers []string `toml:"servers"`
	// Credentials is the file with the user's credentials for the cluster. Default: none.
	Credentials string `toml:"credentials"`
	// SecretFile holds what the nodes of your cluster share: 32 random bytes in base64 (head -c 32 /dev/urandom | base64), the same
	// file for each. Lessons are sealed with keys of the node where they were taught; under this secret nodes hand each other
	// those keys, so that all learn the same and your cluster can read nothing. Needed with servers.
	SecretFile string `toml:"secret_file"`
	// SyncInterval repeats what your cluster's own configuration says under jetstream.sync_interval. It must be "always":
	// with NATS's default of two minutes, machines that fail together lose what was acknowledged. Not used when embedded,
	// where it always is so.
	SyncInterval string `toml:"sync_interval"`
	// MaxBytes bounds the embedded journal on disk; each kind of record has a share. Appends over it are refused, nothing
	// is dropped before its time. A lesson of a mail takes some 20 kB. Default: 17179869184 (16 GiB).
	MaxBytes int64 `toml:"max_bytes"`
}

const (
	defaultMaxBytes = 16 << 30
	// JetStream keeps nothing of ours in memory; this only has to be above zero.
	maxMemory = 16 << 20
	// appendTimeout bounds the wait for one commit: a disk that takes longer is broken.
	appendTimeout = 5 * time.Second
	// clusterTimeout is the same for a cluster: a record that is not acknowledged by then is kept on this node and sent again.
	clusterTimeout = time.Second
)

// Check says what is wrong with the section.
func (c Config) Check() error {
	if len(c.Servers) > 0 && c.SyncInterval != "always" {
		return errors.New(`journal.sync_interval: your cluster must run with jetstream.sync_interval: always; configure it so and declare it here as sync_interval = "always"`)
	}
	if len(c.Servers) > 0 && c.SecretFile == "" {
		return errors.New("journal.secret_file: nodes of a cluster hand each other the keys of lessons under a secret: make one with `head -c 32 /dev/urandom | base64`, mode 0600, and give every node the same file")
	}
	if len(c.Servers) == 2 {
		return errors.New("journal.servers: two servers cannot outvote a failure: name one, three or five")
	}
	if c.MaxBytes < 0 {
		return fmt.Errorf("journal.max_bytes: %d is negative", c.MaxBytes)
	}
	return nil
}

// Stream is one log with a kind of record and a retention of its own.
type Stream string

// Streams after the table "State" of the architecture.
const (
	Lessons  Stream = "lessons"
	Rules    Stream = "rules"
	Settings Stream = "settings"
	Accounts Stream = "accounts"
	Audit    Stream = "audit"
	Cases    Stream = "cases"
	Peers    Stream = "peers"
	Reports  Stream = "reports"
	Answers  Stream = "answers"
	Tallies  Stream = "tallies"
)

// streams says how long records are kept (0: for ever) and which share of MaxBytes each may take, in percent. Latest keeps
// one record for each id up to its last slash: what follows the slash is a revision.
var streams = []struct {
	name   Stream
	age    time.Duration
	share  int64
	latest bool
}{
	{Lessons, 0, 40, false},
	{Rules, 0, 2, false},
	{Settings, 0, 2, false},
	{Accounts, 0, 2, false},
	{Audit, 366 * 24 * time.Hour, 10, false},
	{Cases, 0, 5, false},
	{Peers, 0, 2, false},
	{Reports, 400 * 24 * time.Hour, 10, false},
	{Answers, 0, 2, false},
	{Tallies, 800 * 24 * time.Hour, 25, true}, // two years, so that a report can compare with the year before
}
