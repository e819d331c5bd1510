// Package console is what people see of a node: server-rendered pages with one style sheet, which work without a script.
//
// [New] gets what the pages show from the node, as concrete things and functions; [Console.Handler] answers. The node
// listens, best through [Console.Server], which sets the timeouts. Pages are html/template files of page/, each with a
// struct of its own; every visible text comes from package catalogue. Every table is also CSV and JSON under its own URL
// with .csv or .json added. The table of routes (routes.go) says which right of package account each needs.
//
// Safety: sessions are held by the server, a strict content security policy allows neither inline script nor style,
// requests from other origins are refused, bodies are capped, and every change is in the audit trail.
package console

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"rempart/abuse"
	"rempart/account"
	"rempart/campaign"
	"rempart/catalogue"
	"rempart/console/openid"
	"rempart/filter/behaviour"
	"rempart/geo"
	"rempart/index"
	"rempart/measure"
	"rempart/message"
	"rempart/policy"
	"rempart/quarantine"
	"rempart/report"
)

// Sources is what the pages show and change. Accounts, Tallies, Events, Quarantine with
// Release, Discard, AskSignIn and Mailboxes, Abuse with AnswerCase and NoteCase, Campaigns, Callers, Lessons with Lesson and TakeBack,
// Rules with Map and RuleCounts, and Places must be there; another missing function leaves out what it would show.
type Sources struct {
	Accounts *account.Book
	Tallies  *measure.Tallies
	Events   *index.Index
	// Quarantine is what the node keeps of mail. Release delivers a copy and teaches that it is honest; Discard deletes one.
	Quarantine *quarantine.Store
	Release    func(ctx context.Context, id, recipient string, by account.Actor, postmaster bool) error
	Discard    func(ctx context.Context, id, recipient string, by account.Actor) error
	// AskSignIn has a link to sign in sent to an address, if it is one that may; it must not wait. Mailboxes are whose copies the owner
	// of an address may see; none: it has no mailbox here.
	AskSignIn func(address string)
	Mailboxes func(ctx context.Context, address string) []string
	// Abuse is the cases and reports. AnswerCase answers the latest complaint of a case, NoteCase adds a note to it or closes it;
	// ReportsOn reports whether reports are read, AnswersSent whether answers are sent rather than noted.
	Abuse       *abuse.Book
	AnswerCase  func(ctx context.Context, id, text string, by account.Actor) error
	NoteCase    func(ctx context.Context, id string, what abuse.What, text string, by account.Actor) error
	ReportsOn   func() bool
	AnswersSent func() bool
	// Campaigns are those that the node sees.
	Campaigns *campaign.Watch
	// Callers are those who began most calls within the hour before at, at most n.
	Callers func(at time.Time, n int) []behaviour.BusyCaller
	// Places names networks and reads numbers.
	Places func() *geo.Places
	// Land is what maps show; nil is the real world.
	Land func() report.Land
	// Study makes the figures of a report, of the hours that begin in [from, to).
	Study func(ctx context.Context, from, to time.Time) (report.Study, error)
	// Teach says that a judged message is spam or ham and returns its probability before and after. It gives
	// [ErrNothingKept] where there is nothing to learn from, and index.ErrNotFound.
	Teach func(ctx context.Context, eventID string, label message.Label, teacher string) (before, after float64, err error)
	// Lessons are those taught since a time, newest first, limit at most; Lesson is one, and whether it stands; TakeBack takes it back
	// or gives [ErrNotStanding].
	Lessons  func(ctx context.Context, from time.Time, limit int) ([]message.Lesson, error)
	Lesson   func(ctx context.Context, id string) (l message.Lesson, stands bool, err error)
	TakeBack func(ctx context.Context, id, teacher string) error
	// Rules is the policy in force, Map fills in whose mailboxes a message's recipients are, RuleCounts is how often an operator's rule
	// fitted a recipient's message since the start and how often it was left out.
	Rules      func() *policy.Rules
	Map        func(ctx context.Context, m *message.Message)
	RuleCounts func(name string) (fitted, skipped uint64)
	// Health is asked at every look at it; it should take milliseconds.
	Health func(ctx context.Context) Health
	// Books are the counts that must add up: see [Books].
	Books func() Books
	// Tour is a walk through the pages for newcomers, shown on the first page; nil or empty: none.
	Tour func() []Stop
	// Shadow reports whether one switch has put everything to shadow; SetShadow turns it.
	Shadow    func() bool
	SetShadow func(ctx context.Context, on bool, who string) error
	// Provider is the OpenID provider where people may sign in, nil if there is none, and URL the address of the console as operators
	// reach it, to which it leads back.
	Provider *openid.Provider
	URL      string
	Metrics  http.Handler
	Node     string           // its name, shown at the foot of each page
	Version  string           // of the program
	Now      func() time.Time // default: time.Now
}

// Stop is one of the tour.
type Stop struct {
	Key string // "tour.KEY" is what is to be seen there
	URL string // path on this console; empty while there is nothing to be seen yet
}

// Books are what a source of traffic sent on each channel, what was judged of it and what was dropped before, all counted
// since the start. They are empty where nobody counts what is sent.
type Books []ChannelBook

// ChannelBook is the line of one channel.
type ChannelBook struct {
	Channel               message.Channel
	Sent, Judged, Dropped uint64
}

// Even reports whether sent is judged plus dropped, as it is once all is drained.
func (b ChannelBook) Even() bool { return b.Sent == b.Judged+b.Dropped }

// Console answers the pages.
type Console struct {
	Sources
	log      *slog.Logger
	words    *catalogue.Catalogue
	pages    pages
	staff    managers // sessions of accounts
	owners   managers // sessions of who signed in to a mailbox
	throttle *throttle
	// mineThrottle is the owners' own, oidcThrottle that of the OpenID provider: what the world asks there keeps nobody from logging in.
	mineThrottle *throttle
	oidcThrottle *throttle
	totals       totals
}

// New makes a console; it starts nothing.
func New(s Sources, log *slog.Logger) (*Console, error) {
	if s.Now == nil {
		s.Now = time.Now
	}
	c := &Console{Sources: s, log: log, words: catalogue.English(), throttle: newThrottle(), mineThrottle: newThrottle(), oidcThrottle: newThrottle(),
		staff: newManagers("rempart", sessionLife, sessionIdle), owners: newManagers("rempart-mine", mineLife, mineIdle)}
	var err error
	c.pages, err = loadPages(c.words)
	return c, err
}

// LinkPath is the path of the page on which a one-time link is used.
func LinkPath(secret string) string { return "/link/" + secret }

// Server is an HTTP server for the handler, with the timeouts that keep slow clients from holding connections.
func (c *Console) Server() *http.Server {
	return &http.Server{
		Handler: c.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(c.log.Handler(), slog.LevelDebug),
	}
}
