package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"golang.org/x/time/rate"

	"rempart/abuse"
	"rempart/abuse/aggregate"
	"rempart/account"
	"rempart/campaign"
	"rempart/console"
	"rempart/dns"
	"rempart/durable"
	"rempart/filter"
	"rempart/filter/auth"
	"rempart/filter/behaviour"
	"rempart/filter/clamav"
	"rempart/filter/guise"
	"rempart/gateway"
	"rempart/geo"
	"rempart/index"
	"rempart/journal"
	"rempart/keyring"
	"rempart/mailbox"
	"rempart/measure"
	"rempart/policy"
	"rempart/quarantine"
	"rempart/report"
	"rempart/sign"
)

// Node is an open node. Its methods are safe for concurrent use.
type Node struct {
	config   Config
	log      *slog.Logger
	now      func() time.Time
	registry *prometheus.Registry
	metrics  *metrics
	doors    *gateway.Metrics

	keys     *keyring.Ring
	journal  *journal.Journal
	filter   *filter.Filter
	tallies  *measure.Tallies
	watch    *campaign.Watch
	index    *index.Index
	accounts *account.Book
	abuse    *abuse.Book

	quarantine *quarantine.Store
	aggregates *aggregate.Store

	consoleAddr atomic.Value // string, while it serves
	console     atomic.Pointer[console.Console]
	books       atomic.Pointer[func() console.Books]
	land        atomic.Pointer[report.Land]
	tour        atomic.Pointer[func() []console.Stop]

	live         atomic.Pointer[live]                        // what a changed configuration replaces
	settings     uint64                                      // sequence number of the last one applied at the start
	shadow       atomic.Bool                                 // everything, whatever the configuration says
	reconfigure  atomic.Pointer[[]func(GatewayConfig) error] // of the open front doors
	lessons      lessons
	drafts       chan judged
	honestDrafts *rate.Limiter
	spamDrafts   *rate.Limiter
	otherDrafts  *rate.Limiter
	suspects     suspects
	skipped      sync.Map      // rules that were skipped: when the log last told
	newKeys      chan struct{} // there may be keys about which DNS was not asked
	reports      chan reportMail
	signIns      *outbox // with links, whoever asks for them
	stopped      *outbox // to owners of accounts whose mail was stopped; what strangers ask for does not hold them up
	reportLimit  *rate.Limiter
	secret       keyring.Secret
	lost         *lostKeys
	awaiting     atomic.Bool  // lessons wait for a key of another node
	otherSecret  atomic.Bool  // that a node has another secret was told
	locked       atomic.Int64 // lessons that were passed over, since their keys are missing
	backups      sync.Mutex   // held while one is made
	remembering  sync.Mutex   // held while what the filter remembers is taken and written

	listening map[string]net.Addr // set before Serve calls ready
}

// live is what of the configuration can change while the node runs.
type live struct {
	config  Config
	rules   *policy.Rules
	boxes   *mailbox.Tables
	places  *geo.Places
	unused  *behaviour.Unused
	roll    *guise.Roll
	checker *auth.Checker   // nil: DNS is off
	scanner *clamav.Scanner // nil: there is none
	signer  *sign.Signer
	asks    *dns.Resolver // nil: DNS is off
}

