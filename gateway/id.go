package gateway

import (
	"math/rand/v2"
	"time"
)

// NewID makes the id of a message that arrived at now: 26 characters that sort by time, as ULIDs do (48 bits of
// milliseconds, 80 random ones). Unique, not secret.
func NewID(now time.Time) string {
	const digits = "0123456789abcdefghjkmnpqrstvwxyz"
	var b [26]byte
	ms := uint64(now.UnixMilli())
	for i := 9; i >= 0; i-- {
		b[i] = digits[ms&31]
		ms >>= 5
	}
	for half := range 2 {
		r := rand.Uint64()
		for i := range 8 {
			b[10+8*half+i] = digits[r&31]
			r >>= 5
		}
	}
	return string(b[:])
}
