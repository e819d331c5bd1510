package sip

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart/message"
)

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// RFC 4475: what its 49 messages are read as. Fault is for what a request is refused; loose is noted and let pass. The
// status of bigcode.dat is beyond 32 bits.
func TestTorture(t *testing.T) {
	var big Message
	if err := big.Read(read(t, "rfc4475/bigcode.dat")); !errors.Is(err, ErrNotSIP) {
		t.Errorf("bigcode: %v", err)
	}
	left := 48
	for _, tt := range []struct {
		file, method, from, to, via string
		fault, loose                string
	}{
		{"wsinv", "INVITE", "jdrosen@example.com", "vivekg@chair-dnrc.example.com", "192.0.2.2", "", ""},
		{"intmeth", "!interesting-Method0123456789_*+`.%indeed'~", "mundane@example.com", "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/@example.com", "host1.example.com", "", ""},
		{"esc01", "INVITE", "I have spaces@example.net", "user@example.com", "host5.example.net", "", ""},
		{"escnull", "REGISTER", "null-\x00-null@example.com", "null-\x00-null@example.com", "host5.example.com", "", ""},
		{"esc02", "RE%47IST%45R", "resource@example.com", "resource@example.com", "host.example.com", "", ""},
		{"lwsdisp", "OPTIONS", "caller@example.com", "user@example.com", "funky.example.com", "", ""},
		{"longreq", "INVITE", "amazinglylongcallernameamazinglylongcallernameamazinglylongcallernameamazinglylongcallernameamazinglylongcallername@example.net", "user@example.com", "sip33.example.com", "", ""},
		{"dblreq", "REGISTER", "j.user@example.com", "j.user@example.com", "192.0.2.125", "", ""},
		{"semiuri", "OPTIONS", "caller@example.org", "j_user@example.com", "192.0.2.1", "", ""},
		{"transports", "OPTIONS", "caller@example.com", "user@example.com", "t1.example.com", "", ""},
		{"mpart01", "MESSAGE", "fluffy@example.com", "kumiko@example.org", "127.0.0.1", "", ""},
		{"unreason", "", "user@example.com", "user@example.edu", "192.0.2.198", "", ""},
		{"noreason", "", "user@example.com", "user@example.edu", "192.0.2.105", "", ""},
		{"badinv01", "INVITE", "caller@example.net", "j.user@example.com", "192.0.2.15", "sip_via", ""},
		{"clerr", "INVITE", "caller@example.net", "j.user@example.com", "host5.example.com", "sip_content_length", ""},
		{"ncl", "INVITE", "caller@example.net", "j.user@example.com", "192.0.2.53", "sip_content_length", ""},
		{"scalar02", "REGISTER", "user@example.com", "user@example.com", "host129.example.com", "sip_cseq", "sip_max_forwards"},
		{"scalarlg", "", "other@example.net", "user@example.com", "host129.example.com", "", ""},
		{"quotbal", "INVITE", "caller@example.net", "", "192.0.2.59", "sip_address", ""},
		{"ltgtruri", "INVITE", "caller@example.net", "user@example.com", "192.0.2.5", "sip_request_uri", ""},
		{"lwsruri", "INVITE", "caller@example.net", "user@example.com", "192.0.2.1", "sip_start_line", ""},
		{"lwsstart", "INVITE", "caller@example.net", "user@example.com", "host1.example.com", "sip_start_line", ""},
		{"trws", "OPTIONS", "local-resource@example.com", "remote-target@example.com", "host1.examle.com", "sip_start_line", ""},
		{"escruri", "INVITE", "caller@example.net", "user@example.com", "host-of-the-hour.example.com", "sip_request_uri", ""},
		{"baddate", "INVITE", "caller@example.net", "user@example.com", "host.example.com", "", "sip_date"},
		{"regbadct", "REGISTER", "user@example.com", "user@example.com", "135.180.130.133", "", ""},
		{"badaspec", "OPTIONS", "a.g.bell@example.com", "t.watson@example.org", "host4.example.com", "", "sip_address_space"},
		{"baddn", "OPTIONS", "a.g.bell@example.com", "t.watson@example.org", "c.example.com", "", "sip_address_space"},
		{"badvers", "OPTIONS", "a.g.bell@example.com", "t.watson@example.org", "c.example.com", "sip_version", ""},
		{"mismatch01", "OPTIONS", "caller@example.net", "j.user@example.com", "host.example.com", "sip_cseq", ""},
		{"mismatch02", "NEWMETHOD", "caller@example.net", "j.user@example.com", "host.example.net", "sip_cseq", ""},
		{"badbranch", "OPTIONS", "caller@example.org", "user@example.com", "192.0.2.1", "", ""},
		{"insuf", "INVITE", "", "", "192.0.2.95", "sip_missing", ""},
		{"unkscm", "OPTIONS", "caller@example.net", "user@example.com", "host9.example.com", "sip_scheme", ""},
		{"novelsc", "OPTIONS", "caller@example.net", "user@example.com", "host9.example.com", "sip_scheme", ""},
		{"unksm2", "REGISTER", "http://www.example.com", "isbn:2983792873", "192.0.2.21", "", ""},
		{"bext01", "OPTIONS", "caller@example.net", "j_user@example.com", "fold-and-staple.example.com", "", ""},
		{"invut", "INVITE", "caller@example.net", "j.user@example.com", "somehost.example.com", "", ""},
		{"regaut01", "REGISTER", "j.user@example.com", "j.user@example.com", "192.0.2.253", "", ""},
		{"multi01", "INVITE", "caller@example.com", "user@example.com", "192.0.2.25", "sip_duplicate", ""},
		{"mcl01", "OPTIONS", "other@example.net", "user@example.com", "host5.example.net", "sip_duplicate", ""},
		{"bcast", "", "user@example.com", "user@example.edu", "192.0.2.198", "", ""},
		{"zeromf", "OPTIONS", "caller@example.net", "user@example.com", "host1.example.com", "", ""},
		{"cparam01", "REGISTER", "watson@example.com", "watson@example.com", "saturn.example.com", "", ""},
		{"cparam02", "REGISTER", "watson@example.com", "watson@example.com", "saturn.example.com", "", ""},
		{"regescrt", "REGISTER", "user@example.com", "user@example.com", "host5.example.com", "", ""},
		{"sdp01", "INVITE", "caller@example.net", "j_user@example.com", "192.0.2.15", "", ""},
		{"inv2543", "INVITE", "+13035551111", "+16505552222", "iftgw.example.com", "", ""},
	} {
		var m Message
		if err := m.Read(read(t, "rfc4475/"+tt.file+".dat")); err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		left--
		from, _ := ReadAddress(m.Get(From))
		to, _ := ReadAddress(m.Get(To))
		fromID, _ := from.Party()
		toID, _ := to.Party()
		loose := ""
		for _, a := range m.Anomalies {
			if a.Name != m.Fault && loose == "" {
				loose = a.Name
			}
		}
		var via Via
		for v := range m.Each(ViaField) {
			via, _ = ReadVia(v)
			break
		}
		got := []string{m.Method, fromID, toID, via.Host, m.Fault, loose}
		if want := []string{tt.method, tt.from, tt.to, tt.via, tt.fault, tt.loose}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", tt.file, got, want)
		}
	}
	if left != 0 {
		t.Errorf("%d of the messages are not in the table", left)
	}
}

