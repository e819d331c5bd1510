package main

import (
	"io/fs"

	"rempart/corpus/maildir"
	"rempart/eval"
	"rempart/journal"
	"rempart/keyring"
	"rempart/node"
	"rempart/policy/foreign"
)

// hints are the next steps that only the command knows.
var hints = []struct {
	err  error
	next string
}{
	{journal.ErrLocked, "another rempart uses this directory: stop it, or give --data DIR"},
	{journal.ErrNoAnswer, "the disk of the data directory is too slow or hangs; the journal is started again by itself, try once more"},
	{journal.ErrQueued, "the change holds when the cluster of journal.servers can be reached again"},
	{journal.ErrNoSpace, "make room on the disk of the data directory, or raise journal.max_bytes; nothing that was acknowledged is lost"},
	{node.ErrNotRunning, "start one: rempart serve --config FILE; or name its directory: --data DIR"},
	{errPassphrase, "run it on a terminal to be asked, or give --passphrase-file FILE; it has at least 12 characters"},
	{keyring.ErrPassphrase, "it is the one given when the backup was made; --without-keys restores all but the keys"},
	{node.ErrNotEmpty, "give a directory that is empty or not there yet; to go back to the backup, stop the node and move its directory away first"},
	{node.ErrHalfRestored, "delete the directory and restore again"},
	{node.ErrDamagedBackup, "nothing was changed: take an earlier backup"},
	{node.ErrNoKeysInBackup, "give one that was made with --keys"},
	{node.ErrNoPerson, "give a whole mail address, a number with its country, or a client's address"},
	{node.ErrBackupRuns, "wait until it is done"},
	{errPeriod, "give days or hours of UTC, the first before the second: --from 2026-11-01 --to 2026-12-01"},
	{maildir.ErrNoMaildir, "give the directory that holds cur and new, or one above it; folders with other names than the usual are told by --junk FOLDER"},
	{maildir.ErrOneKind, "name the folders of spam: --junk FOLDER; or teach files: rempart learn spam PATH"},
	{foreign.ErrLearned, "teach from the mail itself: rempart learn --from-maildir DIR"},
	{errNoList, "a map of rspamd does not say what it is for: give --as allow or --as deny"},
	{errUnpublished, "put the records that are missing into DNS, or take the keys out of the configuration; until then older keys sign, or none"},
	{errKeyThere, "a selector stands for one key for ever: take another, or another --file"},
	{errBrokenOff, "the same command goes on where this one ended"},
	{eval.ErrEmpty, "an index has a line \"spam PATH\" or \"ham PATH\" for each mail, paths relative to the index"},
	{fs.ErrNotExist, "give the path of a file or directory that exists; - is standard input"},
	{fs.ErrPermission, "run as a user who may read it"},
}
