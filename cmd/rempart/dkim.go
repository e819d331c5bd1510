package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"rempart/dns"
	"rempart/message/dkim"
	"rempart/node"
	"rempart/sign"
)

type dkimCmd struct {
	New   dkimNewCmd   `cmd:"" help:"Make a key that signs mail, and print its DNS record."`
	Check dkimCheckCmd `cmd:"" help:"Compare the keys of a configuration with their records in DNS."`
}

type dkimNewCmd struct {
	Domain   string `required:"" help:"Domain that is to sign."`
	Selector string `required:"" help:"Name of the key; never use one twice: a year or a month will do."`
	Type     string `enum:"rsa,ed25519" default:"rsa" help:"rsa (2048 bits), which all verify, or ed25519, beside it."`
	File     string `type:"path" help:"Where the key goes; it must not be there yet. Default: DOMAIN.SELECTOR.key in this directory." placeholder:"FILE"`
}

// Help is the long help.
func (dkimNewCmd) Help() string {
	return `Writes the private key, readable by its owner alone, and prints the record as a zone's file has it.

Example:
  $ rempart dkim new --domain example.org --selector 2026 --file /etc/rempart/example.org.2026.key
  $ rempart dkim new --domain example.org --selector 2026e --type ed25519

The node signs with a new key once DNS has shown its record for an hour, until then with the key before it.`
}

// Run writes the key before it prints the record: no record without a key.
func (c *dkimNewCmd) Run(e *env) error {
	domain, selector := dkim.ToDomain(c.Domain), dkim.ToDomain(c.Selector)
	if domain == "" {
		return fmt.Errorf("--domain %q: name a domain", c.Domain)
	}
	if selector == "" {
		return fmt.Errorf("--selector %q: use letters, digits and hyphens", c.Selector)
	}
	if c.File == "" {
		c.File = domain + "." + selector + ".key"
	}
	algorithm := dkim.RSA
	if c.Type == "ed25519" {
		algorithm = dkim.Ed25519
	}
	key, err := sign.Generate(algorithm)
	if err != nil {
		return err
	}
	text, err := key.PEM()
	if err != nil {
		return err
	}
	if err := writeNew(c.File, text); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s; the key is in %s\n", sign.Zone(dkim.KeyName(selector, domain), key.Record()), c.File)
	return err
}

var errKeyThere = errors.New("there is a key already")

// writeNew writes a file that must not be there yet, for its owner alone.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", path, errKeyThere)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

type dkimCheckCmd struct {
	Config string `required:"" type:"path" help:"Configuration file." placeholder:"FILE"`
}

// Help is the long help.
func (dkimCheckCmd) Help() string {
	return `Reads the keys as a node would, asks DNS for the record of each and says what is wrong. The exit code is 3 if a key
cannot sign now.

Example:
  $ rempart dkim check --config /etc/rempart/rempart.toml`
}

var errUnpublished = errors.New("not every key can sign")

// Run prints a line a key, and of those that cannot sign the record that is to be in DNS.
func (c *dkimCheckCmd) Run(e *env) error {
	conf, err := node.Load(c.Config)
	if err != nil {
		return err
	}
	signer, warnings, err := sign.Load(conf.Sign)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		fmt.Fprintln(e.stderr, "rempart:", w)
	}
	resolver, err := dns.New(conf.DNS.Config)
	if err != nil {
		return err
	}
	signer.Look(e.ctx, resolver, e.now())
	good := true
	keys := signer.Keys(e.now())
	for _, k := range keys {
		why := string(k.State)
		if k.Why != "" {
			why += ": " + k.Why
		}
		fmt.Fprintf(e.stdout, "%s %s %s, %s: %s\n", k.Domain, k.Selector, k.Algorithm, k.File, why)
		if k.State != sign.Published {
			good = false
			fmt.Fprintf(e.stdout, "  DNS is to have:\n%s", sign.Zone(k.Name(), k.Record))
		}
	}
	switch {
	case len(keys) == 0:
		return fmt.Errorf("%s names no key: [[sign.key]]", c.Config)
	case !good:
		return errUnpublished
	}
	return nil
}
