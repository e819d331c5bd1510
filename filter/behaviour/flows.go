package behaviour

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"rempart/message"
	"rempart/message/link"
)

// Flows remembers how much mail of late came from each network and each sender's domain, and into each mailbox, of every tenant
// for itself, and how much is their habit. It learns from the mail that the node took, and from nothing else: what was put off
// comes again. Who is counted is kept as a hash with a key of the process. It is bounded: flows of which nothing was seen for
// longest are forgotten first. It is safe for concurrent use; nothing of it outlives the process.
type Flows struct {
	seed maphash.Seed

	mu        sync.Mutex
	sources   generations[flow] // networks, domains, and tenants as a whole
	mailboxes generations[mailboxFlow]
}

const (
	sourceGeneration  = 1 << 15
	mailboxGeneration = 1 << 14
	// SourceCapacity is the most networks and domains known at one time, some 6 MB.
	SourceCapacity = 2 * sourceGeneration
	// MailboxCapacity is the most mailboxes known at one time, some 6 MB.
	MailboxCapacity = 2 * mailboxGeneration
	// maxFlows bounds the recipients of one mail that are looked at.
	maxFlows = 20
)

// flow is how busy one source or mailbox is.
type flow struct {
	first int64 // second of the first mail
	day   int64 // number of the running day since 1970
	hour  window
	busy  uint32 // mails of the busiest hour of the running day
	usual uint32 // of the busiest hour of a day, followed
}

// mailboxFlow also counts the unlike domains that send into a mailbox.
type mailboxFlow struct {
	flow
	senders [2]bitmap // of this hour and the one before
}

// NewFlows returns a table that saw nothing.
func NewFlows() *Flows {
	return &Flows{seed: maphash.MakeSeed(), sources: generations[flow]{size: sourceGeneration}, mailboxes: generations[mailboxFlow]{size: mailboxGeneration}}
}

// Take notes a mail that the node took. Who sent it is verified by then, if it can be.
func (f *Flows) Take(m *message.Message) {
	now, from := m.Arrived.Unix(), senderOf(m)
	names := [...]string{wholeTenant, networkOf(m), from}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, tenant := range tenantsOf(m) {
		for _, name := range names {
			if name == "" {
				continue
			}
			key := f.key(tenant, name)
			s, _ := f.sources.get(key)
			s.add(now)
			f.sources.put(key, s)
		}
	}
	sender := maphash.String(f.seed, from)
	for i := range m.Recipients[:min(len(m.Recipients), maxFlows)] {
		key := f.mailboxKey(m, i)
		b, _ := f.mailboxes.get(key)
		switch crossed := b.add(now); {
		case crossed == 1:
			b.senders[1], b.senders[0] = b.senders[0], bitmap{}
		case crossed > 1:
			b.senders = [2]bitmap{}
		}
		b.senders[0].set(sender)
		f.mailboxes.put(key, b)
	}
}

// Of is what was taken until m arrived, for the tenant of its first recipient, and for each recipient in its own.
func (f *Flows) Of(m *message.Message) (a message.Arriving) {
	now, network, sender := m.Arrived.Unix(), networkOf(m), senderOf(m)
	f.mu.Lock()
	defer f.mu.Unlock()
	tenant := tenantsOf(m)[0]
	settled := f.settled(tenant, now)
	source := func(name string) (flow message.Flow) {
		if name == "" {
			return flow
		}
		s, _ := f.sources.get(f.key(tenant, name))
		return s.of(strings.TrimPrefix(name, unverified), now, settled)
	}
	a.Network, a.Sender = source(network), source(sender)
	for i := range m.Recipients[:min(len(m.Recipients), maxFlows)] {
		b, _ := f.mailboxes.get(f.mailboxKey(m, i))
		box := b.of("", now, f.settled(m.ScopeOf(&m.Recipients[i]).Tenant, now))
		box.Senders = b.unlike(now)
		a.Mailboxes = append(a.Mailboxes, box)
	}
	return a
}

// Clear forgets all mailboxes: hashes do not tell whose they are.
func (f *Flows) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mailboxes.clear()
}

// settled reports whether a tenant's mail was counted for two days, one of them whole: before that everything is new.
func (f *Flows) settled(tenant string, now int64) bool {
	s, ok := f.sources.get(f.key(tenant, wholeTenant))
	return ok && now-s.first >= 2*dayLength
}

