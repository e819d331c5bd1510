package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"rempart/catalogue"
	"rempart/gateway"
	"rempart/message"
	"rempart/message/call"
	"rempart/message/email"
	"rempart/message/im"
	"rempart/message/sms"
)

// Envelope is what of a mail does not stand in it.
type Envelope struct {
	ClientAddress string   `json:"client,omitempty" query:"client" doc:"address of who handed it over"`
	Helo          string   `json:"helo,omitempty" query:"helo"`
	MailFrom      string   `json:"mail_from,omitempty" query:"mail_from" doc:"envelope sender"`
	RcptTo        []string `json:"rcpt_to,omitempty" query:"rcpt_to,explode" doc:"recipients"`
	Account       string   `json:"account,omitempty" query:"account" doc:"who sends it, authenticated; makes it going out"`
	QueueID       string   `json:"queue_id,omitempty" query:"queue_id"`
	Direction     string   `json:"direction,omitempty" query:"direction" enum:"in,out,internal" doc:"default: the front door's"`
}

// emailRequest is a mail as JSON.
type emailRequest struct {
	Envelope
	Message []byte `json:"message" doc:"the mail, RFC 5322, in base64"`
}

type emailInput struct {
	Envelope
	ContentType string `header:"Content-Type"`
	RawBody     []byte
}

type batchInput struct {
	Direction string `query:"direction" enum:"in,out,internal" doc:"default: the front door's"`
	RawBody   []byte
}

// verdict is the answer: the verdict of scan --json for the recipient with the highest probability, and each recipient's.
type verdict struct {
	catalogue.Verdict
	Recipients []recipient `json:"recipients,omitempty"`
}

type recipient struct {
	Address     string         `json:"address"`
	Action      message.Action `json:"action"`
	Probability float64        `json:"probability"`
	Rule        string         `json:"rule" doc:"what decided"`
}

type verdictOutput struct{ Body verdict }

type verdictsOutput struct{ Body any }

func (a *API) judgeEmail(ctx context.Context, in *emailInput) (*verdictOutput, error) {
	env, raw, err := in.read()
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > a.cfg().MaxSize {
		return nil, huma.Error413RequestEntityTooLarge(fmt.Sprintf("the mail has %d bytes; at most %d are taken (max_size)", len(raw), a.cfg().MaxSize))
	}
	m := email.ParseBytes(raw)
	if err := env.apply(m); err != nil {
		return nil, err
	}
	v, err := a.judge(ctx, m, env.Direction)
	if err != nil {
		return nil, err
	}
	return &verdictOutput{v}, nil
}

// read returns envelope and mail of either form. The body's buffer is huma's and used again, while a message keeps views
// of its bytes.
func (in *emailInput) read() (*Envelope, []byte, error) {
	contentType, _, _ := mime.ParseMediaType(in.ContentType)
	switch contentType {
	case "message/rfc822", "application/octet-stream", "text/plain":
		return &in.Envelope, bytes.Clone(in.RawBody), nil
	case "application/json":
		var r emailRequest
		if err := decode(in.RawBody, &r); err != nil {
			return nil, nil, err
		}
		return &r.Envelope, r.Message, nil
	}
	return nil, nil, huma.Error415UnsupportedMediaType("send the mail as message/rfc822, or JSON as application/json")
}

func (e *Envelope) apply(m *message.Message) error {
	if e.ClientAddress != "" {
		addr, err := netip.ParseAddr(strings.Trim(e.ClientAddress, "[]"))
		if err != nil {
			return huma.Error400BadRequest(fmt.Sprintf("client %q is no address: send one like 192.0.2.7", e.ClientAddress))
		}
		m.Source.Address = addr.Unmap()
	}
	m.Helo, m.QueueID = e.Helo, e.QueueID
	m.MailFrom = strings.Trim(e.MailFrom, "<>")
	if e.Account != "" {
		m.Account, m.Direction, m.Source.Trusted = e.Account, message.Out, true
	}
	if len(e.RcptTo) > maxRecipients {
		return huma.Error400BadRequest(fmt.Sprintf("at most %d recipients are taken", maxRecipients))
	}
	for _, to := range e.RcptTo {
		to = strings.ToLower(strings.Trim(to, "<>"))
		_, domain, _ := strings.Cut(to, "@")
		m.Recipients = append(m.Recipients, message.Recipient{Address: to, Domain: domain})
	}
	return nil
}

const (
	maxRecipients = 1000 // as mail servers take
	maxBatch      = 1000
	// batchWorkers bounds what one request may keep busy.
	batchWorkers = 8
)

// form is a message as JSON.
type form interface {
	Message() (*message.Message, error)
}

// The messages as JSON, under the names that the description of the API has for them.
type (
	text           struct{ sms.JSON }
	phoneCall      struct{ call.JSON }
	instantMessage struct{ im.JSON }
)

func (t text) Message() (*message.Message, error) { return t.JSON.Message(), nil }

