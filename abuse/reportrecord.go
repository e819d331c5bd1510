package abuse

import (
	"net/netip"
	"time"

	"rempart/wire"
)

// A record of stream Reports is one version byte and these fields.
const reportVersion = 1

const (
	reportOrganisation wire.Tag = 1
	reportVerified     wire.Tag = 2
	reportDomain       wire.Tag = 3
	reportBegin        wire.Tag = 4
	reportEnd          wire.Tag = 5
	reportPolicy       wire.Tag = 6
	reportSource       wire.Tag = 7
	reportRest         wire.Tag = 8
	reportTLS          wire.Tag = 9
)

// Fields of a source and of the rest.
const (
	countAddress     wire.Tag = 1
	countMails       wire.Tag = 2
	countPassed      wire.Tag = 3
	countDKIM        wire.Tag = 4
	countSPF         wire.Tag = 5
	countQuarantined wire.Tag = 6
	countRejected    wire.Tag = 7
)

// Fields of connections.
const (
	tlsResult   wire.Tag = 1
	tlsSessions wire.Tag = 2
)

func (r *Report) marshal() []byte {
	b := wire.AppendString([]byte{reportVersion}, reportOrganisation, clip(r.Organisation, maxField))
	b = wire.AppendString(b, reportVerified, clip(r.Verified, maxField))
	b = wire.AppendString(b, reportDomain, clip(r.Domain, maxField))
	b = wire.AppendInt(b, reportBegin, seconds(r.Begin))
	b = wire.AppendInt(b, reportEnd, seconds(r.End))
	b = wire.AppendString(b, reportPolicy, clip(r.Policy, maxField))
	for _, s := range r.Sources {
		b = wire.AppendRecord(b, reportSource, func(b []byte) []byte {
			return s.Counts.append(wire.AppendBytes(b, countAddress, s.Address.AsSlice()))
		})
	}
	if r.Rest != (Counts{}) {
		b = wire.AppendRecord(b, reportRest, r.Rest.append)
	}
	for _, x := range r.TLS {
		b = wire.AppendRecord(b, reportTLS, func(b []byte) []byte {
			return wire.AppendUint(wire.AppendString(b, tlsResult, clip(x.Result, maxField)), tlsSessions, x.Sessions)
		})
	}
	return b
}

func (c Counts) append(b []byte) []byte {
	for i, n := range []uint64{c.Mails, c.Passed, c.DKIM, c.SPF, c.Quarantined, c.Rejected} {
		b = wire.AppendUint(b, countMails+wire.Tag(i), n)
	}
	return b
}

func unmarshalReport(b []byte) (r Report, err error) {
	if len(b) == 0 || b[0] != reportVersion {
		return r, wire.ErrVersion
	}
	err = wire.Fields(b[1:], func(tag wire.Tag, c wire.Content) error {
		switch tag {
		case reportOrganisation:
			r.Organisation = c.String()
		case reportVerified:
			r.Verified = c.String()
		case reportDomain:
			r.Domain = c.String()
		case reportBegin:
			r.Begin = timeOf(c.Int())
		case reportEnd:
			r.End = timeOf(c.Int())
		case reportPolicy:
			r.Policy = c.String()
		case reportSource, reportRest:
			s, err := readSource(c)
			if tag == reportRest {
				r.Rest = s.Counts
			} else if s.Address.IsValid() && len(r.Sources) < maxSources {
				r.Sources = append(r.Sources, s)
			}
			return err
		case reportTLS:
			var x TLSCounts
			err := wire.Fields(c, func(tag wire.Tag, c wire.Content) error {
				switch tag {
				case tlsResult:
					x.Result = c.String()
				case tlsSessions:
					x.Sessions = c.Uint()
				}
				return nil
			})
			if len(r.TLS) < maxSources {
				r.TLS = append(r.TLS, x)
			}
			return err
		}
		return nil
	})
	return r, err
}

func readSource(b wire.Content) (s Source, err error) {
	counts := []*uint64{&s.Mails, &s.Passed, &s.DKIM, &s.SPF, &s.Quarantined, &s.Rejected}
	err = wire.Fields(b, func(tag wire.Tag, c wire.Content) error {
		switch {
		case tag == countAddress:
			s.Address, _ = netip.AddrFromSlice(c)
		case tag >= countMails && tag <= countRejected:
			*counts[tag-countMails] = c.Uint()
		}
		return nil
	})
	return s, err
}

// seconds is a time as it is stored; 0 if it is not known.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func timeOf(seconds int64) time.Time {
	if seconds <= 0 || seconds > 1<<33 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
