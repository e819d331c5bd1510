package email

import (
	"strings"

	"rempart/message"
	"rempart/message/link"
)

// maxOpen bounds the open elements that are remembered; deeper ones inherit the look of the last.
const maxOpen = 512

// html reads markup the way a mail program shows it (WHATWG HTML section 13.2, tokens only, no tree): what is seen, what
// is hidden, and where links lead.
type html struct {
	p       *parser
	src     string
	pos     int
	visible []byte
	hidden  []byte
	open    []element
	look    look
	sheets  bool   // a style sheet sets backgrounds: those of elements with a class are not known
	base    string // host of <base>
	anchor  int    // link whose text is being read, or -1
	from    int    // where its text begins in visible
	spans   []span
	openBuf [64]element
}

// element is an open element: its name packed into a number, and the look around it.
type element struct {
	name  uint64
	outer look
}

// span is the visible text of an anchor.
type span struct{ link, from, to int }

// readHTML fills HTMLText, HiddenText and the links of the HTML parts.
func (p *parser) readHTML() {
	h := html{p: p, anchor: -1}
	for _, markup := range p.htmls {
		if h.visible == nil {
			h.visible = make([]byte, 0, len(markup)/3+64)
			if n := strings.Count(markup, "href"); n > 0 && p.m.Links == nil {
				p.m.Links = make([]message.Link, 0, min(n+n/2+4, maxLinks))
			}
		}
		h.read(markup)
	}
	h.closeAnchor()
	p.m.HTMLText = strings.TrimRight(clean(view(h.visible)), " \n")
	p.m.HiddenText = strings.TrimRight(clean(view(h.hidden)), " \n")
	for _, s := range h.spans {
		if s.to <= len(p.m.HTMLText) {
			p.m.Links[s.link].Text = strings.TrimSpace(p.m.HTMLText[s.from:s.to])
		} else if s.from < len(p.m.HTMLText) {
			p.m.Links[s.link].Text = strings.TrimSpace(p.m.HTMLText[s.from:])
		}
	}
	p.textLinks(p.m.HTMLText, h.spans)
}

func (h *html) read(markup string) {
	h.src, h.pos = markup, 0
	h.open = h.openBuf[:0]
	h.look = look{text: black, back: white}
	for h.pos < len(h.src) {
		lt := strings.IndexByte(h.src[h.pos:], '<')
		if lt < 0 {
			h.write(h.src[h.pos:])
			return
		}
		if lt > 0 {
			h.write(h.src[h.pos : h.pos+lt])
			h.pos += lt
		}
		if h.pos+1 >= len(h.src) {
			return
		}
		switch c := h.src[h.pos+1]; {
		case letter(c):
			h.startTag()
		case c == '/':
			h.endTag()
		case c == '!' || c == '?':
			h.comment()
		default:
			h.write("<")
			h.pos++
		}
	}
}

// comment passes over a comment, a declaration or a processing instruction.
func (h *html) comment() {
	rest := h.src[h.pos:]
	end, size := ">", 1
	if strings.HasPrefix(rest, "<!--") {
		if strings.HasPrefix(rest, "<!-->") {
			h.pos += 5
			return
		}
		end, size = "-->", 3
	}
	i := strings.Index(rest, end)
	if i < 0 {
		h.pos = len(h.src)
		return
	}
	h.pos += i + size
}