func TestReadRefusesWhatIsNoSIP(t *testing.T) {
	for _, s := range []string{"", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "INVITE sip:a@b.example\r\n\r\n", "SIP/2.0 9999 x\r\n\r\n",
		"SIP/2.0\r\n\r\n", "INVITE SIP/2.0\r\n\r\n", " SIP/2.0\r\n\r\n", "\x00\x01\x02"} {
		var m Message
		if err := m.Read(s); !errors.Is(err, ErrNotSIP) && m.Fault == "" {
			t.Errorf("%q was taken: %+v", s, m)
		}
	}
}

func TestReadURI(t *testing.T) {
	for _, tt := range []struct{ uri, number, host, params string }{
		{"sip:+44-20-7946-0123@Example.COM;user=phone", "+442079460123", "example.com", "user=phone"},
		{"tel:+44-(0)20.7946.0123;phone-context=+44", "+4402079460123", "", "phone-context=+44"},
		{"tel:112", "112", "", ""},
		{"sip:+12125550123;npdi;rn=+12125550100@gw.example;user=phone", "+12125550123", "gw.example", "user=phone"},
		{"sips:%2b442079460123@example.com", "+442079460123", "example.com", ""},
		{"sip:anna:secret@example.com:5061;transport=tcp", "anna@example.com", "example.com", "transport=tcp"},
		{"sip:1001@[2001:db8::1]:5060", "1001", "[2001:db8::1]", ""},
		{"sip:example.com", "example.com", "example.com", ""},
		{"sip:anonymous@anonymous.invalid", "anonymous@anonymous.invalid", "anonymous.invalid", ""},
		{"sip:*67*555@example.com", "*67*555", "example.com", ""},
	} {
		u, ok := ReadURI(tt.uri)
		if !ok || u.Number() != tt.number || u.Host != tt.host || u.Params != tt.params {
			t.Errorf("%s: %v %+v %q", tt.uri, ok, u, u.Number())
		}
	}
	for _, s := range []string{"sip:::@@", "sip:", "sip:@", "sip:a@", "sip:a@b:port", "sip:a@b:99999999", "sip:a@b c", "tel:", "http://a.example",
		"<sip:a@b.example>", "a@b.example", "", "sip:a@[::1", "sip:a@[]"} {
		if u, ok := ReadURI(s); ok {
			t.Errorf("%q was taken: %+v", s, u)
		}
	}
}

