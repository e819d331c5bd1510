package main

import (
	"io/fs"

	"rempart/eval"
	"rempart/journal"
	"rempart/node"
)

// hints are the next steps that only the command knows.
var hints = []struct {
	err  error
	next string
}{
	{journal.ErrLocked, "another rempart uses this directory: stop it, or give --data DIR"},
	{journal.ErrNoSpace, "make room on the disk of the data directory; nothing that was acknowledged is lost"},
	{node.ErrNotRunning, "start one: rempart serve --config FILE; or name its directory: --data DIR"},
	{eval.ErrEmpty, "an index has a line \"spam PATH\" or \"ham PATH\" for each mail, paths relative to the index"},
	{fs.ErrNotExist, "give the path of a file or directory that exists; - is standard input"},
	{fs.ErrPermission, "run as a user who may read it"},
}
