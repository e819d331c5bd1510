package node

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rempart/abuse/aggregate"
	"rempart/message"
	"rempart/policy"
	"rempart/sign"
)

// metrics are the node's own; the front doors have theirs. Names are documented in docs/operate-monitoring.md.
type metrics struct {
	messages *prometheus.CounterVec
	unsure   *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	lessons  *prometheus.CounterVec
	signed   *prometheus.CounterVec
	matches  *prometheus.CounterVec
	skipped  *prometheus.CounterVec
	reports  *prometheus.CounterVec

	reportsOut *prometheus.CounterVec
	unreported prometheus.Counter
	compared   *prometheus.CounterVec

	ruleCounts sync.Map // by name: *ruleCount, for the console
}

// ruleCount is how often an operator's rule fitted a recipient's message since the start, and how often it was left out.
type ruleCount struct{ fitted, skipped atomic.Uint64 }

func (m *metrics) rule(name string) *ruleCount {
	if c, ok := m.ruleCounts.Load(name); ok {
		return c.(*ruleCount)
	}
	c, _ := m.ruleCounts.LoadOrStore(name, new(ruleCount))
	return c.(*ruleCount)
}

func newMetrics(reg *prometheus.Registry, n *Node) *metrics {
	m := &metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rempart_messages_total",
			Help: "Messages judged, by the action decided for the worst recipient."}, []string{"channel", "direction", "category", "action"}),
		unsure: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rempart_messages_unsure_total",
			Help: "Messages judged that are neither surely spam nor surely honest: their worst verdict's probability is from 0.1 to below 0.9."}, []string{"channel", "direction"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "rempart_judge_seconds",
			Help:    "Time of filter and policy for one message.",
			Buckets: []float64{.00001, .000025, .0001, .00025, .001, .0025, .01, .025, .1, .25, 1, 2.5, 10}}, []string{"channel"}),
		lessons: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rempart_lessons_total",
			Help: "Lessons applied, those replayed at the start included."}, []string{"label"}),
		signed: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rempart_mails_signed_total",
			Help: "Mails signed (dkim) or sealed (arc), and those that were to be and were not, by why."}, []string{"outcome"}),
		matches: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rempart_rule_matches_total",
			Help: "Recipients whose message an operator's rule fitted; in mode shadow nothing was done about it."}, []string{"rule", "action", "mode"}),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rempart_rule_skipped_total",
			Help: "Recipients whose message was decided without an operator's rule, which took too long or failed."}, []string{"rule"}),
		reports: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rempart_reports_total",
			Help: "Reports of other receivers that came in: complaint, dmarc, tls, not_understood."}, []string{"kind"}),
		compared: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rempart_incumbent_mails_total",
			Help: "Mails that went by another filter before they came here, by what either said: both_honest, only_incumbent (took it for spam), only_here, both_spam, or none, where the other left no verdict."},
			[]string{"filter", "agreement"}),
		reportsOut: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rempart_dmarc_reports_total",
			Help: "DMARC reports to the owners of domains, by mailbox: sent, refused, too_large, unverified, given_up."}, []string{"outcome"}),
		unreported: prometheus.NewCounter(prometheus.CounterOpts{Name: "rempart_dmarc_mails_left_out_total",
			Help: "Mails that no DMARC report tells of, since there were too many unlike ones or too many domains, or they were judged too late."}),
	}
	for _, o := range aggregate.Outcomes {
		m.reportsOut.WithLabelValues(string(o))
	}
	for _, kind := range []string{reportComplaint, reportDMARC, reportTLS, reportNotUnderstood} {
		m.reports.WithLabelValues(kind) // shown as 0 until one comes
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "rempart_build_info", Help: "Always 1; the label says which build."}, []string{"version"})
	build.WithLabelValues(n.config.Version).Set(1)
	reg.MustRegister(build, m.messages, m.unsure, m.seconds, m.lessons, m.signed, m.matches, m.skipped, m.reports, m.reportsOut, m.unreported, m.compared,
		&stateCollector{n}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Where a verdict is unsure: probabilities are calibrated, so that to take it for either would be wrong once in ten or more often.
const (
	unsureFrom  = 0.1
	unsureBelow = 0.9
)

// judged counts one message.
func (m *metrics) judged(e *message.Event) {
	o := e.Worst()
	if o == nil {
		return
	}
	v := &e.Verdicts[o.Verdict]
	m.messages.WithLabelValues(e.Channel.String(), e.Direction.String(), v.Category.String(), o.Decision.Action.String()).Inc()
	unsure := m.unsure.WithLabelValues(e.Channel.String(), e.Direction.String()) // shown as 0 until one comes
	if v.Probability >= unsureFrom && v.Probability < unsureBelow {
		unsure.Inc()
	}
	m.seconds.WithLabelValues(e.Channel.String()).Observe(e.Took.Seconds())
	if e.Incumbent.Filter != "" {
		m.compared.WithLabelValues(e.Incumbent.Filter, cmp.Or(e.Agreement().String(), "none")).Inc()
	}
}

// rules counts what the operator's rules said of one message.
func (m *metrics) rules(e *message.Event) {
	for i := range e.Outcomes {
		d := &e.Outcomes[i].Decision
		for _, match := range d.Matches {
			if name, ok := policy.RuleName(match.Rule); ok {
				m.rule(name).fitted.Add(1)
				m.matches.WithLabelValues(name, match.Action.String(), max(match.Mode, d.Mode).String()).Inc()
			}
		}
		for _, rule := range d.Skipped {
			name, _ := policy.RuleName(rule)
			m.rule(name).skipped.Add(1)
			m.skipped.WithLabelValues(name).Inc()
		}
	}
}

// stateCollector asks journal and index when it is scraped.
type stateCollector struct{ n *Node }

var (
	journalUp     = prometheus.NewDesc("rempart_journal_up", "1 while the journal takes records.", nil, nil)
	journalBytes  = prometheus.NewDesc("rempart_journal_bytes", "Size of the journal on disk.", nil, nil)
	journalFree   = prometheus.NewDesc("rempart_journal_free_bytes", "Free space on the journal's disk.", nil, nil)
	eventsDropped = prometheus.NewDesc("rempart_events_dropped_total", "Events that could not be kept: queue or disk full.", nil, nil)
	eventsLeftOut = prometheus.NewDesc("rempart_events_left_out_total", "Events of honest messages that were not kept because there was too much.", nil, nil)
	eventsQueued  = prometheus.NewDesc("rempart_events_queued", "Events waiting to be written.", nil, nil)
	indexBytes    = prometheus.NewDesc("rempart_index_bytes", "Size of the index of events.", nil, nil)
	listsOff      = prometheus.NewDesc("rempart_dns_lists_off", "DNS lists switched off because they refused us or do not answer.", nil, nil)
	clamavUp      = prometheus.NewDesc("rempart_clamav_up", "1 while clamd answers; missing where none is configured.", nil, nil)
	tablesDown    = prometheus.NewDesc("rempart_mailbox_tables_down", "Tables of mailboxes that do not answer.", nil, nil)
	quarantined   = prometheus.NewDesc("rempart_quarantine_waiting", "Copies of mail in quarantine that were not released.", nil, nil)
	suspected     = prometheus.NewDesc("rempart_accounts_suspected", "Accounts whose mail was not let pass within the last day.", nil, nil)
	signKeys      = prometheus.NewDesc("rempart_sign_keys", "Keys that sign mail, by what DNS has of them: published, missing, wrong, unknown.", []string{"state"}, nil)
	shadowOn      = prometheus.NewDesc("rempart_shadow", "1 while everything is in shadow mode.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{journalUp, journalBytes, journalFree, eventsDropped, eventsLeftOut, eventsQueued, indexBytes, listsOff, clamavUp, tablesDown,
		quarantined, suspected, signKeys, shadowOn} {
		ch <- d
	}
}

// scrapeTimeout: a scrape must not hang because the disk does.
const scrapeTimeout = 5 * time.Second

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	h := c.n.journal.Health(ctx)
	gauge(journalUp, boolean(h.State == "running"))
	gauge(journalBytes, float64(h.Bytes))
	gauge(journalFree, float64(h.Free))
	if s, err := c.n.index.Stats(ctx); err == nil {
		ch <- prometheus.MustNewConstMetric(eventsDropped, prometheus.CounterValue, float64(s.Dropped+s.DroppedSpam))
		ch <- prometheus.MustNewConstMetric(eventsLeftOut, prometheus.CounterValue, float64(s.LeftOut))
		gauge(eventsQueued, float64(s.Queued))
		gauge(indexBytes, float64(s.Bytes))
	}
	if checker := c.n.live.Load().checker; checker != nil {
		gauge(listsOff, float64(len(checker.Refusing())+len(checker.Silent())))
	}
	if scanner := c.n.live.Load().scanner; scanner != nil {
		gauge(clamavUp, boolean(!scanner.Down()))
	}
	gauge(tablesDown, float64(len(c.n.live.Load().boxes.Down())))
	if waiting, err := c.n.quarantine.Waiting(ctx); err == nil {
		gauge(quarantined, float64(waiting))
	}
	gauge(suspected, float64(len(c.n.suspects.list(c.n.now()))))
	keys := map[sign.State]int{sign.Published: 0, sign.Missing: 0, sign.Wrong: 0, sign.Unknown: 0}
	for _, k := range c.n.live.Load().signer.Keys(c.n.now()) {
		keys[k.State]++
	}
	for state, count := range keys {
		ch <- prometheus.MustNewConstMetric(signKeys, prometheus.GaugeValue, float64(count), string(state))
	}
	gauge(shadowOn, boolean(c.n.shadow.Load()))
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
