package gateway

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rempart/message"
)

// Metrics counts what passes the front doors, one set for all, by door. A nil *Metrics counts nothing.
type Metrics struct {
	messages *prometheus.CounterVec
	errors   *prometheus.CounterVec
	conns    *prometheus.GaugeVec
	seconds  *prometheus.HistogramVec
}

// NewMetrics registers the front doors' metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rempart_gateway_messages_total",
			Help: "Messages answered, by front door and the action carried out."}, []string{"door", "action"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rempart_gateway_errors_total",
			Help: "Faults at a front door, by kind: budget, panic, no_decision, too_many_connections, protocol, next_hop, relay, unsure, unanswered."}, []string{"door", "kind"}),
		conns: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "rempart_gateway_connections",
			Help: "Open connections of clients."}, []string{"door"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "rempart_gateway_judge_seconds",
			Help:    "Time a front door waited for the judgement.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}}, []string{"door"}),
	}
	reg.MustRegister(m.messages, m.errors, m.conns, m.seconds)
	return m
}

// Message counts one message by the action carried out.
func (m *Metrics) Message(door string, a message.Action) {
	if m != nil {
		m.messages.WithLabelValues(door, a.String()).Inc()
	}
}

// Error counts a fault.
func (m *Metrics) Error(door, kind string) {
	if m != nil {
		m.errors.WithLabelValues(door, kind).Inc()
	}
}

func (m *Metrics) connections(door string, by float64) {
	if m != nil {
		m.conns.WithLabelValues(door).Add(by)
	}
}

func (m *Metrics) judged(door string, took time.Duration, err error) {
	if m == nil {
		return
	}
	m.seconds.WithLabelValues(door).Observe(took.Seconds())
	switch {
	case errors.Is(err, ErrBudget):
		m.Error(door, "budget")
	case errors.Is(err, ErrNoDecision):
		m.Error(door, "no_decision")
	}
}
