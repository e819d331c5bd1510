package link

import (
	"strings"

	"rempart/message"
)

// shorteners hide where a link leads. The services that public lists of shorteners agree on and that still answer; those
// that belong to one site (t.co, lnkd.in, youtu.be, amzn.to) are left out, since they lead where they say.
var shorteners = map[string]bool{
	"bit.ly": true, "bitly.com": true, "tinyurl.com": true, "is.gd": true, "v.gd": true, "ow.ly": true, "buff.ly": true,
	"rebrand.ly": true, "cutt.ly": true, "t.ly": true, "rb.gy": true, "shorturl.at": true, "shorturl.asia": true, "tiny.cc": true,
	"bl.ink": true, "s.id": true, "clck.ru": true, "goo.su": true, "vk.cc": true, "u.to": true, "qr.ae": true, "adf.ly": true,
	"bc.vc": true, "shorte.st": true, "soo.gd": true, "s2r.co": true, "t2m.io": true, "tny.im": true, "urlz.fr": true,
	"x.gd": true, "x.co": true, "zpr.io": true, "dwz.cn": true, "suo.im": true, "url.cn": true, "t.cn": true, "n9.cl": true,
	"acortar.link": true, "shrtco.de": true, "qrco.de": true, "lc.cx": true, "kutt.it": true, "chilp.it": true,
}

// Shortener speaks against links through a public shortener. Value: log2 of their number, 1 to 4. Argument: the host.
func Shortener(m *message.Message) message.Result {
	n, first := 0, ""
	for i := range m.Facts.Guise.Hosts {
		h := &m.Facts.Guise.Hosts[i]
		if len(h.Name) <= 14 && shorteners[strings.TrimPrefix(h.Name, "www.")] {
			if n += h.Links; first == "" {
				first = h.Name
			}
		}
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), first)
}

// UserInfo speaks against a link with user information before its host (RFC 3986 section 3.2.1), which readers take for
// the host: http://bank.example@192.0.2.1/. Value: 1. Argument: the true host.
func UserInfo(m *message.Message) message.Result {
	for i := range m.Links {
		l := &m.Links[i]
		if !l.Kind.Followed() || l.Host == "" {
			continue
		}
		authority := authorityOf(l.URL)
		if at := strings.LastIndexByte(authority, '@'); at > 0 {
			return message.Present(1, quote(l.Host))
		}
	}
	return message.Absent
}

// authorityOf is what stands between "//" and the path.
func authorityOf(url string) string {
	i := strings.Index(url, "//")
	if i < 0 || i > 8 {
		return ""
	}
	rest := url[i+2:]
	if n := strings.IndexAny(rest, `/\?#`); n >= 0 {
		rest = rest[:n]
	}
	return rest
}

// ScriptLink speaks against a link that is a program or a whole page in itself: javascript:, vbscript:, data: with
// markup. Value: 1. Argument: the scheme.
func ScriptLink(m *message.Message) message.Result {
	for i := range m.Links {
		l := &m.Links[i]
		if l.Kind == message.LinkImage {
			continue
		}
		switch l.Scheme {
		case "javascript":
			if len(l.URL) > len("javascript:void(0);") { // an empty one is a dead button
				return message.Present(1, l.Scheme)
			}
		case "vbscript", "data", "blob":
			return message.Present(1, l.Scheme)
		}
	}
	return message.Absent
}

// Redirect speaks a little against links that carry another web address as a parameter: an open redirect lends a good
// name. Honest trackers do so too. Value: log2 of their number, 1 to 4. Argument: the host that redirects.
func Redirect(m *message.Message) message.Result {
	n, first := 0, ""
	for i := range m.Links {
		l := &m.Links[i]
		if !l.Kind.Followed() || len(l.URL) < 20 || l.Host == "" {
			continue
		}
		rest := l.URL[8:]
		if strings.Contains(rest, "http://") || strings.Contains(rest, "https://") || strings.Contains(rest, "http%3") || strings.Contains(rest, "https%3") {
			if n++; n == 1 {
				first = l.Host
			}
		}
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), quote(first))
}

// UnusualPort speaks against a link to a port other than the web's own and 8080, 8443. Value: 1. Arguments: host, port.
func UnusualPort(m *message.Message) message.Result {
	for i := range m.Links {
		l := &m.Links[i]
		if !l.Kind.Followed() || l.Host == "" {
			continue
		}
		authority := authorityOf(l.URL)
		colon := strings.LastIndexByte(authority, ':')
		if colon < 0 || strings.HasSuffix(authority, "]") || strings.IndexByte(authority[colon:], '@') >= 0 {
			continue
		}
		switch port := authority[colon+1:]; port {
		case "", "80", "443", "8080", "8443":
		default:
			if len(port) <= 5 && strings.Trim(port, "0123456789") == "" {
				return message.Present(1, quote(l.Host), port)
			}
		}
	}
	return message.Absent
}

// Labels and bytes of a host from which on it is long: the longest of honest newsletters' trackers stay below.
const (
	deepLabels = 6
	longHost   = 60
)

// DeepHost speaks against hosts of many labels or great length: a known name in front, the true one out of sight.
// Value: 1. Argument: the host.
func DeepHost(m *message.Message) message.Result {
	for i := range m.Facts.Guise.Hosts {
		host := m.Facts.Guise.Hosts[i].Name
		if !strings.HasPrefix(host, "[") && (len(host) > longHost || strings.Count(host, ".") >= deepLabels) {
			return message.Present(1, quote(host))
		}
	}
	return message.Absent
}

// BrandInside speaks against a host that carries another registered name inside itself, as "www.bank.com.evil.example"
// does: a label of the common top level domains that is not the last. Value: 1. Argument: the host.
func BrandInside(m *message.Message) message.Result {
	for i := range m.Facts.Guise.Hosts {
		h := &m.Facts.Guise.Hosts[i]
		if sub := strings.TrimSuffix(h.Name, h.Domain); len(sub) > 5 && len(sub) < len(h.Name) &&
			(strings.Contains(sub[1:], ".com.") || strings.Contains(sub[1:], ".org.") || strings.Contains(sub[1:], ".gov.") || strings.Contains(sub[1:], "-com.")) {
			return message.Present(1, quote(h.Name))
		}
	}
	return message.Absent
}

// Links says how many links the reader can follow; a text with one is another thing than one with none. Value: log2 of
// their number, 1 to 4. Argument: their number.
func Links(m *message.Message) message.Result {
	n := 0
	for i := range m.Facts.Guise.Hosts {
		n += m.Facts.Guise.Hosts[i].Links
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), n)
}
