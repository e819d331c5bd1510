package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"rempart/abuse/aggregate"
	"rempart/corpus"
	"rempart/gateway"
	"rempart/index"
	"rempart/message"
	"rempart/message/email"
	"rempart/message/sms"
	"rempart/report"
)

// The control socket is how commands of the same user speak to the running node: HTTP on a UNIX socket, in a directory of
// its own that nobody else can enter, whatever the mode of the data directory is. It is no interface for other programs:
// they have the API.
const (
	controlDir    = "control"
	controlSocket = controlDir + "/socket"
)

// LearnRequest is what `rempart learn` teaches.
type LearnRequest struct {
	Label    message.Label    `json:"label"`
	Category message.Category `json:"category,omitempty"`
	Scope    message.Scope    `json:"scope"`
	Channel  message.Channel  `json:"channel"`
	Raw      []byte           `json:"raw,omitempty"`  // of a mail
	Text     json.RawMessage  `json:"text,omitempty"` // of a text: sms.JSON
}

// LearnReply is the message's score (log-odds) and probability before and after.
type LearnReply struct {
	Before            float64 `json:"before"`
	After             float64 `json:"after"`
	BeforeProbability float64 `json:"before_probability"`
	AfterProbability  float64 `json:"after_probability"`
}

// NewLearnRequest makes the request for a message that corpus read.
func NewLearnRequest(m *message.Message, label message.Label, scope message.Scope) (LearnRequest, error) {
	r := LearnRequest{Label: label, Scope: scope, Channel: m.Channel, Raw: m.Raw}
	if m.Channel == message.SMS {
		text := sms.JSON{From: m.MailFrom, Text: m.Text}
		if len(m.Recipients) > 0 {
			text.To = m.Recipients[0].Address
		}
		var err error
		if r.Text, err = json.Marshal(text); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r LearnRequest) message() (*message.Message, error) {
	var m *message.Message
	switch r.Channel {
	case message.Email:
		m = corpus.Delivered(email.ParseBytes(gateway.Unmarked(r.Raw)))
	case message.SMS:
		var err error
		if m, err = sms.ParseJSON(r.Text); err != nil {
			return nil, err
		}
		m.Direction = message.In
	default:
		return nil, fmt.Errorf("channel %s cannot be taught", r.Channel)
	}
	return m, nil
}

// StoredMail is a mail of a mail store and what its place there says of it.
type StoredMail struct {
	Label message.Label `json:"label"`
	Raw   []byte        `json:"raw"`
}

func (s StoredMail) message() *message.Message {
	m := corpus.Mail(gateway.Unmarked(s.Raw))
	m.Stored = true
	return m
}

// storedRequest is a batch of what `rempart learn --from-maildir` teaches.
type storedRequest struct {
	Mails []StoredMail  `json:"mails"`
	Scope message.Scope `json:"scope"`
}

// teacherLocal is who teaches over the control socket: a user of this machine who may enter the data directory.
const teacherLocal = "local"

// LearnByRequest teaches what a command asks for.
func (n *Node) LearnByRequest(ctx context.Context, r LearnRequest) (LearnReply, error) {
	m, err := r.message()
	if err != nil {
		return LearnReply{}, err
	}
	before, after, err := n.Learn(ctx, m, r.Label, r.Category, r.Scope, teacherLocal)
	return LearnReply{before.Score.Float(), after.Score.Float(), before.Probability, after.Probability}, err
}

// control answers commands until ctx is done.
func (n *Node) control(ctx context.Context, ls []net.Listener) error {
	mux := http.NewServeMux()
	handle(mux, "POST /learn", n.LearnByRequest)
	handle(mux, "POST /learn/stored", func(ctx context.Context, r storedRequest) ([]float64, error) {
		return n.LearnStored(ctx, r.Mails, r.Scope)
	})
	handle(mux, "POST /judge/stored", func(ctx context.Context, r storedRequest) ([]float64, error) {
		return n.JudgeStored(ctx, r.Mails, r.Scope)
	})
	handle(mux, "POST /shadow", func(ctx context.Context, r shadowRequest) (shadowRequest, error) {
		return r, n.SetShadow(ctx, r.On, teacherLocal)
	})
	handle(mux, "POST /events", n.Events)
	handle(mux, "POST /compare", func(ctx context.Context, r compareRequest) (index.Comparison, error) { return n.Compare(ctx, r.From) })
	mux.HandleFunc("POST /backup", n.backupByControl)
	handle(mux, "POST /privacy/show", func(ctx context.Context, r personRequest) (Holding, error) { return n.Holds(ctx, r.Address) })
	handle(mux, "POST /privacy/erase", func(ctx context.Context, r personRequest) (Erased, error) {
		return n.Erase(ctx, r.Address, LocalActor)
	})
	handle(mux, "POST /quarantine/list", n.Quarantined)
	handle(mux, "POST /quarantine/show", func(ctx context.Context, r copyRequest) ([]byte, error) { return n.QuarantinedMail(ctx, r.ID) })
	handle(mux, "POST /quarantine/release", func(ctx context.Context, r copyRequest) (copyRequest, error) {
		return r, n.Release(ctx, r.ID, r.Recipient, LocalActor, true)
	})
	handle(mux, "POST /quarantine/delete", func(ctx context.Context, r copyRequest) (copyRequest, error) {
		return r, n.DeleteQuarantined(ctx, r.ID, r.Recipient, LocalActor)
	})
	handle(mux, "POST /feedback/dmarc", func(ctx context.Context, _ reportRequest) ([]aggregate.Waiting, error) { return n.OutgoingReports(ctx) })
	handle(mux, "POST /feedback/dmarc/show", func(ctx context.Context, r reportRequest) ([]byte, error) {
		return n.OutgoingReport(ctx, r.Domain, r.Day)
	})
	handle(mux, "POST /study", func(ctx context.Context, r studyRequest) (report.Study, error) { return n.Study(ctx, r.From, r.To) })
	return serveHTTP(ctx, &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}, ls[0])
}

type shadowRequest struct {
	On bool `json:"on"`
}

// handle answers JSON with JSON. An error is told in words: who asks is at this machine.
func handle[In, Out any](mux *http.ServeMux, pattern string, do func(context.Context, In) (Out, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		in, err := decode[In](w, r)
		var out Out
		if err == nil {
			out, err = do(r.Context(), in)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // the command is gone
	})
}

func decode[In any](w http.ResponseWriter, r *http.Request) (in In, err error) {
	err = json.NewDecoder(http.MaxBytesReader(w, r.Body, 2*corpus.MaxMessage)).Decode(&in)
	return in, err
}

// serveHTTP serves until ctx is done, then lets requests in hand finish.
func serveHTTP(ctx context.Context, s *http.Server, l net.Listener) error {
	done := make(chan struct{})
	stopped := context.AfterFunc(ctx, func() {
		defer close(done)
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainHTTP)
		defer cancel()
		if s.Shutdown(drain) != nil {
			_ = s.Close() // its time is over
		}
	})
	err := s.Serve(l)
	if !stopped() {
		<-done
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

const drainHTTP = 5 * time.Second
