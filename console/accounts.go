package console

import (
	"net/http"
	"time"

	"rempart/account"
)

type accountsPage struct {
	Accounts []account.Account
	Table    table
	Me       string
	// NewLink is the one-time link that was just made: shown now and never again.
	NewLink string
	For     string
	Until   time.Time
	Hours   int
}

func (c *Console) accounts(w http.ResponseWriter, r *http.Request) error {
	page := c.accountsPage(r)
	return c.serveTable(w, r, page.Table, "accounts", page)
}

func (c *Console) accountsPage(r *http.Request) accountsPage {
	me, _ := c.user(r)
	page := accountsPage{Accounts: c.Accounts.Accounts(c.Now()), Me: me.Name, Hours: int(account.LinkLife / time.Hour)}
	page.Table = table{Name: "accounts", Path: "/accounts", Columns: []column{{"name", false, false}, {"role", false, false}, {"made", false, false}, {"state", false, false}}}
	for _, a := range page.Accounts {
		state := "active"
		switch {
		case !a.Active():
			state = "removed"
		case !a.HasPassword:
			state = "invited"
		}
		page.Table.Rows = append(page.Table.Rows, []cell{{Text: a.Name}, {Text: a.Role.String()}, {Value: a.Made}, {Text: state}})
	}
	return page
}

func (c *Console) invite(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	role, err := account.ParseRole(r.PostFormValue("role"))
	if err != nil {
		return err
	}
	name := r.PostFormValue("name")
	secret, err := c.Accounts.Invite(r.Context(), c.actor(r), name, role, c.Now())
	if err != nil {
		return err
	}
	return c.showLink(w, r, name, secret)
}

// showLink answers the request that made a link with the link itself: it is stored nowhere.
func (c *Console) showLink(w http.ResponseWriter, r *http.Request, name, secret string) error {
	scheme := "http"
	if isSecure(r) {
		scheme = "https"
	}
	page := c.accountsPage(r)
	page.NewLink, page.For, page.Until = scheme+"://"+r.Host+LinkPath(secret), name, c.Now().Add(account.LinkLife)
	return c.render(w, r, "accounts", page)
}

// changeAccount is the buttons of one account.
func (c *Console) changeAccount(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	name, by := r.PathValue("name"), c.actor(r)
	switch change := r.PathValue("change"); change {
	case "link":
		secret, err := c.Accounts.Relink(r.Context(), by, name, c.Now())
		if err != nil {
			return err
		}
		return c.showLink(w, r, name, secret)
	case "role":
		role, err := account.ParseRole(r.PostFormValue("role"))
		if err != nil {
			return err
		}
		if err := c.Accounts.SetRole(r.Context(), by, name, role); err != nil {
			return err
		}
		c.notice(r, "notice.role", name, role.String())
	case "remove":
		if err := c.Accounts.Remove(r.Context(), by, name); err != nil {
			return err
		}
		c.notice(r, "notice.removed", name)
	case "restore":
		if err := c.Accounts.Restore(r.Context(), by, name, c.Now()); err != nil {
			return err
		}
		c.notice(r, "notice.restored", name)
	default:
		return errNoPage
	}
	http.Redirect(w, r, "/accounts", http.StatusSeeOther)
	return nil
}
