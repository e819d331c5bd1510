package console

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	xmessage "golang.org/x/text/message"

	"rempart/account"
	"rempart/catalogue"
	"rempart/chart"
	"rempart/geo"
	"rempart/message"
	"rempart/policy"
	"rempart/quarantine"
)

//go:embed page/*.html
var pageFiles embed.FS

// pages make each page's template, the layout filled, when it is first asked for: most nodes are looked at rarely, and what
// all pages take to parse, and of memory, nobody needs for judging.
type pages map[string]func() (*template.Template, error)

// shell is what the layout needs beside the page's own struct.
type shell struct {
	Lang      string // BCP 47
	Page      string // its title is "page.NAME.title"
	User      account.Account
	In        bool
	Owner     string // address of who signed in to a mailbox; empty: nobody did
	Home      string // path of the first page for who looks at this one
	Menu      []menuItem
	Shadow    bool
	MaySwitch bool
	NoPass    bool // the account has no password yet
	Notice    string
	Node      string
	Version   string
	Now       time.Time
	Credits   []geo.Attribution // of data that names places
	Data      any
}

type menuItem struct {
	Name, Path string
	Here       bool
}

func loadPages(words *catalogue.Catalogue) (pages, error) {
	base, err := template.New("layout").Funcs(functions(words)).ParseFS(pageFiles, "page/layout.html", "page/part_*.html")
	if err != nil {
		return nil, fmt.Errorf("read pages: %w", err)
	}
	names, err := fs.Glob(pageFiles, "page/*.html")
	if err != nil {
		return nil, err
	}
	p := pages{}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || strings.HasPrefix(name, "part_") {
			continue
		}
		p[name] = sync.OnceValues(func() (*template.Template, error) {
			t, err := base.Clone()
			if err != nil {
				return nil, err
			}
			return t.ParseFS(pageFiles, file)
		})
	}
	return p, nil
}

func (c *Console) render(w http.ResponseWriter, r *http.Request, page string, data any) error {
	return c.renderStatus(w, r, http.StatusOK, page, data)
}

// renderStatus makes the whole page before it sends the first byte, so that an error becomes an error page.
func (c *Console) renderStatus(w http.ResponseWriter, r *http.Request, status int, page string, data any) error {
	parse := c.pages[page]
	if parse == nil {
		return fmt.Errorf("console: no page %q", page)
	}
	t, err := parse()
	if err != nil {
		return fmt.Errorf("page %s: %w", page, err)
	}
	s := shell{Lang: c.words.Tag.String(), Page: page, Node: c.Node, Version: c.Version, Now: c.Now().UTC(), Data: data,
		Credits: append(c.Places().Attributions(), geo.Attribution{Text: chart.Credit, URL: chart.CreditURL})}
	if s.User, s.In = c.user(r); s.In {
		s.Notice = c.takeNotice(r)
		s.MaySwitch = s.User.Role.May(account.Switch) && c.SetShadow != nil
		s.NoPass = !s.User.HasPassword && !c.manager(r).GetBool(r.Context(), sessionOIDC)
		s.Menu = menuFor(s.User.Role, r.URL.Path)
		s.Shadow = c.Shadow != nil && c.Shadow()
	}
	s.Home = "/"
	if isMine(r.URL.Path) || strings.HasPrefix(r.URL.Path, quarantine.LinkPath) {
		s.Home = quarantine.MinePath
	}
	if o, in := c.owner(r); in {
		s.Owner, s.Notice = o.Address, c.takeNotice(r)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", s); err != nil {
		return fmt.Errorf("page %s: %w", page, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err = b.WriteTo(w)
	if err != nil {
		c.log.Debug("page not taken", "error", err)
	}
	return nil
}

func menuFor(role account.Role, at string) []menuItem {
	var out []menuItem
	for _, m := range menu {
		if role.May(m.Right) {
			here := at == m.Path || m.Path != "/" && strings.HasPrefix(at, m.Path+"/")
			out = append(out, menuItem{m.Name, m.Path, here})
		}
	}
	return out
}

// functions are what templates may call. t fails on a missing text, so that a test finds it and nobody sees a key.
func functions(words *catalogue.Catalogue) template.FuncMap {
	say := func(key string, args ...any) (string, error) {
		if !words.Has(key) {
			return "", errors.New("catalogue lacks " + key)
		}
		return words.Say(key, args...), nil
	}
	n := numbers{xmessage.NewPrinter(words.Tag)}
	return template.FuncMap{
		"t":      say,
		"headed": func(list []column) []heading { return headed(words, list) },
		"may":    func(a account.Account, right string) bool { return a.Role.May(account.Right(right)) },
		"known": func(prefix, name string) string {
			if words.Has(prefix + "." + name) {
				return words.Say(prefix + "." + name)
			}
			return name
		},
		"rule":   func(name string) string { return ruleText(words, name) },
		"word":   words.Word,
		"num":    n.count,
		"pct":    n.percent,
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"stamp":  stamp,
		"hour":   func(t time.Time) string { return t.UTC().Format("15:04") },
		"static": staticPath,
		"roles":  func() []string { return roleNames() },
		"seen":   seen,
		"title":  title,
		"score":  func(s message.LogOdds) string { return minus(fmt.Sprintf("%+.2f", s.Float())) },
		"signed": n.signed,
		"points": func(p float64) string { return words.Say("figure.points", minus(fmt.Sprintf("%+.1f", p))) },
		// sentence is one whose key comes from the node: shown as it is if the catalogue lacks it.
		"sentence": func(key string, args []any) string { return words.Say(key, shown(args)...) },
		"plus":     func(a, b float64) float64 { return round(a + b) },
		"barwidth": func(share float64) float64 { return round(100 * min(max(share, 0), 1)) },
	}
}

// ruleText is what decided, in words; a rule of the operator's has a name of its own.
func ruleText(words *catalogue.Catalogue, name string) string {
	if key := "rule." + name; words.Has(key) {
		return words.Say(key)
	}
	name, _ = policy.RuleName(name)
	return words.Say("rule.named", seen(name))
}

// stamp is a time as people read it, its zone named.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func roleNames() []string {
	var out []string
	for _, r := range account.Roles {
		out = append(out, r.Name)
	}
	return out
}

// numbers writes figures by the rules of the language.
type numbers struct{ p *xmessage.Printer }

func (c *Console) numbers() numbers { return numbers{xmessage.NewPrinter(c.words.Tag)} }

func (n numbers) count(v any) string { return n.p.Sprintf("%d", v) }

// signed is a change: "+12 %".
func (n numbers) signed(change float64) string {
	if math.Abs(change) < 0.005 {
		return "±0 %"
	}
	return minus(n.p.Sprintf("%+.0f %%", 100*change))
}

// minus writes the sign of a negative figure as wide as that of a positive one.
func minus(figure string) string { return strings.Replace(figure, "-", "−", 1) }

// title begins a sentence with a capital.
func title(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// percent has no more digits than are worth reading.
func (n numbers) percent(share float64) string { return catalogue.Percent(share) }