func TestReadAddress(t *testing.T) {
	for _, tt := range []struct{ value, name, uri, tag string }{
		{`"Bob, \"the\" <b>" <sip:bob@b.example;x=1>;tag=a1;y="z;tag=no"`, `Bob, "the" <b>`, "sip:bob@b.example;x=1", "a1"},
		{"sip:bob@b.example;tag=a2", "", "sip:bob@b.example", "a2"},
		{"Bob <sip:bob@b.example> ; tag = a3", "Bob", "sip:bob@b.example", "a3"},
		{"<tel:+15550100>", "", "tel:+15550100", ""},
		{"\"\xff\" <sip:a@b.example>", "\ufffd", "sip:a@b.example", ""},
	} {
		if a, ok := ReadAddress(tt.value); !ok || a.Name != tt.name || a.URI != tt.uri || a.Tag() != tt.tag {
			t.Errorf("%s: %v %+v tag %q", tt.value, ok, a, a.Tag())
		}
	}
	for _, s := range []string{"", "<", `"open <sip:a@b.example>`, `"name" sip:a@b.example`, "<sip:a@b.example", "a b c"} {
		if a, ok := ReadAddress(s); ok {
			t.Errorf("%q was taken: %+v", s, a)
		}
	}
}

func TestReadVia(t *testing.T) {
	for _, tt := range []struct{ value, protocol, host, port, branch, address string }{
		{"SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK1;received=198.51.100.7;rport=5099", "SIP/2.0/UDP", "192.0.2.4", "5070", "z9hG4bK1", "198.51.100.7"},
		{"SIP / 2.0 / TCP  [2001:db8::1] : 5060 ; branch = b", "SIP/2.0/TCP", "[2001:db8::1]", "5060", "b", "2001:db8::1"},
		{"SIP/2.0/TLS gw.example", "SIP/2.0/TLS", "gw.example", "", "", "invalid IP"},
		{"SIP/2.0/UDP gw.example;received=2001:db8::7", "SIP/2.0/UDP", "gw.example", "", "", "2001:db8::7"},
	} {
		v, ok := ReadVia(tt.value)
		if got := []string{v.Protocol, v.Host, v.Port, v.Branch(), v.Received().String()}; !ok ||
			!slices.Equal(got, []string{tt.protocol, tt.host, tt.port, tt.branch, tt.address}) {
			t.Errorf("%s: %v %q", tt.value, ok, got)
		}
	}
	for _, s := range []string{"", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0 host", "SIP/2.0/UDP host:port", "SIP/2.0/UDP host;;", "SIP/2.0/UDP <x>"} {
		if v, ok := ReadVia(s); ok {
			t.Errorf("%q was taken: %+v", s, v)
		}
	}
}

