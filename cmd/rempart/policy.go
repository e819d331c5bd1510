package main

import (
	"encoding/json"
	"fmt"

	"rempart/node"
)

type policyCmd struct {
	Preview policyPreviewCmd `cmd:"" help:"Show what a changed policy would have done to the last days' mail."`
	Export  policyExportCmd  `cmd:"" help:"Print the settings of tenants, domains and users as JSON."`
}

type policyExportCmd struct {
	File string `arg:"" type:"path" help:"Configuration file."`
}

// Help is the long help.
func (policyExportCmd) Help() string {
	return `Prints all scopes of a configuration, also those of its policy.scopes_file, as that file wants them: a JSON array, one scope a
line.

Example:
  $ rempart policy export /etc/rempart/rempart.toml > scopes.json`
}

// Run prints the array.
func (c *policyExportCmd) Run(e *env) error {
	conf, err := node.Load(c.File)
	if err != nil {
		return err
	}
	scopes, _, err := conf.Policy.Scopes()
	if err != nil {
		return err
	}
	separator := "[\n"
	for i := range scopes {
		line, err := json.Marshal(&scopes[i])
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(e.stdout, "%s%s", separator, line); err != nil {
			return err
		}
		separator = ",\n"
	}
	if len(scopes) == 0 {
		_, err = fmt.Fprintln(e.stdout, "[]")
		return err
	}
	_, err = fmt.Fprint(e.stdout, "\n]\n")
	return err
}
