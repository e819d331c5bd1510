package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rempart/account"
	"rempart/console/openid"
	"rempart/index"
	"rempart/message"
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

// mailboxesOf are whose copies the owner of an address may see.
func (c *Console) mailboxesOf(r *http.Request, address string) ([]string, error) {
	mailboxes := c.Mailboxes(r.Context(), address)
	if len(mailboxes) == 0 {
		return nil, fmt.Errorf("%w: no address of a mailbox", openid.ErrClaim)
	}
	return mailboxes, nil
}

// beginMine starts an owner's session under a new token.
func (c *Console) beginMine(w http.ResponseWriter, r *http.Request, address string, mailboxes []string) error {
	m, ctx := c.manager(r), r.Context()
	if err := c.recordMine(r, account.Entry{What: "mine.signed_in", Object: message.Masked(address)}); err != nil {
		c.log.Error("sign-in to a mailbox not in the audit trail", "error", err) // as with accounts: a full disk keeps nobody out
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

// recordMine writes to the audit trail what an owner did.
func (c *Console) recordMine(r *http.Request, e account.Entry) error {
	e.Who, e.Address = recipientName, clientAddress(r)
	return c.Accounts.Record(r.Context(), e)
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
	byMail := c.Quarantine.Writes()
	if byMail {
		c.AskSignIn(strings.TrimSpace(r.PostFormValue("address")))
	}
	return c.render(w, r, "mine_in", mineInPage{ByMail: byMail, Asked: byMail, OIDC: c.ownersByOIDC()})
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
	address, err := c.Quarantine.SignInAddress(r.PathValue("link"))
	if err != nil {
		return err
	}
	mailboxes, err := c.mailboxesOf(r, address) // who waits for a table in vain can use the link again
	if err != nil {
		return err
	}
	if err := c.Quarantine.SignIn(r.Context(), r.PathValue("link")); err != nil {
		return err
	}
	return c.beginMine(w, r, address, mailboxes)
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
		author, subject, err := c.aboutOf(r, k.ID)
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
		page.Mails = append(page.Mails, mineMail{Copy: *k, State: stateOf(k), From: author, Subject: subject,
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
	content
	Copy    quarantine.Copy
	State   string
	Reasons []string
	Path    string
}

// mineCopy shows one mail. The look is in the audit trail.
func (c *Console) mineCopy(w http.ResponseWriter, r *http.Request) error {
	o, _ := c.owner(r)
	k, err := c.Quarantine.Mine(r.Context(), r.PathValue("id"), r.URL.Query().Get("recipient"), o.Mailboxes)
	if err != nil {
		return err
	}
	look := account.Entry{What: "quarantine.looked_at", Object: k.ID, Before: message.Masked(k.Recipient)}
	if err := c.recordMine(r, look); err != nil {
		return err // as with operators: a look that cannot be recorded is not given
	}
	page := mineCopyPage{Path: mineCopyPath(k.ID), Copy: k, State: stateOf(&k)}
	if page.content, err = c.contentOf(r, k.ID); err != nil {
		return err
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
