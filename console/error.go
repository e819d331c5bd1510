package console

import (
	"context"
	"errors"
	"net/http"

	"rempart/abuse"
	"rempart/account"
	"rempart/console/openid"
	"rempart/index"
	"rempart/journal"
	"rempart/quarantine"
)

// faults is the page of each error: its status, and the key of its title and of what to do, under "error". The first that
// fits counts.
var faults = []struct {
	err    error
	status int
	key    string
}{
	{errNoPage, http.StatusNotFound, "no_page"},
	{index.ErrNotFound, http.StatusNotFound, "no_message"},
	{quarantine.ErrNotFound, http.StatusNotFound, "no_quarantined"},
	{quarantine.ErrSignIn, http.StatusGone, "signin_link"},
	{quarantine.ErrMalware, http.StatusForbidden, "malware"},
	{errWaitsOn, http.StatusBadGateway, "waits_on"},
	{quarantine.ErrNotDelivered, http.StatusBadGateway, "not_delivered"},
	{abuse.ErrNotFound, http.StatusNotFound, "no_case"},
	{abuse.ErrClosed, http.StatusConflict, "case_closed"},
	{abuse.ErrNotSent, http.StatusBadGateway, "not_sent"},
	{errNoCampaign, http.StatusNotFound, "no_campaign"},
	{errForbidden, http.StatusForbidden, "forbidden"},
	{errOrigin, http.StatusForbidden, "origin"},
	{errForm, http.StatusBadRequest, "form"},
	{errThrottled, http.StatusTooManyRequests, "throttled"},
	{errNoOperator, http.StatusForbidden, "oidc_account"},
	{openid.ErrAway, http.StatusBadGateway, "oidc_away"},
	{openid.ErrAttempt, http.StatusBadRequest, "oidc_attempt"},
	{openid.ErrRefused, http.StatusForbidden, "oidc_refused"},
	{openid.ErrToken, http.StatusForbidden, "oidc_token"},
	{openid.ErrClaim, http.StatusForbidden, "oidc_claim"},
	{account.ErrBusy, http.StatusServiceUnavailable, "busy"},
	{account.ErrLogin, http.StatusUnauthorized, "login"},
	{account.ErrLink, http.StatusGone, "link"},
	{account.ErrName, http.StatusBadRequest, "name"},
	{account.ErrExists, http.StatusConflict, "exists"},
	{account.ErrUnknown, http.StatusNotFound, "no_account"},
	{account.ErrRole, http.StatusBadRequest, "role"},
	{account.ErrLastAdministrator, http.StatusConflict, "last_administrator"},
	{account.ErrPassword, http.StatusBadRequest, "password"},
	{ErrNothingKept, http.StatusConflict, "nothing_kept"},
	{ErrNotStanding, http.StatusConflict, "not_standing"},
	{journal.ErrNoSpace, http.StatusServiceUnavailable, "no_space"},
	{journal.ErrQueued, http.StatusServiceUnavailable, "queued"},
	{journal.ErrNoAnswer, http.StatusServiceUnavailable, "no_answer"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "slow"},
}

// errorPage says what went wrong, and what to do.
type errorPage struct {
	Key string
}

// fail makes the error's page and logs what is not the visitor's doing.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody waits any more
	}
	status, key := http.StatusInternalServerError, "internal"
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		status, key = http.StatusRequestEntityTooLarge, "large"
	}
	for _, f := range faults {
		if errors.Is(err, f.err) {
			status, key = f.status, f.key
			break
		}
	}
	if status >= 500 {
		c.log.Error("page failed", "page", r.Pattern, "error", err) // a path may hold the secret of a link
	}
	if isPart(r) && r.Method == http.MethodGet {
		w.Header().Set("HX-Reswap", "none") // a refresh that fails leaves what is shown; the next one may work
	}
	if err := c.renderStatus(w, r, status, "error", errorPage{key}); err != nil {
		c.log.Error("error page failed", "error", err)
		http.Error(w, http.StatusText(status), status)
	}
}
