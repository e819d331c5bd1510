package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rempart/durable"
	"rempart/wire"
)

// The outbox holds what was appended while the operator's cluster did not answer: one synced file a record, sent in
// the order of their names by [Journal.Run] when the cluster answers again. What comes for a stream meanwhile waits behind them. Tallies
// are not put there: they stay in memory and their next revision says it all.
const (
	outboxDir     = "outbox"
	damagedDir    = "outbox-damaged" // what cannot be read: for whoever looks into it
	outboxVersion = 1
	maxOutbox     = 100_000 // records; beyond it an append fails

	outboxStream wire.Tag = 1
	outboxID     wire.Tag = 2
	outboxData   wire.Tag = 3
)

// ErrQueued: the cluster does not answer; the record is on this node's disk and is sent when it does.
var ErrQueued = errors.New("journal: the cluster cannot be reached, the record is kept here and sent later")

// apart says that records of the stream have to wait here: the cluster cannot be reached, or others wait already. The embedded
// journal never is apart.
func (j *Journal) apart(name Stream) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.Shared() && j.conn != nil && !j.closed && (j.behind[name] || !j.conn.IsConnected())
}

// queue keeps a record until the cluster answers, and gives [ErrQueued] when it is synced.
func (j *Journal) queue(name Stream, id string, record []byte) error {
	j.outbox.Lock()
	defer j.outbox.Unlock()
	dir := filepath.Join(j.dir, outboxDir)
	if err := durable.MakeDir(dir); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if j.queued() >= maxOutbox {
		return fmt.Errorf("outbox: %w", ErrNoSpace)
	}
	b := wire.AppendString([]byte{outboxVersion}, outboxStream, string(name))
	b = wire.AppendString(b, outboxID, id)
	b = wire.AppendBytes(b, outboxData, record)
	h := hashID(id)
	file := filepath.Join(dir, fmt.Sprintf("%020d-%x", time.Now().UnixNano(), h[:8]))
	if err := durable.WriteFile(file, b); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	j.mu.Lock()
	first := len(j.behind) == 0
	j.behind[name] = true
	j.mu.Unlock()
	if first {
		j.log.Warn("the cluster does not answer: lessons and other records are kept on this node until it does")
	}
	return ErrQueued
}

// queued is how many records wait in the outbox.
func (j *Journal) queued() (n int) {
	files, _ := os.ReadDir(filepath.Join(j.dir, outboxDir))
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), durable.TempSuffix) {
			n++
		}
	}
	return n
}

// queuedRecord is one in the outbox.
type queuedRecord struct {
	path   string
	stream Stream
	id     string
	data   []byte
}

// eachWaiting visits the outbox, oldest first. What cannot be read is put apart.
func (j *Journal) eachWaiting(visit func(queuedRecord) error) error {
	dir := filepath.Join(j.dir, outboxDir)
	files, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), durable.TempSuffix) {
			continue
		}
		r := queuedRecord{path: filepath.Join(dir, f.Name())}
		b, err := os.ReadFile(r.path)
		if err != nil {
			return err
		}
		if r.stream, r.id, r.data, err = readQueued(b); err != nil {
			err = j.putApart(r.path, err)
		} else {
			err = visit(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) putApart(path string, why error) error {
	to := filepath.Join(j.dir, damagedDir, filepath.Base(path))
	j.log.Error("record of the outbox cannot be read; it is put apart", "file", to, "error", why)
	if err := durable.MakeDir(filepath.Dir(to)); err != nil {
		return err
	}
	return os.Rename(path, to)
}

// sendQueued appends what waits in the outbox, oldest first, until the cluster does not answer. A stream that is full keeps its records,
// and others go on. A record that was sent before a crash is sent again and, by its id, applied once.
func (j *Journal) sendQueued(ctx context.Context) error {
	j.mu.Lock()
	due := len(j.behind) > 0 && j.conn != nil && j.conn.IsConnected()
	j.mu.Unlock()
	if !due {
		return nil
	}
	full := map[Stream]error{}
	err := j.eachWaiting(func(r queuedRecord) error {
		if full[r.stream] != nil {
			return nil
		}
		_, err := j.append(ctx, r.stream, r.id, r.data)
		switch {
		case err == nil:
			return durable.Remove(r.path)
		case j.unanswered(err) || ctx.Err() != nil:
			return err
		}
		full[r.stream] = err
		return nil
	})
	if err != nil && j.unanswered(err) {
		return nil // that it does not answer was told
	}
	if err == nil {
		err = j.catchUp()
	}
	for name, why := range full {
		err = errors.Join(err, fmt.Errorf("stream %s: %w", name, why))
	}
	return err
}

// catchUp lets what comes go straight to the log again, for each stream of which nothing waits any more.
func (j *Journal) catchUp() error {
	j.outbox.Lock()
	defer j.outbox.Unlock()
	still := map[Stream]bool{}
	err := j.eachWaiting(func(r queuedRecord) error {
		still[r.stream] = true
		return nil
	})
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.behind = still
	if len(still) == 0 {
		j.log.Info("the cluster answers again, and has what was kept here")
	}
	return nil
}

func readQueued(b []byte) (name Stream, id string, record []byte, err error) {
	if len(b) == 0 || b[0] != outboxVersion {
		return "", "", nil, wire.ErrVersion
	}
	err = wire.Fields(b[1:], func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case outboxStream:
			name = Stream(c.String())
		case outboxID:
			id = c.String()
		case outboxData:
			record = c
		}
		return nil
	})
	if err == nil && (name == "" || id == "") {
		err = wire.ErrShort
	}
	return name, id, record, err
}
