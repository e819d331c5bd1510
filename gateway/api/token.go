package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

type tokenKey struct{}

// tokenOf is who asks; the request passed [API.allow].
func tokenOf(ctx context.Context) *Token {
	t, _ := ctx.Value(tokenKey{}).(*Token)
	return t
}

// allow lets a request through that carries a token with the right.
func (a *API) allow(api huma.API, right string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		token := a.find(ctx.Header("Authorization"))
		switch {
		case token == nil:
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="rempart"`)
			_ = huma.WriteErr(api, ctx, http.StatusUnauthorized,
				"send the header \"Authorization: Bearer TOKEN\" with a token of [[gateway.api.token]]")
		case !slices.Contains(token.Rights, right):
			_ = huma.WriteErr(api, ctx, http.StatusForbidden,
				"token \""+token.Name+"\" lacks the right \""+right+"\": add it to its rights in [[gateway.api.token]]")
		default:
			next(huma.WithValue(ctx, tokenKey{}, token))
		}
	}
}

// find compares with every token, each in constant time, so that neither a digest nor its place can be guessed by the
// clock.
func (a *API) find(authorization string) *Token {
	scheme, secret, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return nil
	}
	digest := sha256.Sum256([]byte(strings.TrimSpace(secret)))
	var found *Token
	tokens := a.cfg().Token
	for i := range tokens {
		want, _ := hex.DecodeString(tokens[i].SHA256)
		if subtle.ConstantTimeCompare(digest[:], want) == 1 {
			found = &tokens[i]
		}
	}
	return found
}