const (
	wholeTenant = "*"
	// unverified begins the name of a domain that nothing vouches for: who borrows a name must not use up what its owner may send.
	unverified = "?"
)

func (f *Flows) key(tenant, name string) uint64 { return maphash.String(f.seed, tenant+"\x00"+name) }

func (f *Flows) mailboxKey(m *message.Message, i int) uint64 {
	to := &m.Recipients[i]
	return f.key(m.ScopeOf(to).Tenant, strings.ToLower(to.Address))
}

// tenantsOf are the tenants of a mail's first recipients, each once; at least one.
func tenantsOf(m *message.Message) []string {
	if len(m.Recipients) == 0 {
		return []string{m.ScopeOf(nil).Tenant}
	}
	var tenants []string
	for i := range m.Recipients[:min(len(m.Recipients), maxFlows)] {
		if tenant := m.ScopeOf(&m.Recipients[i]).Tenant; !slices.Contains(tenants, tenant) {
			tenants = append(tenants, tenant)
		}
	}
	return tenants
}

// networkOf is the network that a mail comes from, before trusted forwarders; "" if that is not known, or the operator's own.
func networkOf(m *message.Message) string {
	a := m.Facts.Auth.Source
	if !a.IsValid() {
		a = m.Source.Address
	}
	if a = a.Unmap(); !a.IsValid() || m.Source.Trusted {
		return ""
	}
	bits := 48 // of one customer
	if a.Is4() {
		bits = 24
	}
	return netip.PrefixFrom(a, bits).Masked().String()
}

// senderOf is the registered domain that a mail is verified to come from, the author's before others; else that of its envelope
// sender, marked as unverified; "" if there is none.
func senderOf(m *message.Message) string {
	author, sender := organisation(m.From.Domain), ""
	for _, d := range signersOf(m) {
		if sender == "" || d == author {
			sender = d
		}
	}
	if a := &m.Facts.Auth; a.SPF == "pass" && (sender == "" || organisation(a.SPFDomain) == author && author != "") {
		sender = organisation(a.SPFDomain)
	}
	if sender == "" {
		if sender = envelopeDomain(m); sender != "" {
			sender = unverified + sender
		}
	}
	return sender
}

// signersOf are the registered domains whose signatures are valid.
func signersOf(m *message.Message) (domains []string) {
	for _, d := range m.Facts.Auth.DKIM {
		if d.Status == "pass" {
			domains = append(domains, organisation(d.Domain))
		}
	}
	return domains
}

func envelopeDomain(m *message.Message) string {
	return organisation(m.MailFrom[strings.LastIndexByte(m.MailFrom, '@')+1:])
}

// organisation is the registered domain of a host; "" for what cannot be one.
func organisation(host string) string {
	const maxHost = 253 // RFC 1035 section 2.3.4, without the root
	if len(host) > maxHost || !strings.Contains(host, ".") {
		return ""
	}
	return link.Organisation(strings.ToLower(host))
}

// add counts one mail and says how many hours began since the one before.
func (f *flow) add(now int64) (crossed int64) {
	if f.first == 0 {
		f.first = now
	}
	if today := now / dayLength; today > f.day {
		f.turn()
		f.day = today
	}
	crossed = f.hour.addN(now, hourLength, 1)
	f.busy = max(f.busy, f.hour.count(now, hourLength))
	return crossed
}

// turn closes a day. The habit follows the busiest hour at once, up to eight times what it was, so that a newsletter's third issue
// is its habit and one night makes no flood one. It falls by an eighth on days with mail, and rests on others.
func (f *flow) turn() {
	if f.busy > f.usual {
		f.usual = min(f.busy, 8*(f.usual+smallHour))
	} else {
		f.usual -= (f.usual - f.busy) / 8
	}
	f.busy = 0
}

func (f *flow) of(name string, now int64, settled bool) message.Flow {
	return message.Flow{Name: name, Hour: f.hour.count(now, hourLength), Usual: f.usual, Settled: settled}
}

// unlike is about how many unlike domains sent into a mailbox within this hour and the one before.
func (b *mailboxFlow) unlike(now int64) uint32 {
	switch now/hourLength - b.hour.span {
	case 0:
		both := b.senders[0]
		for i, w := range b.senders[1] {
			both[i] |= w
		}
		return both.estimate()
	case 1:
		return b.senders[0].estimate()
	}
	return 0
}
