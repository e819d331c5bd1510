package console

import (
	"errors"
	"net/http"

	"rempart/account"
)

type loginPage struct {
	Next  string
	Name  string
	Wrong bool
	OIDC  string // path to the OpenID provider; empty: none
}

func (c *Console) newLoginPage(next, name string, wrong bool) loginPage {
	p := loginPage{Next: next, Name: name, Wrong: wrong}
	if c.staffByOIDC() {
		p.OIDC = oidcPath(next)
	}
	return p
}

func (c *Console) loginPage(w http.ResponseWriter, r *http.Request) error {
	if _, in := c.user(r); in {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	return c.render(w, r, "login", c.newLoginPage(ownPath(r.URL.Query().Get("next")), "", false))
}

func (c *Console) login(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if !c.throttle.allow(clientAddress(r), c.Now()) {
		return errThrottled
	}
	name, next := r.PostFormValue("name"), ownPath(r.PostFormValue("next"))
	a, err := c.Accounts.Login(r.Context(), name, r.PostFormValue("password"))
	switch {
	case errors.Is(err, account.ErrLogin):
		return c.renderStatus(w, r, http.StatusUnauthorized, "login", c.newLoginPage(next, name, true))
	case err != nil:
		return err
	}
	by := account.Entry{Who: a.Name, Address: clientAddress(r), What: "account.login", Object: a.Name}
	if err := c.Accounts.Record(r.Context(), by); err != nil {
		c.log.Error("login not in the audit trail", "error", err) // a full disk must not keep the administrator out
	}
	if err := c.begin(r, a, false); err != nil {
		return err
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) error {
	if err := c.manager(r).Destroy(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}

type linkPage struct{ Path string }

// linkPage uses nothing up: programs that look at links before people do only see a button.
func (c *Console) linkPage(w http.ResponseWriter, r *http.Request) error {
	return c.render(w, r, "link", linkPage{LinkPath(r.PathValue("secret"))})
}

func (c *Console) link(w http.ResponseWriter, r *http.Request) error {
	if !c.throttle.allow(clientAddress(r), c.Now()) {
		return errThrottled
	}
	a, err := c.Accounts.Redeem(r.Context(), account.Actor{Address: clientAddress(r)}, r.PathValue("secret"), c.Now())
	if err != nil {
		return err
	}
	if err := c.begin(r, a, true); err != nil {
		return err
	}
	http.Redirect(w, r, "/password", http.StatusSeeOther)
	return nil
}

type passwordPage struct {
	NeedsOld bool
	Wrong    string // key of what was wrong, under "page.password"
	Least    int
}

func (c *Console) passwordPage(w http.ResponseWriter, r *http.Request) error {
	return c.render(w, r, "password", c.newPasswordPage(r, ""))
}

func (c *Console) newPasswordPage(r *http.Request, wrong string) passwordPage {
	return passwordPage{!c.manager(r).GetBool(r.Context(), sessionLink), wrong, account.MinPassword}
}

func (c *Console) setPassword(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	a, _ := c.user(r)
	page := c.newPasswordPage(r, "")
	if page.NeedsOld {
		if !c.throttle.allow(clientAddress(r), c.Now()) {
			return errThrottled
		}
		if _, err := c.Accounts.Login(r.Context(), a.Name, r.PostFormValue("old")); errors.Is(err, account.ErrLogin) {
			return c.renderStatus(w, r, http.StatusBadRequest, "password", c.newPasswordPage(r, "wrong_old"))
		} else if err != nil {
			return err
		}
	}
	if r.PostFormValue("new") != r.PostFormValue("again") {
		return c.renderStatus(w, r, http.StatusBadRequest, "password", c.newPasswordPage(r, "unlike"))
	}
	err := c.Accounts.SetPassword(r.Context(), c.actor(r), a.Name, r.PostFormValue("new"))
	switch {
	case errors.Is(err, account.ErrPassword):
		return c.renderStatus(w, r, http.StatusBadRequest, "password", c.newPasswordPage(r, "short"))
	case err != nil:
		return err
	}
	a, _ = c.Accounts.Account(a.Name) // all other sessions end, this one goes on
	if err := c.begin(r, a, false); err != nil {
		return err
	}
	c.notice(r, "notice.password")
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// parseForm reads a form within the cap of its body.
func parseForm(r *http.Request) error {
	var large *http.MaxBytesError
	switch err := r.ParseForm(); {
	case errors.As(err, &large):
		return err
	case err != nil:
		return errForm
	}
	return nil
}
