package rspamd

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
)

var (
	errTeachingOff  = errors.New("teaching and /stat are off here: set password_sha256 or teachers in [[gateway.rspamd]]")
	errUnauthorized = errors.New("unauthorized: send the header Password (rspamc -P), or have this address among teachers in [[gateway.rspamd]]")
)

// taught is a handler that knows who asks.
type taught func(w http.ResponseWriter, r *http.Request, teacher string)

// forTeachers lets a request through that has the password or comes from a listed address. Who it is comes from that alone:
// the header User is the client's word about its own client.
func (f *Rspamd) forTeachers(next taught) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		cfg := f.cfg()
		switch teacher := cfg.teacher(r); {
		case teacher != "":
			next(w, r, teacher)
		case len(cfg.password) == 0 && cfg.teachers.None():
			f.refuse(w, http.StatusUnauthorized, errTeachingOff)
		default:
			f.refuse(w, http.StatusUnauthorized, errUnauthorized)
		}
	}
}

// teacher is who asks, or "". Digests are compared, in constant time, so that the clock tells nothing of the password.
func (s *settings) teacher(r *http.Request) string {
	digest := sha256.Sum256([]byte(r.Header.Get("Password")))
	if subtle.ConstantTimeCompare(digest[:], s.password) == 1 {
		return s.Name
	}
	if passedOn(r) {
		return ""
	}
	return s.teachers.Name(client(r))
}