func (a *API) judgeSMS(ctx context.Context, in *batchInput) (*verdictsOutput, error) {
	return judgeBatch[text](ctx, a, in)
}

func (a *API) judgeCall(ctx context.Context, in *batchInput) (*verdictsOutput, error) {
	return judgeBatch[phoneCall](ctx, a, in)
}

func (a *API) judgeIM(ctx context.Context, in *batchInput) (*verdictsOutput, error) {
	return judgeBatch[instantMessage](ctx, a, in)
}

// judgeBatch judges one object, or an array of them side by side.
func judgeBatch[T form](ctx context.Context, a *API, in *batchInput) (*verdictsOutput, error) {
	forms, many, err := decodeBatch[T](in.RawBody)
	if err != nil {
		return nil, err
	}
	messages := make([]*message.Message, len(forms))
	for i, f := range forms {
		if messages[i], err = f.Message(); err != nil {
			return nil, huma.Error400BadRequest(err.Error())
		}
	}
	if !many {
		v, err := a.judge(ctx, messages[0], in.Direction)
		if err != nil {
			return nil, err
		}
		return &verdictsOutput{v}, nil
	}
	verdicts := make([]verdict, len(messages))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(batchWorkers)
	for i, m := range messages {
		g.Go(func() (err error) {
			if !a.host.Guard(a.cfg().Name, func() { verdicts[i], err = a.judge(ctx, m, in.Direction) }) {
				err = unavailable()
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return &verdictsOutput{verdicts}, nil
}

// decodeBatch reads one object, or an array of at most maxBatch.
func decodeBatch[T any](body []byte) (all []T, many bool, err error) {
	if first := bytes.TrimLeft(body, " \t\r\n"); len(first) == 0 || first[0] != '[' {
		all = make([]T, 1)
		return all, false, decode(body, &all[0])
	}
	if err := decode(body, &all); err != nil {
		return nil, true, err
	}
	if len(all) > maxBatch {
		return nil, true, huma.Error413RequestEntityTooLarge(fmt.Sprintf("%d objects: send at most %d at a time", len(all), maxBatch))
	}
	return all, true, nil
}

// judge completes m, asks, and renders the answer.
func (a *API) judge(ctx context.Context, m *message.Message, direction string) (verdict, error) {
	if err := a.complete(ctx, m, direction); err != nil {
		return verdict{}, err
	}
	ans, err := a.host.Ask(ctx, &a.cfg().Door, m)
	if err != nil {
		if a.cfg().OnError == gateway.OnErrorTempfail {
			return verdict{}, unavailable()
		}
		a.host.Metrics.Message(a.cfg().Name, message.Accept)
		return verdict{Verdict: catalogue.English().Verdict(m, &message.Verdict{Probability: 0.5}, message.Accept)}, nil
	}
	return a.render(m, ans), nil
}

func (a *API) render(m *message.Message, ans gateway.Answer) verdict {
	worst, action := &message.Verdict{}, ans.Decisions[0].Effective()
	out := verdict{}
	for i, d := range ans.Decisions {
		a.host.Metrics.Message(a.cfg().Name, d.Effective())
		r := recipient{Action: d.Effective(), Rule: d.Rule}
		if i < len(ans.Judgement.Verdicts) {
			v := ans.Judgement.Verdicts[i]
			r.Probability = v.Probability
			if i == 0 || v.Probability > worst.Probability {
				worst, action = v, d.Effective()
			}
		}
		if i < len(m.Recipients) {
			r.Address = m.Recipients[i].Address
			out.Recipients = append(out.Recipients, r)
		}
	}
	out.Verdict = catalogue.English().Verdict(m, worst, action)
	return out
}

// complete fills what the door knows of a message.
func (a *API) complete(ctx context.Context, m *message.Message, direction string) error {
	now := time.Now()
	if m.Arrived.IsZero() {
		m.Arrived = now
	}
	if m.ID != "" {
		m.QueueID = m.ID // of a text: the sender's own
	}
	m.ID, m.Door, m.Mode = gateway.NewID(now), a.cfg().Name, a.cfg().Mode
	if m.Direction == 0 {
		m.Direction = a.cfg().Direction
	}
	if direction != "" {
		if err := m.Direction.UnmarshalText([]byte(direction)); err != nil {
			return huma.Error400BadRequest(err.Error())
		}
	}
	if t := tokenOf(ctx); t != nil && t.Tenant != "" {
		m.Tenant = t.Tenant
		for i := range m.Recipients {
			m.Recipients[i].Tenant = t.Tenant
		}
	}
	return nil
}

func unavailable() error {
	return huma.ErrorWithHeaders(huma.Error503ServiceUnavailable("the message could not be judged; try again later"),
		http.Header{"Retry-After": {retryAfter}})
}

// decode reads JSON strictly: a misspelt member would be a part of the message that nobody looks at.
func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return huma.Error400BadRequest("the body is not the JSON that /openapi.json describes: " + err.Error())
	}
	if d.More() {
		return huma.Error400BadRequest("the body goes on after the JSON: send one object or one array")
	}
	return nil
}
