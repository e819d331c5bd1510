package quarantine

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"rempart/catalogue"
	"rempart/durable/sqlite"
	"rempart/keyring"
	"rempart/nexthop"
)

// MinePath is the page of who signed in, below the configured url, and SignInPath the one that the link of a sign-in mail opens.
const (
	MinePath   = "/mine"
	SignInPath = MinePath + "/in/"
)

// signInUse ties a link to its use: nothing else that is sealed with the same key is one.
const signInUse = "link to sign in to a mailbox"

const (
	// SignInLife is how long a link can be used: a slow mail server delivers within it, and who finds an old mail has nothing.
	SignInLife = 15 * time.Minute
	// signIns is how many links a mailbox is sent within SignInLife, whoever asks for them: who is sent no more has one that is good.
	signIns = 4
)

// What callers decide on.
var (
	// ErrSignIn: the link was used, is too old, or is not ours.
	ErrSignIn = errors.New("quarantine: the link to sign in is not valid any more")
	// ErrSignIns: the mailbox was sent enough links for now.
	ErrSignIns = errors.New("quarantine: too many links to sign in were asked for")
)

// URL is the console's address as recipients reach it; empty if it is not configured.
func (s *Store) URL() string { return s.config.Load().URL }

// MailSignIn sends address a link with which its owner signs in, once, within [SignInLife]. As with digests only who has a copy of mail
// coming in, in one of the mailboxes, gets mail from here; for others it is [ErrNotFound]. The first of the mailboxes is what
// [ErrSignIns] counts by.
func (s *Store) MailSignIn(ctx context.Context, address string, mailboxes []string) error {
	c := s.config.Load()
	if !Plain(address) || len(mailboxes) == 0 {
		return ErrNotFound
	}
	page, err := s.List(ctx, Query{Mailboxes: mailboxes, Limit: 1})
	if err != nil {
		return err
	}
	if len(page.Copies) == 0 {
		return ErrNotFound
	}
	id := rand.Text()
	if err := s.noteSignIn(ctx, id, mailboxes[0]); err != nil {
		return err
	}
	sealed, err := s.keys.Seal(keyring.Scope{}, []byte(id+"\n"+address), []byte(signInUse))
	if err != nil {
		return err
	}
	words := catalogue.English()
	link := c.URL + SignInPath + linkText.EncodeToString(sealed)
	err = s.Write(ctx, address, words.Say("signin.subject"), words.Say("signin.text", link, int(SignInLife.Minutes())))
	if err == nil {
		return nil
	}
	// Whoever asked may ask again at once. Should the mail have gone out all the same, its link is worth nothing.
	_, forgot := s.db.ExecContext(context.WithoutCancel(ctx), "DELETE FROM signins WHERE id = ?", id)
	return errors.Join(err, forgot)
}

// Writes reports whether the program can write to people: digests, and links to sign in.
func (s *Store) Writes() bool { return s.config.Load().digests() }

// Write sends a letter of the program's own to an address of ours, by the next hop; [ErrNotFound] if that is no address.
func (s *Store) Write(ctx context.Context, address, subject, text string) error {
	if !Plain(address) {
		return ErrNotFound
	}
	c := s.config.Load()
	letter := nexthop.Letter{From: c.DigestFrom, To: mail.Address{Address: address}, Subject: subject, Text: text, Automatic: true}
	raw, err := letter.Compose(s.now())
	if err != nil {
		return err
	}
	return nexthop.Send(ctx, c.NextHop, c.Access, "", address, raw)
}

// maxAddress is the longest (RFC 5321 section 4.5.3.1.3).
const maxAddress = 254

// Plain reports whether a letter can be sent to what somebody wrote: one address, in no other form and of no more letters than one has,
// that SMTP need not quote. Nobody's mailbox is written so by hand.
func Plain(address string) bool {
	if len(address) > maxAddress {
		return false
	}
	a, err := mail.ParseAddress(address)
	return err == nil && a.Address == address && !strings.ContainsAny(address, "<>\"\\ \t\r\n,;:()[]")
}

// noteSignIn keeps that a link is out. Its rows are there as long as the link could be used, so that neither the count nor what was
// used is forgotten at a restart.
func (s *Store) noteSignIn(ctx context.Context, id, mailbox string) error {
	return sqlite.InTx(ctx, s.db, func(tx *sql.Tx) error {
		now, sent := s.now(), 0
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM signins WHERE mailbox = ? AND sent > ?", mailbox, now.Add(-SignInLife).Unix()).Scan(&sent)
		if err != nil {
			return err
		}
		if sent >= signIns {
			return ErrSignIns
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO signins (id, mailbox, sent, used) VALUES (?, ?, ?, 0)", id, mailbox, now.Unix())
		return err
	})
}

// SignInAddress is the address that a link was sent to, whether it can still be used or not; [ErrSignIn] of one that is not ours.
func (s *Store) SignInAddress(link string) (address string, err error) {
	_, address, err = s.openSignIn(link)
	return address, err
}

func (s *Store) openSignIn(link string) (id, address string, err error) {
	sealed, err := linkText.DecodeString(link)
	if err != nil {
		return "", "", ErrSignIn
	}
	plain, err := s.keys.Open(sealed, []byte(signInUse))
	if err != nil {
		return "", "", ErrSignIn // forged, or its key was destroyed
	}
	id, address, _ = strings.Cut(string(plain), "\n")
	return id, address, nil
}

// SignIn uses a link up, which signs in whoever has it as the owner of its [Store.SignInAddress]; [ErrSignIn] of one that is used, too
// old or not ours.
func (s *Store) SignIn(ctx context.Context, link string) error {
	id, _, err := s.openSignIn(link)
	if err != nil {
		return err
	}
	now := s.now()
	r, err := s.db.ExecContext(ctx, "UPDATE signins SET used = ? WHERE id = ? AND used = 0 AND sent > ?", now.Unix(), id, now.Add(-SignInLife).Unix())
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrSignIn, err)
	}
	return nil
}

// Mine is one copy that is in one of the mailboxes; [ErrNotFound] of others'.
func (s *Store) Mine(ctx context.Context, id, recipient string, mailboxes []string) (Copy, error) {
	c, err := s.Get(ctx, id, recipient)
	if err != nil {
		return Copy{}, err
	}
	for _, m := range mailboxes {
		if c.Mailbox != "" && c.Mailbox == m {
			return c, nil
		}
	}
	return Copy{}, ErrNotFound
}
