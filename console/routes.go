package console

import (
	"errors"
	"net/http"

	"rempart/account"
	"rempart/quarantine"
)

// open needs no login; mine needs that somebody signed in to a mailbox, and no role has it.
const (
	open account.Right = ""
	mine account.Right = "mine"
)

// route is one thing that the console answers.
type route struct {
	method, path string
	right        account.Right
	table        bool // also answers path.csv and path.json
	serve        func(w http.ResponseWriter, r *http.Request) error
}

func (c *Console) routes() []route {
	return []route{
		{"GET", "/static/{name}", open, false, c.static},
		{"GET", "/metrics", open, false, c.metrics},
		{"GET", "/login", open, false, c.loginPage},
		{"POST", "/login", open, false, c.login},
		{"GET", staffOIDCPath, open, false, c.staffOIDC},
		{"GET", staffOIDCPath + callback, open, false, c.staffOIDCBack},
		{"GET", "/link/{secret}", open, false, c.linkPage},
		{"POST", "/link/{secret}", open, false, c.link},
		{"POST", "/logout", open, false, c.logout},
		{"GET", "/password", account.SeeFigures, false, c.passwordPage},
		{"POST", "/password", account.SeeFigures, false, c.setPassword},

		{"GET", "/{$}", account.SeeFigures, false, c.overview},
		{"GET", "/volumes", account.SeeFigures, true, c.volumes},
		{"GET", "/messages", account.SeeMessages, true, c.messages},
		{"GET", "/messages/{id}", account.SeeMessages, false, c.message}, // the id may end in .csv or .json
		{"POST", "/messages/{id}/teach", account.Teach, false, c.teach},
		{"GET", "/quarantine", account.SeeMessages, true, c.quarantine},
		{"GET", "/quarantine/{id}", account.SeeSubjects, false, c.quarantined},
		{"GET", quarantine.LinkPath + "{link}", open, false, c.copyPage},
		{"POST", quarantine.LinkPath + "{link}", open, false, c.releaseCopy},
		{"GET", quarantine.MinePath, mine, false, c.mine},
		{"GET", quarantine.MinePath + "/in", open, false, c.mineInPage},
		{"POST", quarantine.MinePath + "/in", open, false, c.askMineIn},
		{"GET", quarantine.SignInPath + "{link}", open, false, c.mineLinkPage},
		{"POST", quarantine.SignInPath + "{link}", open, false, c.mineLink},
		{"GET", mineOIDCPath, open, false, c.mineOIDC},
		{"GET", mineOIDCPath + callback, open, false, c.mineOIDCBack},
		{"POST", quarantine.MinePath + "/out", open, false, c.mineOut},
		{"GET", quarantine.MinePath + "/{id}", mine, false, c.mineCopy},
		{"POST", quarantine.MinePath + "/{id}/{change}", mine, false, c.changeMine},
		{"POST", "/quarantine/{id}/{change}", account.Teach, false, c.changeQuarantined},
		{"GET", "/cases", account.SeeMessages, true, c.cases},
		{"GET", "/cases/{id}", account.SeeMessages, false, c.oneCase}, // the id may end in .csv or .json
		{"POST", "/cases/{id}/{change}", account.Teach, false, c.changeCase},
		{"GET", "/disagreements", account.SeeMessages, false, c.disagreements},
		{"GET", "/disagreements/figures", account.SeeMessages, true, c.comparison},
		{"GET", "/disagreements/{kind}", account.SeeMessages, false, c.agreement}, // the kind may end in .csv or .json
		{"GET", "/rules", account.SeeMessages, false, c.rules},
		{"GET", "/rules/try", account.SeeMessages, true, c.try},
		{"GET", "/rules/{part}", account.SeeMessages, false, c.ruleTable}, // the part may end in .csv or .json
		{"GET", "/learning", account.SeeMessages, false, c.learning},
		{"GET", "/learning/{part}", account.SeeMessages, false, c.learningTable}, // the part may end in .csv or .json
		{"GET", "/lessons/{id}", account.SeeMessages, false, c.lesson},
		{"POST", "/lessons/{id}/take-back", account.Teach, false, c.takeBack},
		{"GET", "/domains", account.SeeFigures, true, c.domains},
		{"GET", "/domains/{name}", account.SeeFigures, false, c.domain},
		{"GET", "/domains/{name}/{part}", account.SeeFigures, false, c.domainPart}, // the part may end in .csv or .json
		{"GET", "/campaigns", account.SeeFigures, true, c.campaigns},
		{"GET", "/campaigns/{id}", account.SeeFigures, false, c.campaign},
		{"GET", "/campaigns/{id}/{part}", account.SeeFigures, false, c.campaignPart}, // the part may end in .csv or .json
		{"GET", "/calls", account.SeeFigures, false, c.calls},
		{"GET", "/calls/callers", account.SeeMessages, true, c.callers},
		{"GET", "/sources", account.SeeFigures, false, c.sources},
		{"GET", "/sources/countries", account.SeeFigures, true, c.sourceTable},
		{"GET", "/sources/networks", account.SeeFigures, true, c.sourceTable},
		{"GET", "/sources/senders", account.SeeFigures, true, c.sourceTable},
		{"GET", "/routes", account.SeeFigures, true, c.edges},
		{"GET", "/report", account.SeeFigures, false, c.report},
		{"GET", "/report/study", account.SeeFigures, false, c.study},
		{"GET", "/report/study.json", account.SeeFigures, false, c.study},
		{"GET", "/health", account.SeeFigures, true, c.health},
		{"POST", "/shadow", account.Switch, false, c.setShadow},
		{"GET", "/audit", account.ReadAudit, true, c.audit},
		{"GET", "/accounts", account.Manage, true, c.accounts},
		{"POST", "/accounts", account.Manage, false, c.invite},
		{"POST", "/accounts/{name}/{change}", account.Manage, false, c.changeAccount},
	}
}

