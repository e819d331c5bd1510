package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"

	"rempart/account"
	"rempart/console/openid"
	"rempart/quarantine"
)

// Paths of signing in by OpenID Connect, for accounts and for owners. Below each lies what the provider leads back to.
const (
	staffOIDCPath = "/login/oidc"
	mineOIDCPath  = quarantine.MinePath + "/oidc"
	callback      = "/callback"
)

// staffByOIDC and ownersByOIDC report whether that is a way in.
func (c *Console) staffByOIDC() bool {
	return c.Provider != nil && c.Provider.AccountClaim() != "" && c.URL != ""
}

func (c *Console) ownersByOIDC() bool { return c.Provider != nil && c.Quarantine.URL() != "" }

func (c *Console) staffOIDC(w http.ResponseWriter, r *http.Request) error {
	if !c.staffByOIDC() {
		return errNoPage
	}
	return c.beginOIDC(w, r, c.URL+staffOIDCPath+callback, ownPath(r.URL.Query().Get("next")))
}

func (c *Console) mineOIDC(w http.ResponseWriter, r *http.Request) error {
	if !c.ownersByOIDC() {
		return errNoPage
	}
	return c.beginOIDC(w, r, c.Quarantine.URL()+mineOIDCPath+callback, "")
}

// oidcCookie keeps an attempt in the browser: strangers who begin and do not come back cost the node no memory.
func oidcCookie(r *http.Request, value string) *http.Cookie {
	k := &http.Cookie{Name: "rempart-oidc", Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(openid.AttemptLife.Seconds())}
	if isSecure(r) {
		k.Name, k.Secure = "__Host-"+k.Name, true
	}
	return k
}

// maxAttempt is a cookie's value that browsers keep: they take 4096 bytes with its name and attributes (RFC 6265 section 6.1).
const maxAttempt = 3500

// beginOIDC leads to the provider. It is not throttled: it costs no more than a page, and any page of others' can have a browser ask for it.
func (c *Console) beginOIDC(w http.ResponseWriter, r *http.Request, redirect, next string) error {
	to, attempt, err := c.Provider.Begin(r.Context(), redirect, next)
	if err != nil {
		return err
	}
	if len(attempt.Cookie()) > maxAttempt {
		attempt.Next = "/"
	}
	http.SetCookie(w, oidcCookie(r, attempt.Cookie()))
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// finishOIDC takes the attempt out of the browser and returns what the provider says of who came. Only what answers an attempt of this
// browser is counted, since it makes us ask the provider: pages of others' shut nobody out.
func (c *Console) finishOIDC(w http.ResponseWriter, r *http.Request, redirect, claim string) (value string, a openid.Attempt, err error) {
	gone := oidcCookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	k, err := r.Cookie(gone.Name)
	if err != nil {
		return "", a, openid.ErrAttempt
	}
	if a, err = openid.ParseAttempt(k.Value); err != nil {
		return "", a, err
	}
	if !a.Answered(r.URL.Query()) {
		return "", a, openid.ErrAttempt
	}
	if !c.oidcThrottle.allow(clientAddress(r), c.Now()) {
		return "", a, errThrottled
	}
	value, err = c.Provider.Finish(r.Context(), redirect, a, r.URL.Query(), claim)
	if err != nil && !errors.Is(err, openid.ErrAttempt) && !errors.Is(err, openid.ErrAway) { // fail logs those that are no visitor's doing
		c.log.Warn("a sign-in by OpenID Connect failed", "client", clientAddress(r), "error", err)
	}
	return value, a, err
}

// mineOIDCBack signs an owner in.
func (c *Console) mineOIDCBack(w http.ResponseWriter, r *http.Request) error {
	if !c.ownersByOIDC() {
		return errNoPage
	}
	address, _, err := c.finishOIDC(w, r, c.Quarantine.URL()+mineOIDCPath+callback, c.Provider.MailboxClaim())
	if err != nil {
		return err
	}
	if a, err := mail.ParseAddress(address); err != nil || a.Address != address {
		return fmt.Errorf("%w: no address", openid.ErrClaim)
	}
	mailboxes, err := c.mailboxesOf(r, address)
	if err != nil {
		return err
	}
	return c.beginMine(w, r, address, mailboxes)
}

// staffOIDCBack logs in to the account whose name the provider vouches for. One that nobody made is nobody's.
func (c *Console) staffOIDCBack(w http.ResponseWriter, r *http.Request) error {
	if !c.staffByOIDC() {
		return errNoPage
	}
	name, attempt, err := c.finishOIDC(w, r, c.URL+staffOIDCPath+callback, c.Provider.AccountClaim())
	if err != nil {
		return err
	}
	a, ok := c.Accounts.Account(name)
	if !ok {
		c.log.Warn("a sign-in by OpenID Connect has no account", "client", clientAddress(r), "name", seen(name))
		return errNoOperator
	}
	by := account.Entry{Who: a.Name, Address: clientAddress(r), What: "account.login", Object: a.Name}
	if err := c.Accounts.Record(r.Context(), by); err != nil {
		c.log.Error("login not in the audit trail", "error", err) // a full disk must not keep the administrator out
	}
	if err := c.begin(r, a, false); err != nil {
		return err
	}
	c.manager(r).Put(r.Context(), sessionOIDC, true)
	http.Redirect(w, r, ownPath(attempt.Next), http.StatusSeeOther)
	return nil
}

// oidcPath is where the login's button leads: to the provider, and then to where one was going.
func oidcPath(next string) string {
	if next == "/" {
		return staffOIDCPath
	}
	return withQuery(staffOIDCPath, url.Values{"next": {next}})
}
