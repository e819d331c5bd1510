package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/alexedwards/scs/v2"

	"rempart/account"
)

// Keys of a session.
const (
	sessionName       = "name"
	sessionGeneration = "generation" // of the account, when the session began: it ends when that rises
	sessionLink       = "link"       // begun by a one-time link: may set a password without the old one
	sessionOIDC       = "oidc"       // begun at the OpenID provider: the account needs no password
	sessionNotice     = "notice"     // a sentence for the next page
)

// manager is whose sessions a request has: owners of mailboxes have theirs, so that none is ever taken for an account's.
func (c *Console) manager(r *http.Request) *scs.SessionManager {
	m := c.staff
	if isMine(r.URL.Path) {
		m = c.owners
	}
	if isSecure(r) {
		return m.secure
	}
	return m.plain
}

func (c *Console) withSession(next http.Handler) http.Handler {
	with := map[*scs.SessionManager]http.Handler{}
	for _, m := range []managers{c.staff, c.owners} {
		with[m.plain], with[m.secure] = m.plain.LoadAndSave(next), m.secure.LoadAndSave(next)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/static/") {
			next.ServeHTTP(w, r)
			return
		}
		with[c.manager(r)].ServeHTTP(w, r)
	})
}

// EndOwners ends the sessions of who signed in to a mailbox, by address or by the mailbox itself: of somebody who is erased.
func (c *Console) EndOwners(isUser func(string) bool) {
	c.owners.store.end(func(values map[string]any) bool {
		address, _ := values[sessionAddress].(string)
		mailboxes, _ := values[sessionMailboxes].([]string)
		return isUser(address) || slices.ContainsFunc(mailboxes, isUser)
	})
}

// user is who is logged in.
func (c *Console) user(r *http.Request) (account.Account, bool) {
	if strings.HasPrefix(r.URL.Path, "/static/") || isMine(r.URL.Path) {
		return account.Account{}, false
	}
	m := c.manager(r)
	name := m.GetString(r.Context(), sessionName)
	if name == "" {
		return account.Account{}, false
	}
	a, ok := c.Accounts.Account(name)
	if generation, _ := m.Get(r.Context(), sessionGeneration).(uint64); !ok || generation != a.Generation {
		return account.Account{}, false
	}
	return a, true
}

func (c *Console) actor(r *http.Request) account.Actor {
	a, _ := c.user(r)
	return account.Actor{Name: a.Name, Address: clientAddress(r)}
}

// begin starts a session under a new token, so that one planted before the login is worth nothing.
func (c *Console) begin(r *http.Request, a account.Account, byLink bool) error {
	m, ctx := c.manager(r), r.Context()
	if err := m.Clear(ctx); err != nil {
		return err
	}
	if err := m.RenewToken(ctx); err != nil {
		return err
	}
	m.Put(ctx, sessionName, a.Name)
	m.Put(ctx, sessionGeneration, a.Generation)
	if byLink {
		m.Put(ctx, sessionLink, true)
	}
	return nil
}

// notice keeps a sentence for the next page.
func (c *Console) notice(r *http.Request, key string, args ...any) {
	c.manager(r).Put(r.Context(), sessionNotice, c.words.Say(key, args...))
}

func (c *Console) takeNotice(r *http.Request) string {
	return c.manager(r).PopString(r.Context(), sessionNotice)
}

// askLogin sends to the login and, for a page that is only looked at, back afterwards.
func (c *Console) askLogin(w http.ResponseWriter, r *http.Request) {
	to := "/login"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	if isPart(r) { // the login must not be put into the middle of a page
		w.Header().Set("HX-Redirect", "/login")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// isPart reports whether htmx asks, for a part of a page.
func isPart(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// ownPath is next if it is a path of ours, else the first page: a login must not lead to a stranger's.
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(next, "/") || strings.Contains(next, `\`) {
		return "/"
	}
	to := u.RequestURI() // escaped anew, so it is what is checked
	if strings.HasPrefix(to, "//") {
		return "/"
	}
	return to
}

// record writes to the audit trail who did what.
func (c *Console) record(ctx context.Context, r *http.Request, e account.Entry) error {
	by := c.actor(r)
	e.Who, e.Address = by.Name, by.Address
	return c.Accounts.Record(ctx, e)
}
