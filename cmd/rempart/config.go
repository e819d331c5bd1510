package main

import (
	"fmt"

	"rempart/node"
)

type configCmd struct {
	Check   configCheckCmd   `cmd:"" help:"Check a configuration file."`
	Example configExampleCmd `cmd:"" help:"Print a configuration with every key, its manual and its default."`
	Import  configImportCmd  `cmd:"" help:"Turn another filter's lists into entries of our policy."`
}

type configCheckCmd struct {
	File string `arg:"" type:"path" help:"Configuration file."`
}

// Run loads the file as serve would.
func (c *configCheckCmd) Run(e *env) error {
	if _, err := node.Load(c.File); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.stdout, "%s is right\n", c.File)
	return err
}

type configExampleCmd struct{}

// Run prints the example.
func (configExampleCmd) Run(e *env) error {
	_, err := fmt.Fprint(e.stdout, node.ExampleConfig)
	return err
}
