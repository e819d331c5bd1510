package journal

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"rempart/durable"
	"rempart/wire"
)

// An archive is a version byte and blocks: the length of the block (4 bytes, big endian), the block, and at the end a
// block of length 0 and the SHA-256 of all before. A block is a snapshot or one record.
const (
	archiveVersion = 1
	maxBlock       = 1 << 30 // a snapshot of weights may be large

	maxGap = 1 << 16 // numbers are left out only where ids were repeated

	tagStream       wire.Tag = 1
	tagNumber       wire.Tag = 2
	tagSnapshot     wire.Tag = 3
	tagSnapshotData wire.Tag = 4
	tagWritten      wire.Tag = 5
	tagRecordID     wire.Tag = 6
	tagRecordData   wire.Tag = 7
)

// ErrNotEmpty: a restore needs a journal without records.
var ErrNotEmpty = errors.New("journal: not empty")

// Backup writes a copy of all logs and snapshots while the journal runs. Snapshots are copied first, so that the logs
// reach at least as far.
func (j *Journal) Backup(ctx context.Context, w io.Writer) error {
	sum := sha256.New()
	buffered := bufio.NewWriterSize(w, 1<<16)
	out := io.MultiWriter(buffered, sum)
	if _, err := out.Write([]byte{archiveVersion}); err != nil {
		return err
	}
	files, err := os.ReadDir(filepath.Join(j.dir, snapshotDir))
	if err != nil {
		return fmt.Errorf("back up journal: %w", err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), durable.TempSuffix) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(j.dir, snapshotDir, f.Name()))
		if err != nil {
			return fmt.Errorf("back up snapshot: %w", err)
		}
		b := wire.AppendString(nil, tagSnapshot, f.Name())
		if err := writeBlock(out, wire.AppendBytes(b, tagSnapshotData, data)); err != nil {
			return fmt.Errorf("back up journal: %w", err)
		}
	}
	for _, s := range streams {
		_, err := j.Replay(ctx, s.name, 0, func(r Record) error {
			b := wire.AppendString(nil, tagStream, string(s.name))
			b = wire.AppendUint(b, tagNumber, r.Seq)
			b = wire.AppendInt(b, tagWritten, r.Time.UnixMicro())
			b = wire.AppendString(b, tagRecordID, r.ID)
			return writeBlock(out, wire.AppendBytes(b, tagRecordData, r.Data))
		})
		if err != nil {
			return fmt.Errorf("back up %s: %w", s.name, err)
		}
	}
	if err := writeBlock(out, nil); err != nil {
		return fmt.Errorf("back up journal: %w", err)
	}
	if _, err := buffered.Write(sum.Sum(nil)); err != nil {
		return err
	}
	return buffered.Flush()
}

func writeBlock(w io.Writer, b []byte) error {
	if err := binary.Write(w, binary.BigEndian, uint32(len(b))); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}

// Restore fills an empty journal from an archive. Records keep their sequence numbers, so that the restored snapshots
// fit; numbers that were cut or left out stay empty. After an error, [ErrDamaged] among them, what came before it is
// restored: delete the directory and begin anew.
func (j *Journal) Restore(ctx context.Context, r io.Reader) error {
	h := j.Health(ctx)
	if len(h.Last) > 0 {
		return ErrNotEmpty
	}
	sum := sha256.New()
	buffered := bufio.NewReaderSize(r, 1<<16)
	in := io.TeeReader(buffered, sum)
	var version [1]byte
	if _, err := io.ReadFull(in, version[:]); err != nil || version[0] != archiveVersion {
		return fmt.Errorf("restore journal: %w", ErrDamaged)
	}
	to := restorer{j: j}
	for {
		b, err := readBlock(in)
		if err != nil {
			return fmt.Errorf("restore journal: %w", ErrDamaged)
		}
		if len(b) == 0 {
			break
		}
		if err := to.block(ctx, b); err != nil {
			return fmt.Errorf("restore journal: %w", err)
		}
	}
	if err := to.flush(ctx); err != nil {
		return fmt.Errorf("restore journal: %w", err)
	}
	want := sum.Sum(nil)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(buffered, got); err != nil || string(got) != string(want) {
		return fmt.Errorf("restore journal: %w", ErrDamaged)
	}
	return nil
}

