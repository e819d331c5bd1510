package email

import "strings"

// colour is 0xRRGGBB; unclear where it cannot be known (an image, a style sheet).
type colour int32

const (
	black   colour = 0
	white   colour = 0xffffff
	unclear colour = -1
)

// look is what decides whether text is seen; it is inherited, and gone cannot be undone by an inner element (CSS 2.2
// sections 9.2.4, 11.2, 14).
type look struct {
	gone      bool // display:none, opacity:0, a box of no size, `hidden`
	invisible bool // visibility:hidden
	tiny      bool // font of no size
	text      colour
	back      colour
}

func (l look) hides() bool {
	return l.gone || l.invisible || l.tiny || l.text >= 0 && l.back >= 0 && alike(l.text, l.back)
}

// sameColour: a reader does not tell colours apart that differ less than this in every component, of 255.
const sameColour = 12

func alike(a, b colour) bool {
	for shift := 0; shift <= 16; shift += 8 {
		if d := (a >> shift & 0xff) - (b >> shift & 0xff); d > sameColour || d < -sameColour {
			return false
		}
	}
	return true
}

// attributes applies what a start tag says of the look.
func (l *look) attributes(a *attributes, sheets bool) {
	if a.class && sheets {
		l.back = unclear
	}
	if a.hidden {
		l.gone = true
	}
	if a.colour != "" {
		l.text = parseColour(a.colour, l.text)
	}
	if a.bgcolor != "" {
		l.back = parseColour(a.bgcolor, l.back)
	}
	if a.background != "" {
		l.back = unclear
	}
	if a.style != "" {
		l.style(a.style)
	}
}

// style applies the declarations of a style attribute.
func (l *look) style(s string) {
	box, clipped := false, false // a box of no size hides what overflows only if that is cut off
	for s != "" {
		var declaration string
		declaration, s, _ = strings.Cut(s, ";")
		name, value, ok := strings.Cut(declaration, ":")
		if !ok {
			continue
		}
		name, value = strings.Trim(name, " \t\r\n"), strings.Trim(value, " \t\r\n")
		if name == "" || value == "" {
			continue
		}
		switch name[0] | 0x20 {
		case 'd':
			if is(name, "display") && prefixFold(value, "none") {
				l.gone = true
			}
		case 'v':
			if is(name, "visibility") {
				l.invisible = prefixFold(value, "hidden") || prefixFold(value, "collapse")
			}
		case 'o':
			if is(name, "opacity") {
				if n, _, ok := number(value); ok && n <= 0.05 {
					l.gone = true
				}
			} else if is(name, "overflow") && prefixFold(value, "hidden") {
				clipped = true
			}
		case 'f':
			if is(name, "font-size") || is(name, "font") && value[0] == '0' {
				l.tiny = noSize(value)
			}
		case 'c':
			if is(name, "color") {
				l.text = parseColour(value, l.text)
			}
		case 'b':
			if is(name, "background") || is(name, "background-color") || is(name, "background-image") {
				l.background(value)
			}
		case 'w', 'h', 'm':
			if (is(name, "width") || is(name, "height") || is(name, "max-height") || is(name, "max-width")) && noSize(value) {
				box = true
			}
		case 't':
			if is(name, "text-indent") && far(value) {
				l.gone = true
			}
		case 'l':
			if is(name, "left") && far(value) {
				l.gone = true
			}
		}
	}
	if box && clipped {
		l.gone = true
	}
}

func (l *look) background(value string) {
	switch {
	case strings.Contains(value, "url(") || strings.Contains(value, "gradient"):
		l.back = unclear
	default:
		l.back = parseColour(value, l.back)
	}
}

// noSize reports a length that shows nothing: below two pixels.
func noSize(value string) bool {
	n, unit, ok := number(value)
	if !ok || n < 0 {
		return false
	}
	if prefixFold(unit, "px") || prefixFold(unit, "pt") {
		return n < 2
	}
	return n < 0.06
}

// far reports a length that moves text out of the page.
func far(value string) bool {
	n, _, ok := number(value)
	return ok && n <= -400
}

// number reads the decimal number that s begins with.
func number(s string) (n float64, unit string, ok bool) {
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	scale := 0.0
	i := 0
	for ; i < len(s) && i < 20; i++ {
		switch {
		case digit(s[i]) && scale == 0:
			n = n*10 + float64(s[i]-'0')
		case digit(s[i]):
			n += float64(s[i]-'0') * scale
			scale /= 10
		case s[i] == '.' && scale == 0:
			scale = 0.1
			continue
		default:
			return signed(n, negative), s[i:], ok
		}
		ok = true
	}
	return signed(n, negative), s[i:], ok
}

func signed(n float64, negative bool) float64 {
	if negative {
		return -n
	}
	return n
}

// parseColour reads a colour of CSS or HTML; before is the inherited one, which stays for words that change nothing.
func parseColour(s string, before colour) colour {
	s = strings.Trim(s, " \t\r\n'\"")
	if s == "" {
		return before
	}
	if s[0] == '#' || len(s) == 6 && unhex(s[0]) < 16 && unhex(s[5]) < 16 && unhex(s[2]) < 16 {
		return hexColour(strings.TrimPrefix(s, "#"))
	}
	word := s
	if i := strings.IndexAny(word, " !("); i >= 0 {
		word = word[:i]
	}
	switch lowerASCII(word) {
	case "rgb", "rgba":
		return rgb(s)
	case "white":
		return white
	case "black":
		return black
	case "transparent", "inherit", "none", "initial", "unset", "currentcolor":
		return before
	case "red":
		return 0xff0000
	case "blue":
		return 0x0000ff
	case "green":
		return 0x008000
	case "yellow":
		return 0xffff00
	case "gray", "grey":
		return 0x808080
	case "silver":
		return 0xc0c0c0
	case "navy":
		return 0x000080
	case "maroon":
		return 0x800000
	case "orange":
		return 0xffa500
	}
	return unclear
}

func hexColour(s string) colour {
	n := 0
	for n < len(s) && unhex(s[n]) < 16 {
		n++
	}
	var v colour
	switch n {
	case 3, 4:
		for i := range 3 {
			v = v<<8 | colour(unhex(s[i]))*17
		}
	case 6, 8:
		for i := range 6 {
			v = v<<4 | colour(unhex(s[i]))
		}
	default:
		return unclear
	}
	return v
}

// rgb reads rgb(1,2,3) and rgba(1,2,3,0.5); a colour that shines through is not known.
func rgb(s string) colour {
	_, s, _ = strings.Cut(s, "(")
	var v colour
	for i := range 4 {
		s = strings.TrimLeft(s, " ,/\t")
		n, rest, ok := number(s)
		if i == 3 {
			if ok && n < 0.9 {
				return unclear
			}
			break
		}
		if !ok {
			return unclear
		}
		if strings.HasPrefix(rest, "%") {
			n, rest = n*2.55, rest[1:]
		}
		v = v<<8 | colour(max(0, min(n, 255)))
		s = rest
	}
	return v
}

func prefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