// menu is the pages that the menu names, in order; each is shown to those who may see it.
var menu = []struct {
	Name, Path string
	Right      account.Right
}{
	{"overview", "/", account.SeeFigures},
	{"messages", "/messages", account.SeeMessages},
	{"quarantine", "/quarantine", account.SeeMessages},
	{"cases", "/cases", account.SeeMessages},
	{"disagreements", "/disagreements", account.SeeMessages},
	{"rules", "/rules", account.SeeMessages},
	{"learning", "/learning", account.SeeMessages},
	{"domains", "/domains", account.SeeFigures},
	{"campaigns", "/campaigns", account.SeeFigures},
	{"calls", "/calls", account.SeeFigures},
	{"sources", "/sources", account.SeeFigures},
	{"routes", "/routes", account.SeeFigures},
	{"report", "/report", account.SeeFigures},
	{"health", "/health", account.SeeFigures},
	{"audit", "/audit", account.ReadAudit},
	{"accounts", "/accounts", account.Manage},
}

// maxBody is more than any form of ours has.
const maxBody = 64 << 10

// Handler answers all requests.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range c.routes() {
		h := c.guard(r)
		mux.Handle(r.method+" "+r.path, h)
		if r.table {
			mux.Handle(r.method+" "+r.path+".csv", h)
			mux.Handle(r.method+" "+r.path+".json", h)
		}
	}
	mux.Handle("/", c.guard(route{right: open, serve: func(w http.ResponseWriter, r *http.Request) error { return errNoPage }}))
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(c.guard(route{right: open, serve: func(w http.ResponseWriter, r *http.Request) error { return errOrigin }}))
	return c.safe(c.withSession(origin.Handler(mux)))
}

// guard lets those through who may, and turns an error into a page.
func (c *Console) guard(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		who, in := c.user(r)
		_, owns := c.owner(r)
		switch {
		case rt.right == open || rt.right == mine && owns:
		case rt.right == mine:
			http.Redirect(w, r, quarantine.MinePath+"/in", http.StatusSeeOther)
			return
		case !in:
			c.askLogin(w, r)
			return
		case !who.Role.May(rt.right):
			c.fail(w, r, errForbidden)
			return
		}
		if err := rt.serve(w, r); err != nil {
			c.fail(w, r, err)
		}
	})
}

// What handlers return beside the errors of the packages they ask; fault (error.go) has the page of each.
var (
	errNoPage     = errors.New("console: no such page")
	errNoCampaign = errors.New("console: no such campaign")
	errForbidden  = errors.New("console: the role may not")
	errOrigin     = errors.New("console: request from another origin")
	errForm       = errors.New("console: form not understood")
	errNoOperator = errors.New("console: nobody made an account of this name")
	errThrottled  = errors.New("console: too many attempts")
)

// ErrNothingKept: the node kept nothing of the message that could be learned from.
var ErrNothingKept = errors.New("console: nothing was kept of this message to learn from")

// ErrNotStanding: the lesson was taken back or corrected already, or is so old that it cannot be taken back.
var ErrNotStanding = errors.New("console: the lesson does not stand any more")
