package journal

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

const (
	restartCheck = time.Second
	// minFree lets JetStream write its own bookkeeping when it starts, and some records, before it is full again.
	minFree = 4 << 20
)

// Run watches over the embedded JetStream until ctx ends: after a full disk it stays down until it is started again,
// which Run does when there is room.
func (j *Journal) Run(ctx context.Context) error {
	tick := time.NewTicker(restartCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		j.mu.Lock()
		closed, down := j.closed, j.down()
		j.mu.Unlock()
		if closed {
			return nil
		}
		if j.Shared() {
			if err := j.sendQueued(ctx); err != nil && ctx.Err() == nil {
				j.log.Warn("outbox not sent yet", "error", err)
			}
			continue
		}
		if !down || free(j.dir) < minFree {
			continue
		}
		j.log.Warn("journal is started again", "free_bytes", free(j.dir))
		j.stop()
		if err := j.start(ctx); err != nil {
			j.log.Error("journal did not start", "error", err)
			j.failed(err)
			continue
		}
		for _, s := range j.logs { // what was not acknowledged may be there all the same
			s.mu.Lock()
			s.loaded = false
			s.mu.Unlock()
		}
		j.log.Info("journal runs again")
	}
}

// down says that appends cannot work until the server is started again. The caller holds mu.
func (j *Journal) down() bool {
	return j.js == nil || j.srv != nil && (j.sick || !j.srv.JetStreamEnabled())
}

func free(dir string) int64 {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return 0
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

// Health is what the console shows of the journal.
type Health struct {
	State  string // "running", "no space", "no answer of the disk", "no answer of the cluster", "closed"
	Queued int    // records kept on this node until the cluster answers
	Bytes  uint64 // on disk, all streams
	Free   int64  // on the disk under it
	Last   map[Stream]uint64
	LastAt map[Stream]time.Time
	Error  string // the last one
}

// healthTimeout bounds the wait for an answer: a page is not to wait for a cluster that chooses a leader.
const healthTimeout = 100 * time.Millisecond

// Health asks JetStream; it takes milliseconds.
func (j *Journal) Health(ctx context.Context) Health {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	h := Health{State: "running", Free: free(j.dir), Queued: j.queued(), Last: make(map[Stream]uint64), LastAt: make(map[Stream]time.Time)}
	j.mu.Lock()
	if j.err != nil {
		h.Error = j.err.Error()
	}
	j.mu.Unlock()
	j.mu.Lock()
	silent := j.Shared() && (len(j.behind) > 0 || j.conn != nil && !j.conn.IsConnected())
	j.mu.Unlock()
	if silent {
		h.State = "no answer of the cluster"
		return h
	}
	js, err := j.current()
	switch err {
	case nil:
	case ErrClosed:
		h.State = "closed"
		return h
	case ErrNoAnswer:
		h.State = "no answer of the disk"
		return h
	default:
		h.State = "no space"
		return h
	}
	for name := range j.logs {
		st, err := js.Stream(ctx, jsName(name))
		if err != nil {
			h.Error = fmt.Sprintf("stream %s: %v", name, err)
			continue
		}
		state := st.CachedInfo().State
		h.Bytes += state.Bytes
		if state.Msgs > 0 {
			h.Last[name], h.LastAt[name] = state.LastSeq<<8, state.LastTime
		}
	}
	return h
}
