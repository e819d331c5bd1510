// Package openid signs people in with an OpenID provider (OpenID Connect Core 1.0, authorization code flow, with PKCE: RFC 7636).
//
// [Provider.Begin] says where the browser is to go and what it must keep meanwhile, an [Attempt]; [Provider.Finish] takes what it comes
// back with and gives the one claim that says who came. The provider is asked for its addresses when somebody first signs in, and again
// after a failure: a node starts and runs without it. What it answers is bounded in size and time, and comes by TLS or from this machine.
// A Provider is safe for concurrent use.
package openid

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// What callers decide on.
var (
	// ErrAway: the provider cannot be asked.
	ErrAway = errors.New("openid: the provider does not answer")
	// ErrAttempt: this browser did not begin this sign-in, or too long ago.
	ErrAttempt = errors.New("openid: not the sign-in that was begun here")
	// ErrRefused: the provider did not let the person in.
	ErrRefused = errors.New("openid: the provider refused")
	// ErrToken: what the provider gave is not valid.
	ErrToken = errors.New("openid: the provider's answer is not valid")
	// ErrClaim: the provider does not say who the person is, or did not verify it.
	ErrClaim = errors.New("openid: the provider does not vouch for who it is")
)

const (
	// askTime and maxAnswer bound one answer of the provider; askAgain is how long a failure is not tried again.
	askTime   = 10 * time.Second
	maxAnswer = 1 << 20
	askAgain  = 5 * time.Second
	// AttemptLife is how long somebody may take to sign in there.
	AttemptLife = 10 * time.Minute
)

// Provider is the one that is configured.
type Provider struct {
	config Config
	client *http.Client
	now    func() time.Time
	asking singleflight.Group
	found  atomic.Pointer[oidc.Provider]
	failed atomic.Pointer[failure]
}

type failure struct {
	at  time.Time
	err error
}

// New makes a provider of a checked configuration that is on; it asks nothing yet.
func New(c Config, now func() time.Time) *Provider {
	return &Provider{config: c.withDefaults(), client: &http.Client{Timeout: askTime, Transport: bounded{}}, now: now}
}

// bounded asks over TLS, or this machine, and reads no more than maxAnswer.
type bounded struct{}

// RoundTrip implements http.RoundTripper.
func (bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := safe(r.URL); err != nil {
		return nil, err
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	}
	return resp, err
}

// MailboxClaim and AccountClaim are the names for [Provider.Finish]; an empty one says that nobody signs in so.
func (p *Provider) MailboxClaim() string { return p.config.MailboxClaim }

// AccountClaim is that of accounts.
func (p *Provider) AccountClaim() string { return p.config.AccountClaim }

// Attempt is what a browser keeps while somebody signs in.
type Attempt struct {
	State    string `json:"s"` // comes back with the answer: this browser asked
	Nonce    string `json:"n"` // stands in the token: it was made for this sign-in
	Verifier string `json:"v"` // of PKCE: who exchanges the code is who asked for it
	Next     string `json:"t"` // path to go to afterwards
}

// Cookie is the attempt as a cookie's value, ParseAttempt reads it.
func (a *Attempt) Cookie() string {
	b, _ := json.Marshal(a) // texts always can be
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseAttempt gives [ErrAttempt] for what is none.
func ParseAttempt(cookie string) (a Attempt, err error) {
	b, err := base64.RawURLEncoding.DecodeString(cookie)
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil || a.State == "" || a.Nonce == "" || a.Verifier == "" {
		return Attempt{}, ErrAttempt
	}
	return a, nil
}

// Begin is the address of the provider at which the browser signs in, and what it keeps until it comes back to redirect.
func (p *Provider) Begin(ctx context.Context, redirect, next string) (to string, a Attempt, err error) {
	found, err := p.discover(ctx)
	if err != nil {
		return "", a, err
	}
	a = Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: next}
	return p.oauth(found, redirect, "").AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), a, nil
}

