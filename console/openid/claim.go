package openid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Claims of OpenID Connect Core section 5.1.
const (
	claimEmail    = "email"
	claimVerified = "email_verified"
)

// maxClaim is longer than any address (RFC 5321 section 4.5.3.1.3).
const maxClaim = 254

type claims map[string]json.RawMessage

// claim is the value of a claim in the ID token or, where that has not all that is needed, in the provider's answer about the person
// (section 5.3): some give e-mail addresses there alone.
func (p *Provider) claim(ctx context.Context, found *oidc.Provider, token *oauth2.Token, id *oidc.IDToken, name string) (string, error) {
	var c claims
	if err := id.Claims(&c); err != nil {
		return "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	if !c.has(name) && found.UserInfoEndpoint() != "" {
		info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return "", userInfoError(err)
		}
		if info.Subject != id.Subject {
			return "", fmt.Errorf("%w: it tells about somebody else", ErrToken)
		}
		c = nil
		if err := info.Claims(&c); err != nil {
			return "", fmt.Errorf("%w: %w", ErrToken, err)
		}
	}
	return c.value(name)
}

// userInfoError tells a provider that cannot be reached from one that refuses to tell, or tells nonsense.
func userInfoError(err error) error {
	var away net.Error // or it does not answer to the end in time
	if errors.As(err, &away) {
		return fmt.Errorf("%w: %.300s", ErrAway, err)
	}
	return fmt.Errorf("%w: %.300s", ErrToken, err) // it may hold the whole answer
}

// has reports whether all is there that the claim needs.
func (c claims) has(name string) bool {
	return c[name] != nil && (name != claimEmail || c[claimVerified] != nil)
}

func (c claims) value(name string) (value string, err error) {
	if err := json.Unmarshal(c[name], &value); err != nil || value == "" || len(value) > maxClaim {
		return "", fmt.Errorf("%w: no %s", ErrClaim, name)
	}
	if verified := string(c[claimVerified]); name == claimEmail && verified != "true" && verified != `"true"` { // some write it as a text
		return "", fmt.Errorf("%w: the address is not verified", ErrClaim)
	}
	return value, nil
}
