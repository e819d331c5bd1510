package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"rempart/node"
	"rempart/policy"
	"rempart/policy/foreign"
)

type configImportCmd struct {
	File  []string `arg:"" type:"path" help:"Configurations of SpamAssassin (local.cf, user_prefs), or with --as maps of rspamd."`
	As    string   `enum:",allow,deny" default:"" help:"The files are maps of rspamd, and what they list is to be allowed or denied." placeholder:"allow|deny"`
	Write string   `type:"path" help:"Add the entries to this configuration instead of printing them; it is made if it is not there." placeholder:"FILE"`
}

// Help is the long help.
func (configImportCmd) Help() string {
	return `Prints entries of [[policy.allow]] and [[policy.deny]], and on standard error what was left out or narrowed, and why. Our lists
name verified identities (DKIM, SPF, networks), never what a mail claims.

Example:
  $ rempart config import /etc/spamassassin/local.cf
  $ rempart config import --as allow /etc/rspamd/local.d/maps.d/whitelist.map --write /etc/rempart/rempart.toml

What SpamAssassin or rspamd learned cannot be read: rempart learn --from-maildir DIR learns from the mail itself.`
}

var errNoList = errors.New("there is no list in it")

// Run reads all files, then prints or writes.
func (c *configImportCmd) Run(e *env) error {
	var l foreign.Lists
	for _, path := range c.File {
		if err := c.read(path, &l); err != nil {
			return err
		}
	}
	for _, w := range l.Warnings {
		fmt.Fprintf(e.stderr, "%s (%d)\n", w.Why, w.Count)
		for _, line := range w.Lines {
			fmt.Fprintf(e.stderr, "  %s\n", line)
		}
	}
	if c.Write == "" {
		_, err := l.WriteTo(e.stdout)
		return err
	}
	return addEntries(e.stdout, c.Write, &l)
}

func (c *configImportCmd) read(path string, l *foreign.Lists) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if c.As != "" {
		return l.ReadMap(path, file, c.As == "deny")
	}
	found, err := l.ReadSpamAssassin(path, file)
	if err == nil && found == 0 {
		err = fmt.Errorf("%s: %w", path, errNoList)
	}
	return err
}

// addEntries puts the entries that a configuration has not yet behind it. It is checked as a whole before it is changed.
func addEntries(w io.Writer, path string, l *foreign.Lists) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		c, err := node.Load(path)
		if err != nil {
			return err
		}
		l.Allow = slices.DeleteFunc(l.Allow, func(e policy.Entry) bool { return slices.Contains(c.Policy.Allow, e) })
		l.Deny = slices.DeleteFunc(l.Deny, func(e policy.Entry) bool { return slices.Contains(c.Policy.Deny, e) })
	}
	var entries bytes.Buffer
	if len(old) > 0 {
		entries.WriteString("\n")
	}
	if _, err := l.WriteTo(&entries); err != nil {
		return err
	}
	if err := checkWhole(path, slices.Concat(old, entries.Bytes())); err != nil {
		return err
	}
	if len(l.Allow)+len(l.Deny) > 0 {
		if err := appendFile(path, entries.Bytes()); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "%d entries to allow and %d to deny added to %s\n", len(l.Allow), len(l.Deny), path)
	return err
}

// checkWhole loads a configuration that is not there yet, from beside its place: paths in it are relative.
func checkWhole(path string, content []byte) error {
	trial, err := os.CreateTemp(filepath.Dir(path), ".import-*.toml")
	if err != nil {
		return err
	}
	defer os.Remove(trial.Name())
	_, err = trial.Write(content)
	if err = errors.Join(err, trial.Close()); err != nil {
		return err
	}
	if _, err = node.Load(trial.Name()); err != nil {
		return fmt.Errorf("%s is not changed, since with the entries it would be wrong: %w", path, err)
	}
	return nil
}

// appendFile adds to the file itself, which keeps its owner and mode.
func appendFile(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Sync(), file.Close())
}
