package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rempart/durable"
	"rempart/wire"
)

// The outbox holds what was appended while the operator's cluster could not be reached: one synced file a record, sent in
// the order of their names by [Journal.Run] when the cluster answers again. Tallies are not put there: they stay in memory
// and their next revision says it all.
const (
	outboxDir     = "outbox"
	outboxVersion = 1
	maxOutbox     = 100_000 // records; beyond it an append fails

	outboxStream wire.Tag = 1
	outboxID     wire.Tag = 2
	outboxData   wire.Tag = 3
)

// ErrQueued: the cluster cannot be reached; the record is on this node's disk and is sent when it can.
var ErrQueued = errors.New("journal: the cluster cannot be reached, the record is kept here and sent later")

// apart says that the cluster cannot be reached, or did not answer the last append. The embedded journal never is apart.
func (j *Journal) apart() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.srv == nil && j.conn != nil && !j.closed && (j.silent || !j.conn.IsConnected())
}

// setSilent notes whether the cluster answers appends.
func (j *Journal) setSilent(silent bool) {
	j.mu.Lock()
	was := j.silent
	j.silent = silent
	j.mu.Unlock()
	if silent && !was {
		j.log.Warn("the cluster does not answer: lessons and other records are kept on this node until it does")
	}
}

// queued is how many records wait in the outbox.
func (j *Journal) queued() int {
	names, _ := os.ReadDir(filepath.Join(j.dir, outboxDir))
	return len(names)
}

// queue keeps a record until the cluster can be reached, and gives [ErrQueued] when it is synced.
func (j *Journal) queue(name Stream, id string, record []byte) error {
	dir := filepath.Join(j.dir, outboxDir)
	if err := durable.MakeDir(dir); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if len(names) >= maxOutbox {
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
	return ErrQueued
}

// tryQueued sends what waits as soon as the cluster answers, and says so once.
func (j *Journal) tryQueued(ctx context.Context) {
	waiting := j.queued()
	if waiting == 0 {
		j.setSilent(false)
		return
	}
	j.mu.Lock()
	connected := j.conn != nil && j.conn.IsConnected()
	j.mu.Unlock()
	if !connected {
		return
	}
	if err := j.sendQueued(ctx); err == nil {
		j.log.Info("the cluster answers again; what was kept here is sent", "records", waiting)
	} else if ctx.Err() == nil && !j.unanswered(err) {
		j.log.Warn("outbox not sent yet", "error", err)
	}
}

// sendQueued appends what waits in the outbox, oldest first, and stops at the first that cannot be sent. A record that was
// sent before a crash is sent again and, by its id, applied once.
func (j *Journal) sendQueued(ctx context.Context) error {
	dir := filepath.Join(j.dir, outboxDir)
	files, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, id, record, err := readQueued(b)
		if err != nil {
			j.log.Error("record of the outbox passed over", "file", path, "error", err)
			continue
		}
		if _, err := j.append(ctx, name, id, record); err != nil {
			return err
		}
		if err := durable.Remove(path); err != nil {
			return err
		}
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
