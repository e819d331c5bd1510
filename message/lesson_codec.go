package message

import (
	"encoding/binary"
	"fmt"

	"rempart/wire"
)

// lessonVersion is the first byte of a lesson's record.
const lessonVersion = 1

// Tags of a lesson; see docs/formats.md.
const (
	lessonID wire.Tag = iota + 1
	lessonTime
	lessonMessage
	lessonChannel
	lessonDirection
	lessonLabel
	lessonCategory
	lessonTenant
	lessonDomain
	lessonUser
	lessonTeacher
	lessonReplaces
	lessonSource
	lessonExtractor
	lessonBase
	lessonFeatures
	lessonSignal
	lessonDigest
	lessonBefore
)

const (
	featuresLearner wire.Tag = iota + 1
	featuresHashes
)

const (
	signalName wire.Tag = iota + 1
	signalState
	signalValue
)

// AppendBinary appends the lesson's record (encoding.BinaryAppender); it never fails.
func (l *Lesson) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, lessonVersion)
	b = wire.AppendString(b, lessonID, l.ID)
	b = wire.AppendInt(b, lessonTime, nanos(l.Time))
	b = wire.AppendString(b, lessonMessage, l.Message)
	b = wire.AppendUint(b, lessonChannel, uint64(l.Channel))
	b = wire.AppendUint(b, lessonDirection, uint64(l.Direction))
	b = wire.AppendUint(b, lessonLabel, uint64(l.Label))
	b = wire.AppendUint(b, lessonCategory, uint64(l.Category))
	b = wire.AppendString(b, lessonTenant, l.Scope.Tenant)
	b = wire.AppendString(b, lessonDomain, l.Scope.Domain)
	b = wire.AppendString(b, lessonUser, l.Scope.User)
	b = wire.AppendString(b, lessonTeacher, l.Teacher)
	b = wire.AppendString(b, lessonReplaces, l.Replaces)
	b = wire.AppendString(b, lessonSource, l.Source)
	b = wire.AppendUint(b, lessonExtractor, uint64(l.Extractor))
	b = wire.AppendString(b, lessonBase, l.Base)
	for _, f := range l.Features {
		b = wire.AppendRecord(b, lessonFeatures, func(b []byte) []byte {
			b = wire.AppendString(b, featuresLearner, f.Learner)
			return wire.AppendRecord(b, featuresHashes, func(b []byte) []byte { return appendHashes(b, f.Hashes) })
		})
	}
	for _, s := range l.Signals {
		b = wire.AppendRecord(b, lessonSignal, func(b []byte) []byte {
			b = wire.AppendString(b, signalName, s.Name)
			b = wire.AppendUint(b, signalState, uint64(s.State))
			return wire.AppendInt(b, signalValue, int64(s.Value))
		})
	}
	b = wire.AppendBytes(b, lessonDigest, l.Digest)
	return wire.AppendFloat(b, lessonBefore, l.Before), nil
}

// UnmarshalBinary reads a record of [Lesson.AppendBinary], also one of a newer build; what it does not know it skips.
func (l *Lesson) UnmarshalBinary(b []byte) error {
	if len(b) == 0 || b[0] != lessonVersion {
		return fmt.Errorf("read lesson: %w", wire.ErrVersion)
	}
	*l = Lesson{}
	err := wire.Fields(b[1:], l.readField)
	if err != nil {
		return fmt.Errorf("read lesson %s: %w", l.ID, err)
	}
	return nil
}

func (l *Lesson) readField(tag wire.Tag, c wire.Content) error {
	switch tag {
	case lessonID:
		l.ID = c.String()
	case lessonTime:
		l.Time = fromNanos(c.Int())
	case lessonMessage:
		l.Message = c.String()
	case lessonChannel:
		l.Channel = Channel(c.Uint())
	case lessonDirection:
		l.Direction = Direction(c.Uint())
	case lessonLabel:
		l.Label = Label(c.Uint())
	case lessonCategory:
		l.Category = Category(c.Uint())
	case lessonTenant:
		l.Scope.Tenant = c.String()
	case lessonDomain:
		l.Scope.Domain = c.String()
	case lessonUser:
		l.Scope.User = c.String()
	case lessonTeacher:
		l.Teacher = c.String()
	case lessonReplaces:
		l.Replaces = c.String()
	case lessonSource:
		l.Source = c.String()
	case lessonExtractor:
		l.Extractor = uint32(c.Uint())
	case lessonBase:
		l.Base = c.String()
	case lessonFeatures:
		f, err := readFeatures(c)
		l.Features = append(l.Features, f)
		return err
	case lessonSignal:
		s, err := readSignal(c)
		l.Signals = append(l.Signals, s)
		return err
	case lessonDigest:
		l.Digest = append([]byte(nil), c...)
	case lessonBefore:
		l.Before = c.Float()
	}
	return nil
}

func readFeatures(c wire.Content) (f FeatureSet, err error) {
	err = wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case featuresLearner:
			f.Learner = c.String()
		case featuresHashes:
			f.Hashes = readHashes(c)
		}
		return nil
	})
	return f, err
}

func readSignal(c wire.Content) (s SignalValue, err error) {
	err = wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case signalName:
			s.Name = c.String()
		case signalState:
			s.State = State(c.Uint())
		case signalValue:
			s.Value = Fixed(c.Int())
		}
		return nil
	})
	return s, err
}

// appendHashes writes sorted hashes as differences, which halves a lesson.
func appendHashes(b []byte, hashes []uint32) []byte {
	last := uint32(0)
	for _, h := range hashes {
		b = binary.AppendUvarint(b, uint64(h-last))
		last = h
	}
	return b
}

func readHashes(c []byte) []uint32 {
	hashes := make([]uint32, 0, len(c)/2)
	last := uint32(0)
	for len(c) > 0 {
		d, n := binary.Uvarint(c)
		if n <= 0 {
			break
		}
		last += uint32(d)
		hashes = append(hashes, last)
		c = c[n:]
	}
	return hashes
}
