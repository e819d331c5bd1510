package send

import (
	"context"
	"log/slog"
	"net"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"rempart/filter"
	"rempart/gateway"
	"rempart/gateway/milter"
	"rempart/gateway/sip"
	"rempart/gateway/smpp"
	"rempart/message"
	"rempart/policy"
	"rempart/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const tagSender = "Likely-SCAM"

// rig is both front doors over the real filter and policy, and the message centre.
type rig struct {
	milter, smpp, sip string
	rules             *policy.Rules

	mu     sync.Mutex
	judged map[message.Channel]uint64
	acted  map[message.Action]uint64
	bodies map[string]bool // of mails, as the front door has them
	calls  map[string]*message.Message
}

func newRig(t *testing.T, thresholds policy.Thresholds) *rig {
	t.Helper()
	r := &rig{judged: map[message.Channel]uint64{}, acted: map[message.Action]uint64{}, bodies: map[string]bool{}, calls: map[string]*message.Message{}}
	var err error
	if r.rules, err = policy.New(policy.Config{Thresholds: thresholds}); err != nil {
		t.Fatal(err)
	}
	f := filter.New(filter.Options{})
	judge := func(ctx context.Context, m *message.Message) gateway.Answer {
		j := f.Judge(ctx, m, m.Recipients)
		d := policy.Decide(j, m, r.rules)
		r.mu.Lock()
		r.judged[m.Channel]++
		r.acted[d[0].Action]++
		r.bodies[string(m.Raw)] = true
		if m.Channel == message.Call || m.Channel == message.IM {
			r.calls[m.MessageID] = m
		}
		r.mu.Unlock()
		return gateway.Answer{Judgement: j, Decisions: d}
	}
	host := &gateway.Host{Judge: judge, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Metrics: gateway.NewMetrics(prometheus.NewRegistry())}
	centre := &Centre{TagSender: tagSender}
	cl, ml, sl := listen(t), listen(t), listen(t)
	m, err := milter.New(milter.Config{MailDoor: gateway.MailDoor{Door: gateway.Door{Name: "mx", Listen: []string{ml.Addr().String()}}}}, host)
	if err != nil {
		t.Fatal(err)
	}
	s, err := smpp.New(smpp.Config{Door: gateway.Door{Name: "texts", Listen: []string{sl.Addr().String()}}, NextHops: []string{cl.Addr().String()}, TagSender: tagSender}, host)
	if err != nil {
		t.Fatal(err)
	}
	calls, err := sip.New(sip.Config{Door: gateway.Door{Name: "calls", Listen: []string{"127.0.0.1:0"}}, OnAccept: "continue", Relays: []string{"127.0.0.1"}}, host)
	if err != nil {
		t.Fatal(err)
	}
	streams, packets, err := gateway.ListenBoth(t.Context(), []string{"127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	r.milter, r.smpp, r.sip = ml.Addr().String(), sl.Addr().String(), packets[0].LocalAddr().String()
	run(t, func(ctx context.Context) error { return calls.Run(ctx, streams, packets) })
	run(t, func(ctx context.Context) error { return centre.Run(ctx, cl) })
	run(t, func(ctx context.Context) error { return m.Run(ctx, []net.Listener{ml}) })
	run(t, func(ctx context.Context) error { return s.Run(ctx, []net.Listener{sl}) })
	return r
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// run runs f until the test ends.
func run(t *testing.T, f func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func stream(t *testing.T) *world.World {
	t.Helper()
	w, err := world.New(world.Config{Seed: 1, Start: time.Now(), Rate: 20})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (r *rig) config(t *testing.T, w *world.World) Config {
	return Config{Milter: r.milter, SMPP: r.smpp, SIP: r.sip, Systems: w.Systems(), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

func at(f float64) *float64 { return &f }

// check compares the player's books with what the judge counted.
func (r *rig) check(t *testing.T, p *Player) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for channel, b := range p.Books() {
		var answers uint64
		for _, n := range b.Answers {
			answers += n
		}
		if b.Sent == 0 || b.Sent != answers || b.Sent != r.judged[channel]+b.Drops() || b.Judged() != r.judged[channel] || b.Drops() != 0 {
			t.Errorf("%s: %+v, judged %d", channel, b, r.judged[channel])
		}
		if b.Latest.Spam+b.Latest.Ham != min(b.Judged(), stretch) || b.First.Spam+b.First.Ham != min(b.Judged(), stretch) {
			t.Errorf("%s: first %+v, latest %+v of %d", channel, b.First, b.Latest, b.Judged())
		}
	}
}

// What is sent is judged, once each, whole, and every action comes back as its answer.
func TestBooksBalance(t *testing.T) {
	r := newRig(t, policy.Thresholds{Tag: at(0.2), Hold: at(0.5), Reject: at(0.8)})
	w := stream(t)
	cfg := r.config(t, w)
	cfg.Limit = 1500
	var mu sync.Mutex
	raws := map[string]bool{}
	made := map[string]*message.Message{}
	cfg.Answered = func(res Result) {
		if m := res.Sent.Messages()[res.Part]; m.Channel == message.Call || m.Channel == message.IM {
			mu.Lock()
			made[m.MessageID] = m
			mu.Unlock()
		}
		if res.Sent.Mail != nil {
			mu.Lock()
			raws[string(res.Sent.Mail.Raw)] = true
			mu.Unlock()
		}
	}
	p := New(cfg, w.Next)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.check(t, p)
	for raw := range raws {
		if !r.bodies[raw] {
			t.Fatalf("the front door put no such mail together:\n%s", raw)
		}
	}
	for id, want := range made { // what would be taught is what was judged
		got := r.calls[id]
		if got == nil || got.Source.ID != want.Source.ID || got.Source.Address != want.Source.Address || got.Text != want.Text || got.From != want.From ||
			!reflect.DeepEqual(got.Call, want.Call) || !reflect.DeepEqual(got.Links, want.Links) || len(got.Route) != len(want.Route) || len(got.Anomalies) > 0 {
			t.Fatalf("judged %+v, made %+v", got, want)
		}
	}
	books := p.Books()
	mail, text := books[message.Email], books[message.SMS]
	answers := map[Answer]uint64{}
	for _, b := range books {
		for a, n := range b.Answers {
			answers[a] += n
		}
	}
	if mail.Answers[Tagged] == 0 || mail.Answers[Held] == 0 || text.Answers[Tagged] == 0 || books[message.IM].Answers[Tagged] == 0 ||
		answers[Tagged]+answers[Held] != r.acted[message.Tag]+r.acted[message.Hold] || answers[Rejected] != r.acted[message.Reject] {
		t.Errorf("%v of %+v, decided %v", answers, books, r.acted)
	}
	if got, want := p.Receipts(), text.Answers[Accepted]+text.Answers[Tagged]; got != want {
		t.Errorf("%d receipts for %d texts", got, want)
	}
}

// A paused player is drained with balanced books, and goes on.
func TestPause(t *testing.T) {
	r := newRig(t, policy.Thresholds{})
	w := stream(t)
	p := New(r.config(t, w), w.Next)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	var before uint64
	for range 5 {
		waitSent(t, p, before+100)
		p.Pause()
		if !p.Drained(t.Context()) {
			t.Fatal("not drained")
		}
		r.check(t, p)
		if before = p.Books()[message.Email].Sent; !p.Drained(t.Context()) || before != p.Books()[message.Email].Sent {
			t.Error("it went on while it was paused")
		}
		p.Resume()
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !p.Drained(t.Context()) {
		t.Error("ended, and not drained")
	}
	r.check(t, p)
}

func waitSent(t *testing.T, p *Player, n uint64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); p.Books()[message.Email].Sent < n; time.Sleep(time.Millisecond) { // polling, bounded
		if time.Now().After(deadline) {
			t.Fatalf("%d mails were not sent", n)
		}
	}
}

// With a speed, messages go at their time.
func TestSpeed(t *testing.T) {
	r := newRig(t, policy.Thresholds{})
	w := stream(t)
	cfg := r.config(t, w)
	cfg.Speed, cfg.Limit = 10, 100 // 5 seconds of virtual time
	p := New(cfg, w.Next)
	start := time.Now()
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 300*time.Millisecond || took > 10*time.Second {
		t.Errorf("5 s at ten times the speed took %v", took)
	}
}

// Without front doors every message is an error of the books, and nothing hangs.
func TestNobodyThere(t *testing.T) {
	gone := listen(t)
	gone.Close()
	w := stream(t)
	p := New(Config{Milter: gone.Addr().String(), SMPP: gone.Addr().String(), SIP: gone.Addr().String(), Systems: w.Systems(), Limit: 50, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, w.Next)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for channel, b := range p.Books() {
		if b.Sent == 0 || b.Drops() != b.Sent || b.Judged() != 0 {
			t.Errorf("%s: %+v", channel, b)
		}
	}
}

// A message centre that goes away in the middle costs answers, not the program: each text has one, and what is sent is
// accounted for.
func TestCentreLost(t *testing.T) {
	l := listen(t)
	w := stream(t)
	ctx, stop := context.WithCancel(t.Context())
	centre := &Centre{}
	done := make(chan error, 1)
	go func() { done <- centre.Run(ctx, l) }()
	taken := 0
	next := func() world.Sent {
		if taken++; taken == 200 {
			for centre.Taken() < 10 {
				time.Sleep(time.Millisecond) // polling; most of the 200 are on their way
			}
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		for {
			if s := w.Next(); s.Text != nil {
				return s
			}
		}
	}
	p := New(Config{Milter: l.Addr().String(), SMPP: l.Addr().String(), Systems: w.Systems(), Limit: 300, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, next)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := p.Books()[message.SMS]
	if b.Sent != b.Answers[Accepted]+b.Answers[Error] || b.Answers[Accepted] == 0 || b.Answers[Error] < 100 {
		t.Errorf("%+v", b)
	}
}
