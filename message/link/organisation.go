package link

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"golang.org/x/net/publicsuffix"
)

// Organisation is the registered domain of a host (public suffix and one label), or the host itself where it has none.
func Organisation(host string) string {
	place := &organisations[maphash.String(organisationSeed, host)%uint64(len(organisations))]
	if known := place.Load(); known != nil && known.host == host {
		return known.organisation
	}
	if len(host) > maxName {
		return organisation(host)
	}
	host = strings.Clone(host) // it may be a piece of a mail, which must not be kept with it
	found := &registered{host, organisation(host)}
	place.Store(found)
	return found.organisation
}

func organisation(host string) string {
	if o, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return o
	}
	return host
}

// registered is a host and its organisation.
type registered struct{ host, organisation string }

// organisations are the hosts asked for last, each in the one place that its hash gives it: of one mail the same few are asked for
// again and again, and looking them up costs more than all else that is asked of a host.
var (
	organisations    [1024]atomic.Pointer[registered]
	organisationSeed = maphash.MakeSeed()
)

// maxName is the longest name of the DNS (RFC 1035 section 2.3.4); what is longer is not kept.
const maxName = 253
