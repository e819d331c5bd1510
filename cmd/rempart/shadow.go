package main

import (
	"fmt"

	"rempart/node"
)

type shadowCmd struct {
	State string `arg:"" enum:"on,off" help:"on: nothing is held, marked or refused any more; off: as configured."`
	Data  string `default:"data" type:"path" help:"Data directory of the running node." placeholder:"DIR"`
}

// Help is the long help.
func (shadowCmd) Help() string {
	return `Puts all front doors of the running node to shadow mode at once: every message goes on unchanged, and what would have
been done is still recorded.

Example:
  $ rempart shadow on --data /var/lib/rempart`
}

// Run switches.
func (c *shadowCmd) Run(e *env) error {
	client, err := node.Dial(c.Data)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.SetShadow(e.ctx, c.State == "on"); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.stdout, "shadow mode is", c.State)
	return err
}