// Open opens the state under c.Data and applies every lesson of the journal. c comes from [Load] or is the zero Config.
func Open(ctx context.Context, c Config, log *slog.Logger, now func() time.Time) (*Node, error) {
	c = c.withDefaults()
	if err := c.Check(); err != nil {
		return nil, err
	}
	if err := durable.MakeDir(c.Data); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	if err := noHalfRestore(c.Data); err != nil {
		return nil, err
	}
	n := &Node{config: c, log: log, now: now, registry: prometheus.NewRegistry(), filter: filter.New(filter.Options{}),
		watch: campaign.NewWatch(), drafts: make(chan judged, draftQueue),
		honestDrafts: rate.NewLimiter(sureDrafts, sureBurst), spamDrafts: rate.NewLimiter(sureDrafts, sureBurst),
		otherDrafts: rate.NewLimiter(otherDrafts, otherBurst), reports: make(chan reportMail, reportQueue),
		reportLimit: rate.NewLimiter(reportsPerMinute/60.0, reportsBurst), signIns: newOutbox(log), stopped: newOutbox(log)}
	n.lessons.changed = make(chan struct{})
	n.newKeys = make(chan struct{}, 1)
	n.metrics = newMetrics(n.registry, n)
	n.doors = gateway.NewMetrics(n.registry)
	l, err := n.load(c)
	if err != nil {
		return nil, err
	}
	n.take(l)
	if n.keys, err = keyring.Open(filepath.Join(c.Data, "keys")); err != nil {
		return nil, err
	}
	if n.journal, err = journal.Open(ctx, filepath.Join(c.Data, "journal"), c.Journal, log); err != nil {
		return nil, err
	}
	if n.lost, err = readLostKeys(c.Data); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	if err := n.joinPeers(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	if err := n.openState(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// openState brings the views to where the journal is.
func (n *Node) openState(ctx context.Context) error {
	key, err := n.sketchKey()
	if err != nil {
		return err
	}
	n.tallies = measure.New(n.config.Name, n.now(), tallyKeep, key, func(a netip.Addr) netip.Addr { return n.places().Source(a) })
	if n.index, err = index.Open(ctx, n.config.Data, n.config.Index, n.log); err != nil {
		return err
	}
	if n.quarantine, err = quarantine.Open(ctx, n.config.Data, n.config.Quarantine, n.keys, n.log, n.now); err != nil {
		return err
	}
	if err := n.openReports(ctx); err != nil {
		return err
	}
	if err := n.restoreTallies(ctx); err != nil {
		return err
	}
	if err := n.openSettings(ctx); err != nil {
		return err
	}
	if n.accounts, err = account.Open(ctx, n.journal); err != nil {
		return err
	}
	if n.abuse, err = abuse.Open(ctx, n.journal); err != nil {
		return err
	}
	n.recallMemory()
	return n.replayLessons(ctx)
}

// Close closes the state; call it after Run returned.
func (n *Node) Close() error {
	var errs []error
	if n.index != nil {
		errs = append(errs, n.index.Close())
	}
	if n.quarantine != nil {
		errs = append(errs, n.quarantine.Close())
	}
	if n.aggregates != nil {
		errs = append(errs, n.aggregates.Close())
	}
	if n.journal != nil {
		errs = append(errs, n.journal.Close())
	}
	if l := n.live.Load(); l != nil {
		l.boxes.Close()
		errs = append(errs, l.places.Close())
	}
	return errors.Join(errs...)
}

// load makes what a configuration says of the replaceable parts.
func (n *Node) load(c Config) (*live, error) {
	l := &live{config: c, scanner: clamav.New(c.ClamAV, n.log)}
	var err error
	if l.rules, err = policy.New(c.Policy); err != nil {
		return nil, err
	}
	if l.boxes, err = mailbox.New(c.Mailbox, n.log); err != nil {
		return nil, err
	}
	if l.unused, err = behaviour.NewUnused(c.Calls); err != nil {
		return nil, err
	}
	if l.roll, err = guise.NewRoll(c.Executives); err != nil {
		return nil, err
	}
	if l.signer, err = n.loadKeys(c.Sign); err != nil {
		return nil, err
	}
	if l.places, err = geo.Open(c.Geo); err != nil {
		return nil, err
	}
	if c.DNS.Off {
		return l, nil
	}
	if l.asks, err = dns.New(c.DNS.Config); err != nil {
		return nil, errors.Join(err, l.places.Close())
	}
	if l.checker, err = auth.New(l.asks, c.DNS.List, c.Auth); err != nil {
		return nil, errors.Join(err, l.places.Close())
	}
	l.checker.Reporting = c.Feedback.DMARC.On()
	return l, nil
}

// take puts l in force, from the next message on.
func (n *Node) take(l *live) {
	n.live.Store(l)
	n.lookAgain()
	n.filter.Ask(filter.Asks{Auth: l.checker, Scanner: l.scanner, Places: l.places, Unused: l.unused, Executives: l.roll})
}

// Reload takes over a changed configuration without dropping a connection. What cannot change while the node runs (data,
// journal, listeners) is named in the error and stays; a wrong configuration changes nothing.
func (n *Node) Reload(c Config) error {
	c = c.withDefaults()
	if err := c.Check(); err != nil {
		return err
	}
	if err := n.unchangeable(c); err != nil {
		return err
	}
	l, err := n.load(c)
	if err != nil {
		return err
	}
	if err := n.reconfigureDoors(c.Gateway); err != nil {
		return err
	}
	old := n.live.Load()
	n.take(l)
	n.quarantine.Reconfigure(c.Quarantine)
	n.aggregates.Reconfigure(c.Feedback.DMARC, c.Feedback.NextHop, c.Feedback.Access)
	old.boxes.Close() // a message in hand may still ask
	// The files of the old places stay open: a message in hand may still look there. They are few and small.
	n.log.Info("configuration taken over")
	return nil
}

// sketchFile lies beside the keys of the keyring.
const sketchFile = "sketch"

// sketchKey is the key of this node's sketches, made at the first start; the nodes of a cluster have one, so that theirs merge.
func (n *Node) sketchKey() (key [32]byte, err error) {
	if len(n.config.Journal.Servers) > 0 {
		return n.secret.Key(sketchFile), nil
	}
	path := filepath.Join(n.config.Data, "keys", sketchFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		b = make([]byte, len(key))
		_, _ = rand.Read(b) // it never fails
		err = durable.WriteFile(path, b)
	}
	if err != nil {
		return key, fmt.Errorf("key of sketches: %w", err)
	}
	if len(b) != len(key) {
		return key, fmt.Errorf("key of sketches %s: %d bytes, want %d", path, len(b), len(key))
	}
	return [32]byte(b), nil
}
