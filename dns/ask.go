package dns

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"

	mdns "github.com/miekg/dns"
)

// ask answers from the cache, or joins or starts the question and waits for it until ctx ends.
func (r *Resolver) ask(ctx context.Context, name string, kind uint16) ([]mdns.RR, error) {
	name = mdns.CanonicalName(name)
	if _, ok := mdns.IsDomainName(name); !ok || len(name) > 255 {
		return nil, &net.DNSError{Err: "no domain name", Name: name, IsNotFound: true}
	}
	key := strconv.Itoa(int(kind)) + name
	if a, ok := r.cache.get(key); ok {
		return a.records, a.err
	}
	if r.health.down() {
		r.probe(key, name, kind)
		return nil, failure(name, errDown)
	}
	flight := r.flights.DoChan(key, func() (any, error) {
		select {
		case r.inFlight <- struct{}{}:
			defer func() { <-r.inFlight }()
		default:
			return answer{err: failure(name, errors.New("too many questions in flight"))}, nil
		}
		a := r.exchange(name, kind)
		r.cache.put(key, a)
		return a, nil
	})
	select {
	case result := <-flight:
		a := result.Val.(answer)
		return a.records, a.err
	case <-ctx.Done():
		return nil, failure(name, ctx.Err())
	}
}

var errDown = errors.New("no server answers")

// probe asks beside the judging path, one question at a time, while the servers are down.
func (r *Resolver) probe(key, name string, kind uint16) {
	if !r.health.probing.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer r.health.probing.Store(false)
		r.cache.put(key, r.exchange(name, kind))
	}()
}

// exchange asks the servers in turn, from the one that answered last, until one answers. It has its own time: who asked may be
// gone, and the answer serves the next.
func (r *Resolver) exchange(name string, kind uint16) answer {
	question := new(mdns.Msg)
	question.SetQuestion(name, kind)
	question.SetEdns0(r.udp.UDPSize, false)
	last, refused := errors.New("no server is configured"), false
	first := int(r.prefer.Load())
	for i := range r.servers {
		at := (first + i) % len(r.servers)
		server := r.servers[at]
		reply, _, err := r.udp.Exchange(question, server)
		if err == nil && reply.Truncated {
			reply, _, err = r.tcp.Exchange(question, server)
		}
		if err != nil {
			last = err
			continue
		}
		r.health.answered()
		if i > 0 {
			r.prefer.Store(int32(at))
		}
		switch {
		case reply.Rcode == mdns.RcodeSuccess || reply.Rcode == mdns.RcodeNameError:
			return answerOf(name, reply)
		default:
			last = errors.New("server answered " + mdns.RcodeToString[reply.Rcode])
			refused = true
		}
	}
	if !refused {
		r.health.failed()
	}
	return answer{err: failure(name, last), ttl: failureTTL}
}

// answerOf reads a reply: records with the least of their TTLs, or the negative answer with that of its SOA.
func answerOf(name string, reply *mdns.Msg) answer {
	a := answer{records: reply.Answer, ttl: maxTTL}
	for _, rr := range reply.Answer {
		a.ttl = min(a.ttl, seconds(rr.Header().Ttl))
	}
	if len(reply.Answer) > 0 {
		return a
	}
	a.ttl = defaultNegativeTTL
	for _, rr := range reply.Ns {
		if soa, ok := rr.(*mdns.SOA); ok {
			a.ttl = min(seconds(soa.Minttl), seconds(soa.Hdr.Ttl), maxNegativeTTL)
		}
	}
	a.err = &net.DNSError{Err: "no such record", Name: strings.TrimSuffix(name, "."), IsNotFound: true}
	return a
}

// failure is an error that may be otherwise later. It is never [context.DeadlineExceeded] itself, so that callers have one
// kind of error to tell apart.
func failure(name string, err error) error {
	return &net.DNSError{Err: err.Error(), Name: strings.TrimSuffix(name, "."), IsTemporary: true,
		IsTimeout: errors.Is(err, context.DeadlineExceeded)}
}