// The route is trusted back through the operator's own relays, and the giver behind the last of them is the source.
func TestTrace(t *testing.T) {
	relays := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/28")}
	now := time.Unix(1_700_000_000, 0)
	var r Message
	if err := r.Read("INVITE sip:1@a.example SIP/2.0\r\nVia: SIP/2.0/UDP sbc.example;branch=1, SIP/2.0/TCP 10.0.0.1;received=192.0.2.5\r\n" +
		"v: SIP/2.0/UDP 198.51.100.9:5060\r\nVia: SIP/2.0/UDP 203.0.113.9\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		peer, source string
		trusted      []bool
	}{
		{"192.0.2.1", "198.51.100.9", []bool{true, true, true, false}},
		{"198.51.100.1", "198.51.100.1", []bool{true, false, false, false}},
	} {
		var m message.Message
		Hop{netip.MustParseAddr(tt.peer), "door", relays, now}.Trace(&m, &r)
		if m.Source.Address.String() != tt.source || len(m.Route) != 4 {
			t.Fatalf("%s: source %s, route %+v", tt.peer, m.Source.Address, m.Route)
		}
		for i, h := range m.Route {
			if h.Trusted != tt.trusted[i] {
				t.Errorf("%s: hop %d trusted %v", tt.peer, i, h.Trusted)
			}
		}
		if h := m.Route[0]; h.From != "sbc.example" || h.Address.String() != tt.peer || h.By != "door" || h.With != "SIP/2.0/UDP" || !h.At.Equal(now) {
			t.Errorf("nearest hop %+v", h)
		}
		if h := m.Route[1]; h.From != "10.0.0.1" || h.Address.String() != "192.0.2.5" || h.By != "sbc.example" || h.With != "SIP/2.0/TCP" {
			t.Errorf("second hop %+v", h)
		}
	}
}

// A message used again keeps nothing of the one before.
func TestReadAgain(t *testing.T) {
	var m, fresh Message
	_ = m.Read(read(t, "rfc4475/multi01.dat"))
	_ = m.Read(read(t, "rfc4475/unreason.dat"))
	_ = fresh.Read(read(t, "rfc4475/unreason.dat"))
	if m.Fault != "" || len(m.Anomalies) != 0 || len(m.Fields) != len(fresh.Fields) || m.first != fresh.first {
		t.Errorf("%+v", m)
	}
}

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/rfc4475/*.dat")
	if len(files) == 0 {
		f.Fatal("no seeds")
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, s string) {
		var m Message
		if m.Read(s) != nil {
			return
		}
		if m.Head+len(m.Body) != len(m.Raw) || !strings.Contains(s, m.Raw) || len(m.Fields) > maxFields {
			t.Fatalf("head %d, body %d, raw %d, %d fields", m.Head, len(m.Body), len(m.Raw), len(m.Fields))
		}
		last := 0
		for _, fld := range m.Fields {
			if fld.Start < last || fld.End > m.Head || fld.End <= fld.Start {
				t.Fatalf("field %q at %d:%d after %d", fld.Name, fld.Start, fld.End, last)
			}
			last = fld.End
		}
		var mm message.Message
		Hop{}.Trace(&mm, &m)
		for _, k := range []Kind{From, To, Contact, Diversion} {
			for v := range m.Each(k) {
				a, _ := ReadAddress(v)
				if id, _ := a.Party(); len(id) > 3*maxNumber {
					t.Fatalf("%d bytes of %q", len(id), v)
				}
			}
		}
	})
}

const invite = "INVITE sip:+442079460001@203.0.113.9:5060;user=phone SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7:5060;rport;branch=z9hG4bK74bf9\r\n" +
	"Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bK74bf8;received=192.0.2.4\r\nMax-Forwards: 69\r\n" +
	"From: \"Alice\" <sip:+442079460123@example.com;user=phone>;tag=9fxced76sl\r\nTo: <sip:+442079460001@example.com;user=phone>\r\n" +
	"Call-ID: 3848276298220188511@atlanta.example.com\r\nCSeq: 2 INVITE\r\nP-Asserted-Identity: <tel:+442079460123>\r\n" +
	"Contact: <sip:alice@198.51.100.7;transport=udp>\r\nUser-Agent: SBC/1.0\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n" +
	"Content-Type: application/sdp\r\nContent-Length: 142\r\n\r\nv=0\r\no=alice 2890844526 2890844526 IN IP4 client.atlanta.example.com\r\ns=-\r\n" +
	"c=IN IP4 192.0.2.101\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

func BenchmarkRead(b *testing.B) {
	b.SetBytes(int64(len(invite)))
	b.ReportAllocs()
	var m Message
	for b.Loop() {
		if err := m.Read(invite); err != nil || m.Fault != "" {
			b.Fatal(err, m.Fault)
		}
	}
}
