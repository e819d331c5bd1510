package measure

import (
	"strconv"
	"strings"

	"rempart/message"
	"rempart/message/link"
)

// maxClaimed: what a sender claims of earlier hops is bounded, else one message could fill a summary.
const maxClaimed = 6

// Edges are the hand-overs on an event's way, the one to the operator first. A route is named by places that hold still
// where hosts change: a network where the address is known ("AS64512"), the registered domain of a name, the system id of
// an SMPP bind; its end is the front door. Between the operator's own hosts nothing is counted. What the operator's edge
// did not see itself is claimed.
func Edges(e *message.Event) []Edge {
	seen := -1 // the last hop that a host of the operator recorded
	for i := range e.Route {
		if e.Route[i].Trusted {
			seen = i
		}
	}
	giver := networkName(e.Source.Network)
	if seen >= 0 {
		giver = place(&e.Route[seen])
	}
	giver = orUnknown(giver)
	list := append(make([]Edge, 0, 4), Edge{giver, orUnknown(e.Door), true})
	for i := seen + 1; i < len(e.Route) && len(list) <= maxClaimed; i++ {
		before := place(&e.Route[i])
		if before == "" || before == giver {
			continue
		}
		list = append(list, Edge{before, giver, false})
		giver = before
	}
	return list
}

// place is where the giving side of a hop is; empty if nothing tells.
func place(h *message.Hop) string {
	if h.With == "SMPP" && h.From != "" {
		return h.From
	}
	if h.Network != 0 {
		return networkName(h.Network)
	}
	if name := link.Lower(h.From); strings.Contains(name, ".") && strings.Trim(name, "0123456789.:[]") != "" {
		return link.Organisation(strings.Trim(name, "."))
	}
	return ""
}

// networkName is an autonomous system as tallies name it; empty if it is not known.
func networkName(n uint32) string {
	if n == 0 {
		return ""
	}
	return "AS" + strconv.FormatUint(uint64(n), 10)
}

// NetworkName is an autonomous system as tallies name it, or [Unknown].
func NetworkName(n uint32) string { return orUnknown(networkName(n)) }
