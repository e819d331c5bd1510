package main

import (
	"fmt"
	"os"

	"rempart/node"
)

type restoreCmd struct {
	File           string `arg:"" type:"path" help:"Backup to restore."`
	Data           string `required:"" type:"path" help:"Directory to make: empty, or not there yet." placeholder:"DIR"`
	WithoutKeys    bool   `xor:"keys" help:"Leave the keys in the backup: the lessons cannot be read until they are imported."`
	KeysOnly       bool   `xor:"keys" help:"Take only the keys, into the data directory of a node that does not run."`
	PassphraseFile string `type:"path" help:"Take the passphrase of the keys from the first line of this file. Default: ask." placeholder:"FILE"`
}

// Help is the long help.
func (restoreCmd) Help() string {
	return `Makes a data directory from a backup. The backup is read and checked to its end before anything is put in place; one that
is damaged changes nothing. The configuration of that time is put beside the data as rempart.toml.

Example:
  $ rempart restore /backup/rempart.tar.zst --data /var/lib/rempart
  $ rempart restore --keys-only /safe/rempart-keys.tar.zst --data /var/lib/rempart`
}

// Run restores and says what was there and what is missing.
func (c *restoreCmd) Run(e *env) (err error) {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	bar := newProgress(e, "restore, bytes")
	in := &counting{r: f, bar: bar}
	ask := func() (string, error) {
		bar.end()
		return passphrase(e, c.PassphraseFile, false)
	}
	if c.KeysOnly {
		if _, err = node.ImportKeys(e.ctx, in, c.Data, ask, newLog(e)); err == nil {
			_, err = fmt.Fprintf(e.stdout, "the keys are in %s; the next start reads all lessons again\n", c.Data)
		}
		return err
	}
	if c.WithoutKeys {
		ask = nil
	}
	m, err := node.Restore(e.ctx, in, c.Data, ask, newLog(e))
	bar.end()
	if err != nil {
		return err
	}
	if err := printManifest(e.stdout, c.File, m); err != nil {
		return err
	}
	if !m.Keys || c.WithoutKeys {
		fmt.Fprintf(e.stdout, "its lessons (%d) cannot be read until their keys are imported, from a backup made with --keys:\n"+
			"  rempart restore --keys-only BACKUP --data %s\n", m.Lessons, c.Data)
	}
	_, err = fmt.Fprintf(e.stdout, "restored into %s\n", c.Data)
	return err
}
