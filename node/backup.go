package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"rempart/account"
	"rempart/durable"
	"rempart/filter"
)

// backupSpool is where the parts are gathered before the first byte of a backup is written: a backup needs as much room
// in the data directory as journal, index and quarantine take, for its time.
const backupSpool = "backup" + durable.TempSuffix

// ErrBackupRuns is a second backup of the same node at the same time.
var ErrBackupRuns = errors.New("another backup of this node is being made")

// BackupRequest is what a backup shall hold beside journal, index and quarantine.
type BackupRequest struct {
	Version    string `json:"version"`              // of the program
	Config     []byte `json:"config,omitempty"`     // the configuration file, as it is
	Passphrase string `json:"passphrase,omitempty"` // for the keys; empty: without keys
}

// Backup writes one file with journal, index, quarantine and what r asks for, while the node works. A record that was acknowledged
// before the call is in it.
func (n *Node) Backup(ctx context.Context, w io.Writer, r BackupRequest) error {
	s, err := n.gather(ctx, r)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer n.dropSpool(s)
	if err := s.writeTo(w); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return nil
}

// gather copies the state into the spool. The keys come last: none of a copied lesson is missing.
func (n *Node) gather(ctx context.Context, r BackupRequest) (s *spool, err error) {
	if !n.backups.TryLock() {
		return nil, ErrBackupRuns
	}
	s = &spool{dir: filepath.Join(n.config.Data, backupSpool)}
	defer func() {
		if err != nil {
			n.dropSpool(s)
		}
	}()
	if err := os.RemoveAll(s.dir); err != nil { // of a node that was killed meanwhile
		return nil, err
	}
	if err := durable.MakeDir(s.dir); err != nil {
		return nil, err
	}
	s.manifest = Manifest{Format: archiveFormat, Version: r.Version, Model: filter.Version(), Node: n.config.Name,
		Made: n.now().UTC(), Lessons: n.filter.Lessons(), Keys: r.Passphrase != ""}
	if r.Config != nil {
		if err := s.add(memberConfig, func(w io.Writer) error { _, err := w.Write(r.Config); return err }); err != nil {
			return nil, err
		}
	}
	if err := s.add(memberJournal, func(w io.Writer) error { return n.journal.Backup(ctx, w) }); err != nil {
		return nil, err
	}
	if err := s.add(memberIndex, func(w io.Writer) error { return copyDatabase(ctx, s.dir, n.index.Backup, w) }); err != nil {
		return nil, err
	}
	if err := s.add(memberCopies, func(w io.Writer) error { return copyDatabase(ctx, s.dir, n.quarantine.Backup, w) }); err != nil {
		return nil, err
	}
	if err := s.add(memberBodies, func(w io.Writer) error { return n.quarantine.BackupBodies(ctx, w) }); err != nil { // after their copies
		return nil, err
	}
	if r.Passphrase == "" {
		return s, nil
	}
	if err := n.accounts.Record(ctx, account.Entry{Who: LocalActor.Name, What: "backup.with_keys", Object: n.config.Name}); err != nil {
		return nil, err
	}
	if err := s.add(memberKeys, func(w io.Writer) error { return n.keys.Export(w, r.Passphrase) }); err != nil {
		return nil, err
	}
	return s, s.add(memberSketch, func(w io.Writer) error { return n.sealSketchKey(w, r.Passphrase) })
}

func (n *Node) dropSpool(s *spool) {
	if err := os.RemoveAll(s.dir); err != nil {
		n.log.Warn("copy for a backup not removed", "path", s.dir, "error", err)
	}
	n.backups.Unlock()
}

// copyDatabase makes SQLite write a whole copy, and passes it on.
func copyDatabase(ctx context.Context, dir string, copyTo func(ctx context.Context, file string) error, w io.Writer) error {
	path := filepath.Join(dir, "copy.db")
	if err := copyTo(ctx, path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(w, f); err != nil {
		return err
	}
	return os.Remove(path)
}

func (n *Node) sealSketchKey(w io.Writer, passphrase string) error {
	key, err := n.sketchKey()
	if err != nil {
		return err
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return err
	}
	out, err := age.Encrypt(w, to)
	if err != nil {
		return err
	}
	if _, err := out.Write(key[:]); err != nil {
		return err
	}
	return out.Close()
}

// backupByControl streams a backup to a command.
func (n *Node) backupByControl(w http.ResponseWriter, r *http.Request) {
	request, err := decode[BackupRequest](w, r)
	var s *spool
	if err == nil {
		s, err = n.gather(r.Context(), request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer n.dropSpool(s)
	w.Header().Set("Content-Type", "application/zstd")
	if err := s.writeTo(w); err != nil {
		n.log.Error("backup broken off", "error", err)
		panic(http.ErrAbortHandler) // net/http's way to break the answer off, so that the command sees it is not whole
	}
}

// Backup asks the running node for a backup.
func (c *Client) Backup(ctx context.Context, w io.Writer, r BackupRequest) error {
	resp, err := c.post(ctx, "/backup", r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return nil
}

// CheckedBackup lets write make a backup, passes it on to w, and reads it back on the way: a backup that cannot be read is
// none.
func CheckedBackup(w io.Writer, write func(io.Writer) error) (m Manifest, err error) {
	r, pw := io.Pipe()
	var g errgroup.Group
	g.Go(func() (err error) {
		m, err = readArchive(r, func(string, io.Reader) error { return nil })
		_ = r.CloseWithError(err) // ends the writer, too
		return err
	})
	err = write(io.MultiWriter(w, pw))
	_ = pw.CloseWithError(err)
	if checkErr := g.Wait(); err == nil {
		err = checkErr
	}
	return m, err
}