// name reads a tag's name at h.pos into buf in lower case; names longer than buf are cut.
func (h *html) name(buf *[12]byte) []byte {
	n := 0
	for h.pos < len(h.src) {
		c := h.src[h.pos]
		if c <= ' ' || c == '>' || c == '/' {
			break
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if n < len(buf) {
			buf[n] = c
			n++
		}
		h.pos++
	}
	return buf[:n]
}

// pack makes a number of a name's first eight letters.
func pack(name []byte) (v uint64) {
	for _, c := range name[:min(len(name), 8)] {
		v = v<<8 | uint64(c)
	}
	return v
}

func (h *html) endTag() {
	h.pos += 2
	var buf [12]byte
	name := h.name(&buf)
	if gt := strings.IndexByte(h.src[h.pos:], '>'); gt >= 0 {
		h.pos += gt + 1
	} else {
		h.pos = len(h.src)
	}
	if string(name) == "a" {
		h.closeAnchor()
	}
	h.breakAt(name)
	h.pop(pack(name), 100)
}

// pop closes the innermost open element of that name, and those inside it.
func (h *html) pop(name uint64, reach int) {
	for i := len(h.open) - 1; i >= 0 && i >= len(h.open)-reach; i-- {
		if h.open[i].name == name {
			h.look = h.open[i].outer
			h.open = h.open[:i]
			return
		}
	}
}

func (h *html) startTag() {
	h.pos++
	var buf [12]byte
	name := h.name(&buf)
	var a attributes
	h.attributes(&a)
	h.breakAt(name)
	outer := h.look
	void := false
	switch string(name) {
	case "script", "template", "noembed", "noframes", "title", "xml", "svg":
		h.skipRaw(name)
		return
	case "style":
		start := h.pos
		h.skipRaw(name)
		h.sheets = h.sheets || strings.Contains(h.src[start:h.pos], "background")
		return
	case "br", "hr", "wbr", "col", "param", "source", "track":
		void = true
	case "img", "input", "link", "meta", "base", "embed", "area", "frame":
		h.fetch(name, &a)
		void = true
	case "a", "form", "iframe", "object", "button":
		h.fetch(name, &a)
	case "p", "li", "option", "td", "th", "tr": // their end tags may be left out
		if n := len(h.open); n > 0 && h.open[n-1].name == pack(name) {
			h.pop(pack(name), 1)
			outer = h.look
		}
	}
	h.look.attributes(&a, h.sheets)
	if a.background != "" {
		h.link(a.background, message.LinkImage)
	}
	if string(name) == "img" && a.alt != "" {
		h.write(a.alt)
	}
	if void || a.selfClosing {
		h.look = outer
		return
	}
	if len(h.open) < maxOpen {
		h.open = append(h.open, element{pack(name), outer})
	}
}

// skipRaw passes over the text of an element that is not shown.
func (h *html) skipRaw(name []byte) {
	for h.pos < len(h.src) {
		i := strings.Index(h.src[h.pos:], "</")
		if i < 0 {
			h.pos = len(h.src)
			return
		}
		h.pos += i + 2
		if len(h.src)-h.pos >= len(name) && strings.EqualFold(h.src[h.pos:h.pos+len(name)], string(name)) {
			if gt := strings.IndexByte(h.src[h.pos:], '>'); gt >= 0 {
				h.pos += gt + 1
			} else {
				h.pos = len(h.src)
			}
			return
		}
	}
}

// breakAt writes the space that an element puts between words.
func (h *html) breakAt(name []byte) {
	switch string(name) {
	case "p", "div", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "br", "hr", "blockquote", "pre",
		"center", "section", "article", "header", "footer", "form", "dl", "dd", "dt", "body", "title", "option":
		h.visible = space(h.visible, '\n')
		if len(h.hidden) > 0 {
			h.hidden = space(h.hidden, '\n')
		}
	case "td", "th", "img", "input", "button":
		h.visible = space(h.visible, ' ')
	}
}

// space ends a word or a line; runs of it become one.
func space(b []byte, c byte) []byte {
	if len(b) == 0 {
		return b
	}
	switch b[len(b)-1] {
	case '\n':
		return b
	case ' ':
		if c == '\n' {
			b[len(b)-1] = c
		}
		return b
	}
	return append(b, c)
}

// write adds text to what is seen or hidden: entities decoded, white space collapsed.
func (h *html) write(s string) {
	if h.look.hides() {
		h.hidden = appendText(h.hidden, s)
		return
	}
	h.visible = appendText(h.visible, s)
}

func appendText(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c <= ' ' {
			b = space(b, ' ')
			i++
			continue
		}
		if c == '&' {
			n := 0
			if b, n = appendEntity(b, s[i:], false); n > 0 {
				i += n
				continue
			}
			b = append(b, '&')
			i++
			continue
		}
		n := i + 1
		for n < len(s) && s[n] > ' ' && s[n] != '&' {
			n++
		}
		b = append(b, s[i:n]...)
		i = n
	}
	return b
}

// closeAnchor ends the text of the open anchor.
func (h *html) closeAnchor() {
	if h.anchor >= 0 {
		h.spans = append(h.spans, span{h.anchor, h.from, len(h.visible)})
		h.anchor = -1
	}
}

// fetch notes where an element leads or what it loads.
func (h *html) fetch(name []byte, a *attributes) {
	switch string(name) {
	case "a", "area":
		h.closeAnchor()
		if a.href == "" || a.href[0] == '#' {
			return
		}
		if at, ok := h.link(a.href, message.LinkHref); ok && len(name) == 1 {
			h.anchor, h.from = at, len(h.visible)
		}
	case "img", "input":
		h.link(a.src, message.LinkImage)
	case "form", "button":
		h.link(a.action, message.LinkForm)
	case "iframe", "frame", "embed", "object":
		h.link(a.src, message.LinkOther)
	case "link":
		h.link(a.href, message.LinkOther)
	case "base":
		if _, host := link.Split(a.href); host != "" && h.base == "" {
			h.base = host
			h.link(a.href, message.LinkOther)
		}
	case "meta":
		if !strings.EqualFold(a.equiv, "refresh") {
			return
		}
		if i := strings.IndexByte(a.content, '='); i >= 0 {
			h.link(strings.Trim(a.content[i+1:], ` "'`), message.LinkOther)
		}
	}
}

// link adds a link; url is as written in the attribute.
func (h *html) link(url string, kind message.LinkKind) (at int, ok bool) {
	url = strings.Trim(url, " \t\r\n")
	if url == "" || kind == message.LinkImage && len(url) > 4 && strings.EqualFold(url[:4], "cid:") {
		return 0, false
	}
	if strings.IndexByte(url, '&') >= 0 {
		url = view(appendAttribute(make([]byte, 0, len(url)), url))
	}
	l := message.Link{URL: url, Kind: kind}
	l.Scheme, l.Host = link.Split(url)
	if l.Scheme == "" && l.Host == "" {
		l.Host = h.base
	}
	return h.p.addLink(l)
}

func (p *parser) addLink(l message.Link) (at int, ok bool) {
	if len(p.m.Links) >= maxLinks {
		p.note(CutLinks, "")
		return 0, false
	}
	if !validUTF8(l.URL) {
		l.URL = strings.ToValidUTF8(l.URL, "\ufffd")
	}
	if p.m.Links == nil {
		p.m.Links = make([]message.Link, 0, 8)
	}
	p.m.Links = append(p.m.Links, l)
	return len(p.m.Links) - 1, true
}

// textLinks adds the addresses that stand bare in text; those inside an anchor's text are only shown, not followed.
func (p *parser) textLinks(text string, anchors []span) {
	s := link.NewScanner(text)
	for {
		start, end, scheme, host, ok := s.Next()
		if !ok {
			return
		}
		for len(anchors) > 0 && anchors[0].to <= start {
			anchors = anchors[1:]
		}
		if len(anchors) > 0 && anchors[0].from < end {
			continue
		}
		if _, ok := p.addLink(message.Link{URL: text[start:end], Scheme: scheme, Host: host, Kind: message.LinkText}); !ok {
			return
		}
	}
}
