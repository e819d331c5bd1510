package behaviour

import (
	"slices"
	"strings"
	"sync"

	"github.com/minio/highwayhash"

	"rempart/message"
)

// Domains remembers since when each tenant has mail from registered domains and with links to them: most spam comes from domains
// that are days old, and most honest mail from those that wrote before. Everybody is new once, so a tenant's mail is watched for
// a while before anybody is new to it. Of domains it keeps hashes with a key of its own. It is bounded: in each of its
// buckets what was not seen for longest makes room, and the bucket says nothing of what it does not hold for two weeks after. It
// is safe for concurrent use.
type Domains struct {
	key [32]byte

	mu      sync.Mutex
	buckets []bucket // made with the first mail
	watches generations[watch]
}

// bucket holds the domains whose hashes have its number.
type bucket struct {
	slots  [bucketSlots]sighting
	forgot uint32 // hour of the latest sighting that had to make room; 0: none had
}

// sighting is one domain of one tenant. Hours count from 1970.
type sighting struct {
	mark  uint32 // rest of the hash; 0: free
	first uint32 // hour
	last  uint32 // hour
}

// watch is what was seen of one tenant's mail.
type watch struct {
	since uint32 // hour
	mails uint32
	ready uint32 // hour from which on domains are new; 0: not yet
}

const (
	bucketCount = 1 << 16
	bucketSlots = 8
	// DomainCapacity is the most domains known at one time, 6.5 MB.
	DomainCapacity  = bucketCount * bucketSlots
	watchGeneration = 4096

	// A tenant is watched for so many mails and hours before a domain is new to it.
	watchedMails = 1000
	watchedHours = 3 * 24
	// newHours is how long a domain stays new.
	newHours = 3 * 24
	// reliableHours: a bucket that forgot a domain which it saw since then does not know who is new.
	reliableHours = 14 * 24
	// maxSigners bounds the signatures of one mail that are looked at.
	maxSigners = 8
)

// NewDomains returns a table that saw nobody.
func NewDomains() *Domains {
	return &Domains{key: newKey(), watches: generations[watch]{size: watchGeneration}}
}

// Take notes the domains of a mail that was taken.
func (d *Domains) Take(m *message.Message) {
	senders, links := domainsOf(m)
	hour := hourOf(m)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.buckets == nil {
		d.buckets = make([]bucket, bucketCount)
	}
	for _, tenant := range tenantsOf(m) {
		d.watched(tenant, hour)
		for _, names := range [][]string{senders, links} {
			for _, name := range names {
				b, mark := d.bucket(tenant, name)
				b.see(mark, hour)
			}
		}
	}
}

// watched counts one mail of a tenant.
func (d *Domains) watched(tenant string, hour uint32) {
	key := d.hash(tenant, "")
	w, ok := d.watches.get(key)
	if !ok {
		w.since = hour
	}
	if w.mails < watchedMails {
		w.mails++
	}
	if w.ready == 0 && w.mails >= watchedMails && hour >= w.since+watchedHours {
		w.ready = hour
	}
	d.watches.put(key, w)
}

// Of is which domains of m are new to the tenant of its first recipient.
func (d *Domains) Of(m *message.Message) (n message.Newcomers) {
	senders, links := domainsOf(m)
	tenant, hour := tenantsOf(m)[0], hourOf(m)
	d.mu.Lock()
	defer d.mu.Unlock()
	w, ok := d.watches.get(d.hash(tenant, ""))
	if !ok {
		return n
	}
	return message.Newcomers{Sender: d.newest(w, tenant, senders, hour), Link: d.newest(w, tenant, links, hour)}
}

// newest is the domain that was first seen last, if it is new.
func (d *Domains) newest(w watch, tenant string, names []string, hour uint32) (newest message.Newcomer) {
	if w.ready == 0 && len(names) > 0 {
		return message.Newcomer{State: message.StateUnknown}
	}
	for _, name := range names {
		b, mark := d.bucket(tenant, name)
		first, state := b.first(mark, hour)
		switch age := hour - min(first, hour); {
		case state == message.StateUnknown && newest.State == message.StateAbsent:
			newest.State = state
		case state == message.StatePresent && first > w.ready && age < newHours && (newest.State != message.StatePresent || age < newest.Hours):
			newest = message.Newcomer{State: message.StatePresent, Domain: name, Hours: age}
		}
	}
	return newest
}