// Answered reports whether what a browser came back with answers this attempt.
func (a *Attempt) Answered(query url.Values) bool {
	return subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(a.State)) == 1
}

// Finish checks what the browser came back with to redirect, and returns the value of the claim.
func (p *Provider) Finish(ctx context.Context, redirect string, a Attempt, query url.Values, claim string) (string, error) {
	if !a.Answered(query) {
		return "", ErrAttempt
	}
	if iss := query.Get("iss"); iss != "" && iss != p.config.Issuer { // RFC 9207
		return "", fmt.Errorf("%w: it comes from %.100q", ErrToken, iss)
	}
	if code := query.Get("error"); code != "" {
		return "", fmt.Errorf("%w: %.100q: %.200q", ErrRefused, code, query.Get("error_description"))
	}
	found, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	secret, err := p.config.secret()
	if err != nil {
		return "", fmt.Errorf("client secret: %w", err)
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), askTime)
	defer cancel()
	token, err := p.oauth(found, redirect, secret).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) {
			return "", fmt.Errorf("%w: %.300s", ErrToken, err) // it holds the whole answer
		}
		return "", fmt.Errorf("%w: %.300s", ErrAway, err)
	}
	id, err := p.verify(ctx, found, token, a.Nonce)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	return p.claim(ctx, found, token, id, claim)
}

// verify checks the ID token (OpenID Connect Core section 3.1.3.7): signature, issuer, audience, expiry, and that it is of this attempt.
func (p *Provider) verify(ctx context.Context, found *oidc.Provider, token *oauth2.Token, nonce string) (*oidc.IDToken, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, errors.New("there is no ID token")
	}
	id, err := found.Verifier(&oidc.Config{ClientID: p.config.ClientID, Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	var more struct {
		AuthorizedParty string `json:"azp"`
	}
	if err := id.Claims(&more); err != nil {
		return nil, err
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return nil, errors.New("the nonce is not that of this sign-in")
	case more.AuthorizedParty != p.config.ClientID && (more.AuthorizedParty != "" || len(id.Audience) > 1):
		return nil, fmt.Errorf("the token was made for %.100q", more.AuthorizedParty)
	case id.AccessTokenHash != "":
		return id, id.VerifyAccessToken(token.AccessToken)
	}
	return id, nil
}

func (p *Provider) oauth(found *oidc.Provider, redirect, secret string) *oauth2.Config {
	c := &oauth2.Config{ClientID: p.config.ClientID, ClientSecret: secret, Endpoint: found.Endpoint(), RedirectURL: redirect,
		Scopes: []string{oidc.ScopeOpenID, oidc.ScopeEmail, oidc.ScopeProfile}}
	var methods struct {
		Supported []string `json:"token_endpoint_auth_methods_supported"` // default: client_secret_basic
	}
	_ = found.Claims(&methods) // they were read before
	c.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if secret == "" || len(methods.Supported) > 0 && !slices.Contains(methods.Supported, "client_secret_basic") {
		c.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return c
}

// discover asks the provider for its addresses (OpenID Connect Discovery 1.0), until it has answered once. Who comes at the same time
// waits for one answer.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	if found := p.found.Load(); found != nil {
		return found, nil
	}
	if f := p.failed.Load(); f != nil && p.now().Sub(f.at) < askAgain {
		return nil, f.err
	}
	v, err, _ := p.asking.Do("", func() (any, error) {
		ctx, cancel := context.WithTimeout(oidc.ClientContext(context.WithoutCancel(ctx), p.client), askTime)
		defer cancel()
		found, err := oidc.NewProvider(ctx, p.config.Issuer)
		if err == nil {
			var at *url.URL
			if at, err = url.Parse(found.Endpoint().AuthURL); err == nil {
				err = safe(at)
			}
		}
		if err != nil {
			err = fmt.Errorf("%w: %.300s", ErrAway, err) // it may hold the whole answer
			p.failed.Store(&failure{p.now(), err})
			return nil, err
		}
		p.found.Store(found)
		return found, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(*oidc.Provider), nil
}
