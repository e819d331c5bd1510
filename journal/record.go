package journal

import (
	"bytes"
	"time"

	"rempart/wire"
)

// Record is one entry of a log.
type Record struct {
	Seq  uint64
	ID   string
	Time time.Time // of the writer's clock, to the microsecond
	Data []byte
}

const batchVersion = 1

// Tags of a batch and of a record in it; see docs/formats.md.
const (
	tagTime   wire.Tag = 1
	tagRecord wire.Tag = 2

	tagID   wire.Tag = 1
	tagData wire.Tag = 2
)

func appendBatch(b []byte, at time.Time, records []Record) []byte {
	b = append(b, batchVersion)
	b = wire.AppendInt(b, tagTime, at.UnixMicro())
	for _, r := range records {
		b = wire.AppendRecord(b, tagRecord, func(b []byte) []byte {
			return wire.AppendBytes(wire.AppendString(b, tagID, r.ID), tagData, r.Data)
		})
	}
	return b
}

// readBatch reads the records of the JetStream message with the given number.
func readBatch(b []byte, number uint64) ([]Record, error) {
	if len(b) == 0 || b[0] != batchVersion {
		return nil, wire.ErrVersion
	}
	var at time.Time
	var records []Record
	err := wire.Fields(b[1:], func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case tagTime:
			at = time.UnixMicro(c.Int()).UTC()
		case tagRecord:
			r := Record{Seq: number<<8 | uint64(len(records)), Time: at}
			err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
				switch tag {
				case tagID:
					r.ID = c.String()
				case tagData:
					r.Data = bytes.Clone(c)
				}
				return nil
			})
			if err != nil || len(records) == maxBatch {
				return wire.ErrShort
			}
			records = append(records, r)
		}
		return nil
	})
	return records, err
}
