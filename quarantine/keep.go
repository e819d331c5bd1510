package quarantine

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"rempart/durable/sqlite"
	"rempart/keyring"
)

// Mail is one that is put aside.
type Mail struct {
	ID         string // of the message, as in its event
	Time       time.Time
	Tenant     string
	Door       string   // name of the front door
	MailFrom   string   // envelope sender
	Recipients []string // whose copies are kept
	// Mailboxes are whose the recipients of mail coming in are; one that is not in it is an own mailbox, in lower case.
	Mailboxes   map[string]string
	Probability float64
	Malware     bool
	Outgoing    bool // its recipients are others' users: no digest tells them
	Raw         []byte
}

// triesFor is for how long a sender tries again: RFC 5321 section 4.5.4.1 has it give up after four to five days.
const triesFor = 5 * 24 * time.Hour

// Keep keeps a copy of m for each of its recipients. When it returns without an error they survive a power failure.
//
// A recipient whose copy of that mail waits since less than triesFor keeps the one there is: the next hop put the mail off for others,
// or its sender never heard the answer, and so it came again. One that was released or deleted meanwhile is kept anew, since nothing
// tells a mail that is tried again from one that is sent again.
func (s *Store) Keep(ctx context.Context, m Mail) error {
	expires := m.Time.Add(time.Duration(s.config.Load().Keep))
	if err := s.bodies.Put(ctx, m.ID, keyring.Scope{Tenant: m.Tenant}, expires, bytes.NewReader(m.Raw)); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	digest, added := m.digest(), false
	err := sqlite.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, to := range m.Recipients {
			waits, err := s.waits(ctx, tx, &m, digest, to)
			if err != nil {
				return err
			}
			if waits {
				continue
			}
			added = true
			_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO copies (id, recipient, time, expires, tenant, mail_from, size, probability, malware,
				outgoing, released, released_by, told, mailbox, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0, ?, ?)`, m.ID, to, m.Time.Unix(),
				expires.Unix(), m.Tenant, m.MailFrom, len(m.Raw), m.Probability, m.Malware, m.Outgoing, m.mailbox(to), digest)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return errors.Join(fmt.Errorf("quarantine: %w", err), s.bodies.Delete(context.WithoutCancel(ctx), m.ID))
	}
	if !added {
		if err := s.bodies.Delete(context.WithoutCancel(ctx), m.ID); err != nil {
			s.log.Error("the body of a mail that came again stays until it is too old", "id", m.ID, "error", err)
		}
	}
	return nil
}

// waits reports whether a copy of that mail waits for the recipient. If malware is found in it only this time, the copy learns of it.
func (s *Store) waits(ctx context.Context, tx *sql.Tx, m *Mail, digest []byte, to string) (bool, error) {
	r, err := tx.ExecContext(ctx, `UPDATE copies SET malware = max(malware, ?)
		WHERE digest = ? AND recipient = ? AND id != ? AND released = 0 AND time > ? AND expires > ?`,
		m.Malware, digest, to, m.ID, m.Time.Add(-triesFor).Unix(), s.now().Unix())
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// digest is equal if a mail comes again: the same bytes from the same sender to the same front door of the same tenant. Received fields
// on top (RFC 5321 section 4.4) do not count: a server that asks before it queues writes a new one with each try.
func (m *Mail) digest() []byte {
	h := sha256.New()
	for _, s := range []string{m.Tenant, m.Door, m.MailFrom} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	h.Write(withoutReceived(m.Raw))
	return h.Sum(nil)
}

func withoutReceived(raw []byte) []byte {
	const name = "received:"
	for len(raw) >= len(name) && bytes.EqualFold(raw[:len(name)], []byte(name)) {
		for more := true; more; more = len(raw) > 0 && (raw[0] == ' ' || raw[0] == '\t') { // a field goes on in lines that begin so
			_, raw, _ = bytes.Cut(raw, []byte("\n"))
		}
	}
	return raw
}

// mailbox is whose a recipient's copy is.
func (m *Mail) mailbox(recipient string) string {
	if m.Outgoing {
		return ""
	}
	return cmp.Or(m.Mailboxes[recipient], strings.ToLower(recipient))
}
