package sign

import (
	"strings"
	"testing"
	"time"

	"rempart/dns/dnstest"
	"rempart/message/dkim"
)

// rotation is a domain whose key is changed: of each algorithm an old key and a new one.
func rotation(t *testing.T) (s *Signer, c Config) {
	for _, selector := range []string{"old", "new"} {
		for _, algorithm := range []string{dkim.RSA, dkim.Ed25519} {
			path, _ := keyFile(t, algorithm)
			c.Key = append(c.Key, KeyConfig{Domain: "a.example", Selector: selector + "-" + algorithm[:3], File: path})
		}
	}
	return load(t, c), c
}

// signers are the selectors that sign now.
func signers(t *testing.T, s *Signer, at time.Time) string {
	t.Helper()
	fields, _ := s.Sign(outgoing(plain), at)
	var names []string
	for _, f := range fields {
		tags, err := dkim.ParseTags(f.Value)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, tags["s"])
	}
	return strings.Join(names, " ")
}

// only keeps the records of some selectors.
func only(all []string, selectors ...string) (some []string) {
	for _, r := range all {
		for _, s := range selectors {
			if strings.HasPrefix(r, s) {
				some = append(some, r)
			}
		}
	}
	return some
}

// From the old key to the new one, the records of each day served by a DNS server: at no time does a key sign that others could
// not verify then, and at no time is mail unsigned.
func TestRotation(t *testing.T) {
	s, _ := rotation(t)
	all := records(s)
	now := today
	for _, step := range []struct {
		what    string
		after   time.Duration
		records []string
		fail    bool
		signers string
	}{
		{"before DNS was asked", 0, nil, true, "old-rsa old-ed2"},
		{"the old records alone", time.Minute, only(all, "old"), false, "old-rsa old-ed2"},
		{"the new RSA record appears", time.Minute, only(all, "old", "new-rsa"), false, "old-rsa old-ed2"},
		{"it is still there", 59 * time.Minute, only(all, "old", "new-rsa"), false, "old-rsa old-ed2"},
		{"for an hour", time.Minute, all, false, "new-rsa old-ed2"},
		{"both for an hour", time.Hour, all, false, "new-rsa new-ed2"},
		{"DNS does not answer", time.Hour, nil, true, "new-rsa new-ed2"},
		{"the old records are taken away", time.Hour, only(all, "new"), false, "new-rsa new-ed2"},
		{"a new record is lost", time.Hour, only(all, "new-rsa", "old"), false, "new-rsa old-ed2"},
	} {
		now = now.Add(step.after)
		zone := dnstest.Serve(t, append(step.records, "x.example. 60 IN A 192.0.2.1")...)
		if step.fail {
			for _, k := range s.Keys(now) {
				zone.Fail(k.Name())
			}
		}
		s.Look(t.Context(), resolver(t, zone), now)
		got := signers(t, s, now)
		if got != step.signers {
			t.Errorf("%s: %s sign, want %s", step.what, got, step.signers)
		}
		if step.fail {
			continue
		}
		fields, _ := s.Sign(outgoing(plain), now)
		if status := statuses(verified(checker(t, step.records...), before(plain, fields))); strings.Count(status, "=pass") != 2 {
			t.Errorf("%s: others find %s", step.what, status)
		}
	}
}

// The old record was taken away too early, or the old key lost: the new key signs as soon as it is published.
func TestRotationInAHurry(t *testing.T) {
	s, _ := rotation(t)
	all := records(s)
	s.Look(t.Context(), resolver(t, dnstest.Serve(t, only(all, "new")...)), today)
	if got := signers(t, s, today); got != "new-rsa new-ed2" {
		t.Errorf("%s", got)
	}
	s, _ = rotation(t)
	s.Look(t.Context(), resolver(t, dnstest.Serve(t, all[0])), today) // of other keys
	if fields, outcome := s.Sign(outgoing(plain), today); outcome != Unpublished || fields != nil {
		t.Errorf("%s, %v", outcome, fields)
	}
}

