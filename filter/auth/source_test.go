package auth

import (
	"net/netip"
	"strings"
	"testing"

	"rempart/dns/dnstest"
	"rempart/message"
)

// Mail of a.example, which 192.0.2.1 may send, by way of forwarders at 198.51.100.0/28.
func TestTrustedForwarders(t *testing.T) {
	const (
		fromSource = "Received: from mx.a.example (mx.a.example [192.0.2.1]) by fwd.example with ESMTP; Mon, 3 Aug 2026 10:00:00 +0000\r\n"
		inForward  = "Received: from in.fwd.example (in.fwd.example [10.0.0.3]) by out.fwd.example with LMTP; Mon, 3 Aug 2026 10:00:01 +0000\r\n"
		second     = "Received: from fwd.example (fwd.example [198.51.100.2]) by fwd2.example with ESMTP; Mon, 3 Aug 2026 10:00:02 +0000\r\n"
		forged     = "Received: from mx.a.example (mx.a.example [192.0.2.1]) by fwd.example with ESMTP; Mon, 3 Aug 2026 09:00:00 +0000\r\n"
		fromSpam   = "Received: from spam.example (unknown [192.0.2.9]) by fwd.example with ESMTP; Mon, 3 Aug 2026 10:00:00 +0000\r\n"
		requeued   = "Received: by fwd.example (Postfix) id 1F4249; Mon, 3 Aug 2026 10:00:01 +0000\r\n"
		script     = "Received: by fwd.example (Postfix, from userid 33) id 1F4249; Mon, 3 Aug 2026 10:00:01 +0000\r\n"
		fetch      = "Received: from pop.fwd.example [203.0.113.9] by home.example with POP3 (fetchmail-6.4.37) for <ben@home.example> (single-drop); Mon, 3 Aug 2026 10:00:01 +0000\r\n"
		local      = "Received: from ann by fwd.example with local; Mon, 3 Aug 2026 10:00:00 +0000\r\n"
	)
	for name, tt := range map[string]struct {
		received, client, mailFrom string
		source, spf, dmarc         string
		listed                     message.State
	}{
		"direct":                {"", "192.0.2.1", "ann@a.example", "192.0.2.1", "pass", "pass", message.StateAbsent},
		"forwarded":             {fromSource, "198.51.100.2", "ann@a.example", "192.0.2.1", "pass", "pass", message.StateAbsent},
		"by an inner host":      {inForward + fromSource, "198.51.100.3", "ann@a.example", "192.0.2.1", "pass", "pass", message.StateAbsent},
		"by two":                {second + fromSource, "198.51.100.3", "ann@a.example", "192.0.2.1", "pass", "pass", message.StateAbsent},
		"sender rewritten":      {fromSource, "198.51.100.2", "SRS0=Ab+c=XY=a.example=ann@fwd.example", "192.0.2.1", "pass", "pass", message.StateAbsent},
		"by one not trusted":    {fromSource, "203.0.113.5", "ann@a.example", "203.0.113.5", "fail", "fail", message.StateAbsent},
		"spam, forwarded":       {fromSpam + forged, "198.51.100.2", "ann@a.example", "192.0.2.9", "fail", "fail", message.StatePresent},
		"born at the forwarder": {local, "198.51.100.2", "ann@a.example", "198.51.100.2", "fail", "fail", message.StateAbsent},
		"by .forward":           {requeued + fromSource, "198.51.100.2", "ann@a.example", "192.0.2.1", "pass", "pass", message.StateAbsent},
		"by a script there":     {script + forged, "198.51.100.2", "ann@a.example", "198.51.100.2", "fail", "fail", message.StateAbsent},
		"fetched":               {fetch + fromSource, "198.51.100.2", "ann@a.example", "192.0.2.1", "pass", "pass", message.StateAbsent},
		"by a host inside":      {"", "10.0.0.3", "ann@a.example", "10.0.0.3", "", "fail", message.StateAbsent},
		"forwarder says naught": {"", "198.51.100.2", "ann@a.example", "198.51.100.2", "fail", "fail", message.StateAbsent},
	} {
		c := newChecker(t, dnstest.Serve(t, zone...), List{Zone: "bl.example"})
		var err error
		if _, c.forwarders, err = (Config{TrustedForwarders: []string{"198.51.100.0/28"}}).compile(); err != nil {
			t.Fatal(err)
		}
		m := mail(tt.received + plain)
		m.Source.Address, m.MailFrom, m.Helo = netip.MustParseAddr(tt.client), tt.mailFrom, "out.fwd.example"
		c.Check(t.Context(), m)
		a := m.Facts.Auth
		if a.Source.String() != tt.source || a.SPF != tt.spf || a.DMARC != tt.dmarc || Listed(m).State != tt.listed {
			t.Errorf("%s: %+v, %+v", name, a, m.Facts.Listings)
		}
		if m.Source.Address.String() != tt.client {
			t.Errorf("%s: the source became %v", name, m.Source.Address)
		}
		forwarded := tt.source != tt.client
		if r := DMARCFail(m); tt.dmarc == "fail" && (r.Value == 1) != forwarded {
			t.Errorf("%s: dmarc_fail %+v", name, r)
		}
	}
}

func TestUnwrapSRS(t *testing.T) {
	for address, want := range map[string]string{
		"SRS0=HHH=TT=a.example=ann@fwd.example":                  "ann@a.example",
		"srs0+HHH=TT=a.example=ann=tag@fwd.example":              "ann=tag@a.example",
		"SRS1=GGG=one.example==HHH=TT=a.example=ann@two.example": "ann@a.example",
		"SRS0=HHH=TT=a.example@fwd.example":                      "SRS0=HHH=TT=a.example@fwd.example",
		"SRS0=HHH=TT==ann@fwd.example":                           "SRS0=HHH=TT==ann@fwd.example",
		"srsly=fine@a.example":                                   "srsly=fine@a.example",
		"ann@a.example":                                          "ann@a.example",
		"":                                                       "",
	} {
		if got := unwrapSRS(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func FuzzUnwrapSRS(f *testing.F) {
	f.Add("SRS0=HHH=TT=a.example=ann@fwd.example")
	f.Add("SRS1=GGG=one.example==HHH=TT=a.example=ann@two.example")
	f.Fuzz(func(t *testing.T, address string) {
		if got := unwrapSRS(address); got != address && (!strings.Contains(got, "@") || len(got) >= len(address)) {
			t.Fatalf("%q became %q", address, got)
		}
	})
}

func TestTrustConfig(t *testing.T) {
	_, err := New(nil, nil, Config{TrustedSealers: []string{"", "a..example", "good.example"}, TrustedForwarders: []string{"192.0.2.0/24", "host.example"}})
	for _, want := range []string{"auth.trusted_sealers[0]", "auth.trusted_sealers[1]", "auth.trusted_forwarders[1]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
