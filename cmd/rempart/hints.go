package main

import (
	"io/fs"

	"rempart/eval"
)

// hints are the next steps that only the command knows.
var hints = []struct {
	err  error
	next string
}{
	{eval.ErrEmpty, "an index has a line \"spam PATH\" or \"ham PATH\" for each mail, paths relative to the index"},
	{fs.ErrNotExist, "give the path of a file or directory that exists; - is standard input"},
	{fs.ErrPermission, "run as a user who may read it"},
}