func readBlock(r io.Reader) ([]byte, error) {
	var n uint32
	if err := binary.Read(r, binary.BigEndian, &n); err != nil || n > maxBlock {
		return nil, ErrDamaged
	}
	b, err := io.ReadAll(io.LimitReader(r, int64(n))) // grows with what is there, not with what n claims
	if err == nil && len(b) != int(n) {
		err = ErrDamaged
	}
	return b, err
}

// restorer puts the records of one message together again.
type restorer struct {
	j      *Journal
	stream Stream
	number uint64 // JetStream's
	next   uint64 // number that the stream would give
	batch  []Record
	at     int64
}

func (t *restorer) block(ctx context.Context, b []byte) error {
	var stream Stream
	var r Record
	var name string
	var data []byte
	var at int64
	err := wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case tagStream:
			stream = Stream(c.String())
		case tagNumber:
			r.Seq = c.Uint()
		case tagWritten:
			at = c.Int()
		case tagRecordID:
			r.ID = c.String()
		case tagRecordData:
			r.Data = c
		case tagSnapshot:
			name = c.String()
		case tagSnapshotData:
			data = c
		}
		return nil
	})
	if err != nil {
		return ErrDamaged
	}
	if name != "" {
		if !snapshotName.MatchString(name) {
			return ErrDamaged
		}
		return durable.WriteFile(filepath.Join(t.j.dir, snapshotDir, name), data)
	}
	if t.j.logs[stream] == nil || r.Seq>>8 == 0 {
		return ErrDamaged
	}
	if len(t.batch) > 0 && (stream != t.stream || r.Seq>>8 != t.number) {
		if err := t.flush(ctx); err != nil {
			return err
		}
	}
	if stream != t.stream {
		t.stream, t.next = stream, 0
	}
	t.number, t.at = r.Seq>>8, at
	if place := int(r.Seq & (maxBatch - 1)); place < len(t.batch) {
		return ErrDamaged
	}
	for len(t.batch) < int(r.Seq&(maxBatch-1)) {
		t.batch = append(t.batch, Record{}) // a record of an id seen before, which the backup left out
	}
	t.batch = append(t.batch, r)
	return nil
}

func (t *restorer) flush(ctx context.Context) error {
	if len(t.batch) == 0 {
		return nil
	}
	js, err := t.j.current()
	if err != nil {
		return err
	}
	s := t.j.logs[t.stream]
	switch {
	case t.next == 0: // the first of its stream: begin counting there
		if err := js.DeleteStream(ctx, jsName(t.stream)); err != nil {
			return err
		}
		if _, err := js.CreateStream(ctx, t.j.streamConfig(t.stream, t.number)); err != nil {
			return err
		}
	case !s.latest && t.number-t.next > maxGap:
		return ErrDamaged
	case !s.latest: // fill the gap that a message of nothing but known ids left
		for ; t.next < t.number; t.next++ {
			if _, err := t.publish(s, "gap", appendBatch(nil, time.UnixMicro(t.at), nil)); err != nil {
				return err
			}
		}
	}
	seq, err := t.publish(s, t.batch[len(t.batch)-1].ID, appendBatch(nil, time.UnixMicro(t.at), t.batch))
	if err != nil {
		return err
	}
	if seq != t.number && !s.latest {
		return ErrDamaged
	}
	t.next, t.batch = seq+1, nil
	s.mu.Lock()
	s.loaded, s.through, s.ids = false, 0, make(map[idHash]uint64)
	s.mu.Unlock()
	return nil
}

func (t *restorer) publish(s *stream, id string, data []byte) (uint64, error) {
	msg := nats.NewMsg(subjectOf(s, id))
	msg.Data = data
	return t.j.send(s.name, msg)
}
