package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rempart/account"
	"rempart/console/openid"
	"rempart/corpus"
	"rempart/index"
	"rempart/quarantine"
)

// owner is who signed in to a mailbox, to see and release what is in quarantine for it. It is no account: an owner's session has a
// cookie and a store of its own and opens no other page.
type owner struct {
	Address   string   // that they showed to be theirs
	Mailboxes []string // whose copies they see
}

// Keys of an owner's session.
const (
	sessionAddress   = "address"
	sessionMailboxes = "mailboxes"
)

// owner is who signed in.
func (c *Console) owner(r *http.Request) (owner, bool) {
	if !isMine(r.URL.Path) {
		return owner{}, false
	}
	m := c.manager(r)
	o := owner{Address: m.GetString(r.Context(), sessionAddress)}
	o.Mailboxes, _ = m.Get(r.Context(), sessionMailboxes).([]string)
	return o, o.Address != "" && len(o.Mailboxes) > 0
}

// beginMine starts an owner's session under a new token.
func (c *Console) beginMine(w http.ResponseWriter, r *http.Request, address string) error {
	m, ctx := c.manager(r), r.Context()
	mailboxes := c.Mailboxes(ctx, address)
	if len(mailboxes) == 0 {
		return fmt.Errorf("%w: no address of a mailbox", openid.ErrClaim)
	}
	if err := m.Clear(ctx); err != nil {
		return err
	}
	if err := m.RenewToken(ctx); err != nil {
		return err
	}
	m.Put(ctx, sessionAddress, address)
	m.Put(ctx, sessionMailboxes, mailboxes)
	http.Redirect(w, r, quarantine.MinePath, http.StatusSeeOther)
	return nil
}

// isMine reports whether a path is one of the owners'.
func isMine(path string) bool {
	return path == quarantine.MinePath || strings.HasPrefix(path, quarantine.MinePath+"/")
}

type mineInPage struct {
	ByMail bool
	Asked  bool // for a mail
	OIDC   bool // there is an OpenID provider
}

func (c *Console) mineInPage(w http.ResponseWriter, r *http.Request) error {
	if _, in := c.owner(r); in {
		http.Redirect(w, r, quarantine.MinePath, http.StatusSeeOther)
		return nil
	}
	return c.render(w, r, "mine_in", mineInPage{ByMail: c.Quarantine.Writes(), OIDC: c.ownersByOIDC()})
}

// askMineIn has a link sent. What it answers, and when, does not depend on whose address was given.
func (c *Console) askMineIn(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if !c.mineThrottle.allow(clientAddress(r), c.Now()) {
		return errThrottled
	}
	if c.Quarantine.Writes() {
		c.AskSignIn(strings.TrimSpace(r.PostFormValue("address")))
	}
	return c.render(w, r, "mine_in", mineInPage{ByMail: c.Quarantine.Writes(), Asked: true, OIDC: c.ownersByOIDC()})
}

type mineLinkPage struct{ Path string }

// mineLinkPage uses nothing up: programs that look at links before people do only see a button.
func (c *Console) mineLinkPage(w http.ResponseWriter, r *http.Request) error {
	return c.render(w, r, "mine_link", mineLinkPage{r.URL.Path})
}

func (c *Console) mineLink(w http.ResponseWriter, r *http.Request) error {
	if !c.mineThrottle.allow(clientAddress(r), c.Now()) {
		return errThrottled
	}
	address, err := c.Quarantine.SignIn(r.Context(), r.PathValue("link"))
	if err != nil {
		return err
	}
	return c.beginMine(w, r, address)
}

func (c *Console) mineOut(w http.ResponseWriter, r *http.Request) error {
	if err := c.manager(r).Destroy(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, quarantine.MinePath+"/in", http.StatusSeeOther)
	return nil
}

type minePage struct {
	Mails []mineMail
	First bool
	Next  string // URL of the next page; empty: this is the last
}

type mineMail struct {
	Copy    quarantine.Copy
	State   string
	From    string
	Subject string
	Reasons []string
	Link    string
}