// first is the hour since which a domain is known, this one if it is not; unknown where the bucket may have forgotten it.
func (b *bucket) first(mark, hour uint32) (first uint32, s message.State) {
	if i := b.find(mark); i >= 0 {
		return b.slots[i].first, message.StatePresent
	}
	if b.forgot != 0 && hour < b.forgot+reliableHours {
		return 0, message.StateUnknown
	}
	return hour, message.StatePresent
}

func (b *bucket) find(mark uint32) int {
	return slices.IndexFunc(b.slots[:], func(s sighting) bool { return s.mark == mark })
}

// see notes a domain; the one that was not seen for longest makes room.
func (b *bucket) see(mark, hour uint32) {
	if i := b.find(mark); i >= 0 {
		b.slots[i].last = max(b.slots[i].last, hour)
		return
	}
	oldest := &b.slots[0]
	for i := range b.slots {
		if s := &b.slots[i]; s.mark == 0 || oldest.mark != 0 && s.last < oldest.last {
			oldest = s
		}
	}
	if oldest.mark != 0 {
		b.forgot = max(b.forgot, oldest.last)
	}
	*oldest = sighting{mark, hour, hour}
}

func (d *Domains) bucket(tenant, name string) (b *bucket, mark uint32) {
	hash := d.hash(tenant, name)
	return &d.buckets[hash%bucketCount], max(uint32(hash>>32), 1)
}

func (d *Domains) hash(tenant, name string) uint64 {
	return highwayhash.Sum64([]byte(tenant+"\x00"+name), d.key[:])
}

// domainsOf are the registered domains that a mail comes from (author, envelope sender, valid signatures), and those that its
// links lead to besides, each once.
func domainsOf(m *message.Message) (senders, links []string) {
	signers := signersOf(m)
	for _, name := range append([]string{organisation(m.From.Domain), envelopeDomain(m)}, signers[:min(len(signers), maxSigners)]...) {
		if registered(name) && !slices.Contains(senders, name) {
			senders = append(senders, name)
		}
	}
	for _, h := range m.Facts.Guise.Hosts {
		if name := h.Domain; registered(name) && !slices.Contains(senders, name) && !slices.Contains(links, name) {
			links = append(links, name)
		}
	}
	return senders, links
}

// registered leaves out bare addresses (IPv4, IPv6) and names of one label that stand in the place of a domain.
func registered(name string) bool {
	dot := strings.LastIndexByte(name, '.')
	return dot > 0 && dot+1 < len(name) && (name[dot+1] < '0' || name[dot+1] > '9') && !strings.Contains(name, ":")
}

func hourOf(m *message.Message) uint32 { return uint32(m.Arrived.Unix() / hourLength) }

// SenderDomainNew speaks against mail from a registered domain (of its author, envelope sender or a valid signature) of which the
// tenant had no mail until lately. Everybody is new once: it says little alone. Unknown until a thousand mails and three days were
// seen, or where too much was seen to remember it. Value: 1 with the first mail, falling to 0 within three days. Argument: the domain.
func SenderDomainNew(m *message.Message) message.Result { return isNew(&m.Facts.Newcomers.Sender) }

// LinkDomainNew speaks against a link to a registered domain that no mail of the tenant came from or led to until lately. Unknown and
// value as for SenderDomainNew. Argument: the domain.
func LinkDomainNew(m *message.Message) message.Result { return isNew(&m.Facts.Newcomers.Link) }

func isNew(n *message.Newcomer) message.Result {
	switch n.State {
	case message.StatePresent:
		return message.Present(1-float64(n.Hours)/newHours, quote(n.Domain))
	case message.StateUnknown:
		return message.Unknown
	}
	return message.Absent
}