// A domain's first key signs as long as DNS was not heard about it, and not once DNS says that it has no record.
func TestFirstKey(t *testing.T) {
	path, _ := keyFile(t, dkim.Ed25519)
	s := load(t, Config{Key: []KeyConfig{{Domain: "a.example", Selector: "s", File: path}}})
	sign := func(when, want string) {
		t.Helper()
		if got := signers(t, s, today); got != want {
			t.Errorf("%s: %q signs", when, got)
		}
	}
	sign("before DNS was asked", "s")
	silent := dnstest.Serve(t, "x.example. 60 IN A 192.0.2.1")
	silent.Fail("s._domainkey.a.example")
	s.Look(t.Context(), resolver(t, silent), today)
	sign("DNS does not answer", "s")
	s.Look(t.Context(), resolver(t, dnstest.Serve(t, "x.example. 60 IN A 192.0.2.1")), today)
	sign("there is no record", "")
	s.Look(t.Context(), resolver(t, silent), today)
	sign("DNS does not answer any more", "")
	s.Look(t.Context(), resolver(t, dnstest.Serve(t, records(s)...)), today)
	sign("the record appears", "s")
}

func TestWhatDNSHas(t *testing.T) {
	path, p := keyFile(t, dkim.Ed25519)
	_, other := keyFile(t, dkim.Ed25519)
	record := func(text string) string { return `s._domainkey.a.example. 60 IN TXT "` + text + `"` }
	for _, tt := range []struct {
		zone  []string
		state State
		why   string
	}{
		{[]string{record(p.Record())}, Published, ""},
		{[]string{record(p.Record() + "; t=y")}, Published, "the record says that the domain only tries DKIM out (t=y)"},
		{[]string{record(other.Record())}, Wrong, "the record holds another key"},
		{[]string{record("v=DKIM1; k=ed25519; p=")}, Wrong, "key is revoked"},
		{[]string{record("hello")}, Wrong, "key record is malformed"},
		{[]string{record(p.Record()), record("x=y")}, Wrong, "DNS has several records there"},
		{[]string{"x.example. 60 IN A 192.0.2.1"}, Missing, "DNS has no such record"},
	} {
		s := load(t, Config{Key: []KeyConfig{{Domain: "a.example", Selector: "s", File: path}}})
		changed := s.Look(t.Context(), resolver(t, dnstest.Serve(t, tt.zone...)), today)
		if len(changed) != 1 || changed[0].State != tt.state || changed[0].Why != tt.why || changed[0].Signs != (tt.state == Published) {
			t.Errorf("%v: %+v", tt.zone, changed)
		}
		if again := s.Look(t.Context(), resolver(t, dnstest.Serve(t, tt.zone...)), today); again != nil {
			t.Errorf("%v: changed again: %+v", tt.zone, again)
		}
	}
}

// What was found out stays when the configuration is read again; another key under the same selector begins anew.
func TestInherit(t *testing.T) {
	s, c := rotation(t)
	s.Look(t.Context(), resolver(t, dnstest.Serve(t, records(s)...)), today)
	c.Key[0].File, _ = keyFile(t, dkim.RSA)
	next := load(t, c)
	next.Inherit(s)
	var states []string
	for _, k := range next.Keys(today) {
		states = append(states, string(k.State))
	}
	if got := strings.Join(states, " "); got != "unknown published published published" {
		t.Error(got)
	}
	if got := signers(t, next, today.Add(time.Hour)); got != "new-rsa new-ed2" {
		t.Error(got)
	}
}

func TestZone(t *testing.T) {
	want := "s._domainkey.a.example. IN TXT (\n\t\"" + strings.Repeat("x", 255) + "\"\n\t\"y\" )\n"
	if got := Zone("s._domainkey.a.example", strings.Repeat("x", 255)+"y"); got != want {
		t.Error(got)
	}
}
