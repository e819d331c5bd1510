package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"rempart/campaign"
	"rempart/console"
	"rempart/console/openid"
	"rempart/gateway"
	"rempart/geo"
	"rempart/index"
	"rempart/message"
	"rempart/report"
)

// openConsole makes the console and opens its sockets; without an address there is none.
func (n *Node) openConsole(ctx context.Context) (door, error) {
	var provider *openid.Provider
	if n.config.Console.OIDC.On() {
		provider = openid.New(n.config.Console.OIDC, n.now)
	}
	c, err := console.New(console.Sources{
		Accounts: n.accounts, Tallies: n.tallies, Events: n.index,
		Quarantine: n.quarantine, Release: n.Release, Discard: n.DeleteQuarantined, AskSignIn: n.AskSignIn, Mailboxes: n.mailboxesOf, Abuse: n.abuse, AnswerCase: n.AnswerCase,
		NoteCase: n.NoteCase, ReportsOn: n.reportsOn, AnswersSent: n.answersSent, Campaigns: n.watch, Callers: n.filter.Callers,
		Places: n.places, Land: n.Land, Study: n.Study, Tour: n.Tour, Teach: n.teachByConsole, Health: n.Health, Books: n.Books,
		Lessons: n.TaughtLessons, Lesson: n.TaughtLesson,
		TakeBack: n.TakeBack, Rules: n.Rules, RuleCounts: n.RuleCounts, Map: n.mapMailboxes,
		Shadow: n.Shadow, SetShadow: n.SetShadow, Metrics: promhttp.HandlerFor(n.registry, promhttp.HandlerOpts{}),
		Provider: provider, URL: n.config.Console.URL, Node: n.config.Name, Version: n.config.Version, Now: n.now,
	}, n.log)
	if err != nil {
		return door{}, fmt.Errorf("console: %w", err)
	}
	n.console.Store(c)
	listeners, err := gateway.ListenAll(ctx, n.config.Console.Listen)
	if err != nil {
		return door{}, fmt.Errorf("console: %w", err)
	}
	if len(listeners) > 0 {
		n.consoleAddr.Store(listeners[0].Addr().String())
	}
	return door{name: "console", listeners: listeners, run: func(ctx context.Context, listeners []net.Listener) error {
		all, ctx := errgroup.WithContext(ctx)
		for _, l := range listeners {
			all.Go(func() error { return serveHTTP(ctx, c.Server(), l) })
		}
		return all.Wait()
	}}, nil
}

// ConsoleURL is where the console answers while the node serves; empty if there is none.
func (n *Node) ConsoleURL() string {
	addr, _ := n.consoleAddr.Load().(string)
	if addr == "" || strings.HasPrefix(addr, "/") {
		return ""
	}
	if ap, err := netip.ParseAddrPort(addr); err == nil && ap.Addr().IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", ap.Port())
	}
	return "http://" + addr
}

// FirstLink is the address by which the first administrator logs in, once; empty when there is an administrator already
// or no console.
func (n *Node) FirstLink(ctx context.Context) (string, error) {
	url := n.ConsoleURL()
	if url == "" {
		return "", nil
	}
	secret, ok, err := n.accounts.FirstLink(ctx, n.now())
	if err != nil || !ok {
		return "", err
	}
	return url + console.LinkPath(secret), nil
}

// teachByConsole is Teach in the console's words.
func (n *Node) teachByConsole(ctx context.Context, id string, label message.Label, teacher string) (before, after float64, err error) {
	before, after, err = n.Teach(ctx, id, label, teacher)
	if errors.Is(err, index.ErrNotFound) {
		if _, gone := n.index.Get(ctx, id); gone == nil {
			err = console.ErrNothingKept
		}
	}
	return before, after, err
}

// SetBooks names who counts what is sent to the front doors, for the overview: a simulated world does.
func (n *Node) SetBooks(books func() console.Books) { n.books.Store(&books) }

// Books are the counts of who sends, if somebody does.
func (n *Node) Books() console.Books {
	if books := n.books.Load(); books != nil {
		return (*books)()
	}
	return nil
}

// places are those in force.
func (n *Node) places() *geo.Places { return n.live.Load().places }

// SetLand says what maps show: of a simulated world, its own.
func (n *Node) SetLand(l report.Land) { n.land.Store(&l) }

// Land is what maps show.
func (n *Node) Land() report.Land {
	if l := n.land.Load(); l != nil {
		return *l
	}
	return report.Land{}
}

// SetTour says what a newcomer is to look at, shown on the first page.
func (n *Node) SetTour(tour func() []console.Stop) { n.tour.Store(&tour) }

// Tour is the walk for newcomers, if there is one.
func (n *Node) Tour() []console.Stop {
	if tour := n.tour.Load(); tour != nil {
		return (*tour)()
	}
	return nil
}

// Campaigns are those of at least least messages that were seen since a time, those with most spam first.
func (n *Node) Campaigns(since time.Time, least uint64, limit int) []campaign.Campaign {
	return n.watch.List(since, least, limit)
}

// Find searches the events that the node keeps.
func (n *Node) Find(ctx context.Context, q index.Query) (index.Page, error) {
	return n.index.Search(ctx, q)
}
