package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"rempart/message"
	"rempart/message/email"
)

type learnInput struct {
	Body struct {
		Label    message.Label    `json:"label" enum:"spam,ham"`
		Channel  message.Channel  `json:"channel" enum:"email,sms,call,im"`
		Category message.Category `json:"category,omitempty" doc:"what the spam is for"`
		Scope    message.Scope    `json:"scope,omitempty" doc:"whose verdicts it speaks for; default: the token's tenant, or all"`
		Message  json.RawMessage  `json:"message" doc:"a mail as a string of base64, all others as the object of /v1/judge/CHANNEL"`
	}
}

type learnOutput struct {
	Body struct {
		Before float64 `json:"before" doc:"probability before the lesson"`
		After  float64 `json:"after" doc:"and after it"`
	}
}

func (a *API) teach(ctx context.Context, in *learnInput) (*learnOutput, error) {
	m, err := in.message(a.cfg().MaxSize)
	if err != nil {
		return nil, err
	}
	if err := a.complete(ctx, m, ""); err != nil {
		return nil, err
	}
	l := Lesson{Label: in.Body.Label, Category: in.Body.Category, Scope: in.Body.Scope, Message: m}
	token := tokenOf(ctx)
	l.Teacher = token.Name
	if token.Tenant != "" {
		if l.Scope.Tenant != "" && l.Scope.Tenant != token.Tenant {
			return nil, huma.Error403Forbidden(fmt.Sprintf("token %q teaches for tenant %q alone: leave scope.tenant out", token.Name, token.Tenant))
		}
		l.Scope.Tenant = token.Tenant
	}
	out := &learnOutput{}
	if out.Body.Before, out.Body.After, err = a.learn(ctx, l); err != nil {
		a.host.Metrics.Error(a.cfg().Name, "learn")
		a.host.Log.Error("learn", "door", a.cfg().Name, "teacher", l.Teacher, "error", err)
		return nil, unavailable()
	}
	return out, nil
}

func (in *learnInput) message(maxSize int64) (*message.Message, error) {
	switch in.Body.Channel {
	case message.Email:
		var raw []byte
		if err := json.Unmarshal(in.Body.Message, &raw); err != nil || len(raw) == 0 {
			return nil, huma.Error400BadRequest("message: send the mail as a string of base64")
		}
		if int64(len(raw)) > maxSize {
			return nil, huma.Error413RequestEntityTooLarge(fmt.Sprintf("the mail has %d bytes; at most %d are taken (max_size)", len(raw), maxSize))
		}
		return email.ParseBytes(raw), nil
	case message.SMS:
		return read[text](in.Body.Message)
	case message.Call:
		return read[phoneCall](in.Body.Message)
	case message.IM:
		return read[instantMessage](in.Body.Message)
	}
	return nil, huma.Error400BadRequest("channel: use email, sms, call or im")
}

func read[T form](b []byte) (*message.Message, error) {
	var f T
	if err := decode(b, &f); err != nil {
		return nil, err
	}
	m, err := f.Message()
	if err != nil {
		return nil, huma.Error400BadRequest(err.Error())
	}
	return m, nil
}

type pingOutput struct {
	Body struct {
		Status string `json:"status" example:"ok"`
	}
}

func (a *API) ping(context.Context, *struct{}) (*pingOutput, error) {
	out := &pingOutput{}
	out.Body.Status = "ok"
	return out, nil
}
