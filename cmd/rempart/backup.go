package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"rempart/durable"
	"rempart/node"
)

type backupCmd struct {
	File           string `arg:"" type:"path" help:"File to write."`
	Config         string `type:"path" help:"Configuration file of the node; it goes into the backup, and says where the data are." placeholder:"FILE"`
	Data           string `type:"path" help:"Data directory of the node, if there is no configuration file. Default: data." placeholder:"DIR"`
	Keys           bool   `help:"Put the keys in, encrypted to a passphrase."`
	PassphraseFile string `type:"path" help:"Take the passphrase from the first line of this file. Default: ask." placeholder:"FILE"`
}

// Help is the long help.
func (backupCmd) Help() string {
	return `Copies the state of a node, running or not, into one file (tar, zstd): journal, index, quarantine, configuration. Without --keys the
lessons and the mail in it can only be read with keys from another backup, so that it may lie where copies are cheap; what a person
taught who was erased stays erased in it. A file of that name is replaced when the new one is whole. The data directory needs as much room
again as journal, index and quarantine take.

Example:
  $ rempart backup --config /etc/rempart/rempart.toml /backup/rempart.tar.zst
  $ rempart backup --config /etc/rempart/rempart.toml --keys --passphrase-file /root/phrase /safe/rempart-keys.tar.zst`
}

// Run writes the backup and says what is in it.
func (c *backupCmd) Run(e *env) error {
	request := node.BackupRequest{Version: version}
	config := node.Config{Data: c.Data, DNS: node.DNSConfig{Off: true}}
	if c.Config != "" {
		loaded, err := node.Load(c.Config)
		if err != nil {
			return err
		}
		if request.Config, err = os.ReadFile(c.Config); err != nil {
			return err
		}
		config = loaded
	}
	if c.Data != "" || config.Data == "" {
		config.Data = c.Data
		if config.Data == "" {
			config.Data = "data"
		}
	}
	if c.Keys {
		var err error
		if request.Passphrase, err = passphrase(e, c.PassphraseFile, true); err != nil {
			return err
		}
	}
	var m node.Manifest
	bar := newProgress(e, "backup, bytes")
	err := durable.Write(c.File, func(w io.Writer) (err error) {
		m, err = node.CheckedBackup(&counting{w: w, bar: bar}, func(w io.Writer) error { return c.write(e, w, config, request) })
		return err
	})
	bar.end()
	if err != nil {
		return err
	}
	return printManifest(e.stdout, c.File, m)
}

// write asks the running node, or opens the directory if none runs.
func (c *backupCmd) write(e *env, w io.Writer, config node.Config, request node.BackupRequest) error {
	client, err := node.Dial(config.Data)
	if err == nil {
		defer client.Close()
		return client.Backup(e.ctx, w, request)
	}
	if !errors.Is(err, node.ErrNotRunning) {
		return err
	}
	if _, err := os.Stat(config.Data); err != nil { // do not make a node to back it up
		return err
	}
	n, err := node.Open(e.ctx, config, newLog(e), e.now)
	if err != nil {
		return err
	}
	err = n.Backup(e.ctx, w, request)
	if closeErr := n.Close(); err == nil {
		err = closeErr
	}
	return err
}

// printManifest says in words what a backup holds.
func printManifest(w io.Writer, file string, m node.Manifest) error {
	keys := "without keys"
	if m.Keys {
		keys = "with keys"
	}
	_, err := fmt.Fprintf(w, "%s: node %s, %s, rempart %s, %d lessons, %s\n", file, m.Node, m.Made.Format("2006-01-02 15:04:05 MST"),
		m.Version, m.Lessons, keys)
	for _, p := range m.Members {
		if err == nil {
			_, err = fmt.Fprintf(w, "  %-14s %12d bytes\n", p.Name, p.Bytes)
		}
	}
	return err
}

// counting shows how much was written or read. How much it will be is not known.
type counting struct {
	w    io.Writer
	r    io.Reader
	bar  *progress
	done int
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.done += n
	c.bar.set(c.done, -1)
	return n, err
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += n
	c.bar.set(c.done, -1)
	return n, err
}