// mineRows are few: the beginning of each mail is opened and read. mineReasons are what the list tells of each.
const (
	mineRows    = 20
	mineReasons = 2
)

// mine lists the copies in the owner's mailboxes, newest first.
func (c *Console) mine(w http.ResponseWriter, r *http.Request) error {
	o, _ := c.owner(r)
	cursor := r.URL.Query().Get("cursor")
	found, err := c.Quarantine.List(r.Context(), quarantine.Query{Mailboxes: o.Mailboxes, Cursor: cursor, Limit: mineRows})
	if err != nil {
		return err
	}
	page := minePage{First: cursor == ""}
	if found.Next != "" {
		page.Next = withQuery(quarantine.MinePath, url.Values{"cursor": {found.Next}})
	}
	for i := range found.Copies {
		k := &found.Copies[i]
		author, subject, err := c.Quarantine.About(r.Context(), k.ID)
		if errors.Is(err, quarantine.ErrNotFound) {
			continue // it was deleted meanwhile
		}
		if err != nil {
			return err
		}
		reasons, err := c.reasonsOf(r, k)
		if err != nil {
			return err
		}
		page.Mails = append(page.Mails, mineMail{Copy: *k, State: stateOf(k), From: seen(author), Subject: seen(subject),
			Reasons: reasons[:min(len(reasons), mineReasons)], Link: withQuery(mineCopyPath(k.ID), url.Values{"recipient": {k.Recipient}})})
	}
	return c.render(w, r, "mine", page)
}

func mineCopyPath(id string) string { return quarantine.MinePath + "/" + url.PathEscape(id) }

// reasonsOf is why a copy was put aside, as far as it is still on record.
func (c *Console) reasonsOf(r *http.Request, k *quarantine.Copy) ([]string, error) {
	e, err := c.Events.Get(r.Context(), k.ID)
	if errors.Is(err, index.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return c.reasonsFor(e, k.Recipient), nil
}

type mineCopyPage struct {
	mineMail
	Path        string
	Lines       []string // of the text, the first of them
	Cut         bool     // there are more
	Attachments []string
}

// mineCopy shows one mail as text, whatever it is made of.
func (c *Console) mineCopy(w http.ResponseWriter, r *http.Request) error {
	o, _ := c.owner(r)
	k, err := c.Quarantine.Mine(r.Context(), r.PathValue("id"), r.URL.Query().Get("recipient"), o.Mailboxes)
	if err != nil {
		return err
	}
	raw, err := c.Quarantine.Raw(r.Context(), k.ID)
	if err != nil {
		return err
	}
	m := corpus.Mail(raw)
	page := mineCopyPage{Path: mineCopyPath(k.ID), mineMail: mineMail{Copy: k, State: stateOf(&k), From: seen(quarantine.Author(m)), Subject: seen(m.Subject)}}
	page.Lines, page.Cut = linesOf(m)
	for i := range m.Attachments {
		page.Attachments = append(page.Attachments, seen(m.Attachments[i].Name))
	}
	if page.Reasons, err = c.reasonsOf(r, &k); err != nil {
		return err
	}
	return c.render(w, r, "mine_copy", page)
}

// changeMine releases or deletes a copy in the owner's name.
func (c *Console) changeMine(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	o, _ := c.owner(r)
	k, err := c.Quarantine.Mine(r.Context(), r.PathValue("id"), r.PostFormValue("recipient"), o.Mailboxes)
	if err != nil {
		return err
	}
	change := r.PathValue("change")
	switch change {
	case "release":
		err = c.releaseOwn(r, &k)
	case "delete":
		err = c.Discard(r.Context(), k.ID, k.Recipient, account.Actor{Name: recipientName, Address: clientAddress(r)})
	default:
		err = errNoPage
	}
	if err != nil {
		return err
	}
	c.notice(r, "notice.mine_"+change)
	http.Redirect(w, r, quarantine.MinePath, http.StatusSeeOther)
	return nil
}
