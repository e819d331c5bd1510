package sign

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"rempart/message"
	"rempart/message/dkim"
)

// named says how a signature names the fields of one name.
type named struct {
	name string
	how  uint8
}

const (
	present uint8 = iota // as many as there are
	closed               // if there is one, once more than there are: none can be added
	always               // once more than there are
)

// signed are the fields that a signature is over (RFC 6376 section 5.4.1). Those that a reader sees cannot be added later, nor
// what says how the body is to be read. A server on the way may add Date or Message-ID to a mail that has none. Received and
// what is added on delivery are left out.
var signed = []named{{"from", always}, {"reply-to", always}, {"subject", always}, {"to", always}, {"cc", always}, {"date", closed},
	{"message-id", closed}, {"sender", closed}, {"in-reply-to", closed}, {"references", closed}, {"mime-version", closed},
	{"content-type", closed}, {"content-transfer-encoding", closed}, {"content-disposition", closed}, {"content-id", present},
	{"content-description", present}, {"resent-from", present}, {"resent-to", present}, {"resent-cc", present}, {"resent-date", present},
	{"resent-message-id", present}, {"list-id", present}, {"list-help", present}, {"list-subscribe", present}, {"list-unsubscribe", present},
	{"list-unsubscribe-post", present}, {"list-owner", present}, {"list-post", present}, {"list-archive", present}, {"autocrypt", present},
	{"feedback-id", present}}

// sealed is the same for ARC-Message-Signature, which is over the author's signatures as well (RFC 8617 section 4.1.2).
var sealed = append(signed[:len(signed):len(signed)], named{"dkim-signature", present})

// maxSame bounds how often one name is named; honest mail has most of them once.
const maxSame = 10

// mail is a mail as it will go on.
type mail struct{ *dkim.Mail }

// mailOf takes a message apart. It is not whole if it was cut, by the front door or because its header is too long.
func mailOf(m *message.Message, replaced []Field) (_ mail, whole bool) {
	fields, body, ok := dkim.Split(m.Raw)
	if !ok || m.Size > len(m.Raw) {
		return mail{}, false
	}
	for _, r := range replaced {
		fields = replace(fields, rawOf(r))
	}
	return mail{dkim.NewMail(fields, body)}, true
}

// continues reports whether a mail begins with a line that would become part of whatever is put before it.
func continues(raw []byte) bool { return len(raw) > 0 && (raw[0] == ' ' || raw[0] == '\t') }

func replace(fields []dkim.Field, f dkim.Field) []dkim.Field {
	for i := range fields {
		if fields[i].Name == f.Name {
			fields[i] = f
			return fields
		}
	}
	return append(fields, f)
}

// names is h= for this mail.
func (m mail) names(rules []named) (names []string) {
	for _, r := range rules {
		n := min(m.Count(r.name), maxSame)
		if r.how == always || r.how == closed && n > 0 {
			n++
		}
		for range n {
			names = append(names, r.name)
		}
	}
	return names
}

// unfinished is a field that ends in "b=", and the column where it does.
type unfinished struct {
	Field
	column int
}

// raw is the field as it is hashed.
func (u *unfinished) raw() dkim.Field { return rawOf(u.Field) }

func rawOf(f Field) dkim.Field {
	return dkim.Field{Name: strings.ToLower(f.Name), Raw: []byte(f.Name + ": " + f.Value + "\r\n")}
}

// over begins a signature over the fields of these names and the body; first is its own first tag.
func (k *key) over(m mail, name, first string, names []string, now time.Time) unfinished {
	body := m.Body(dkim.Relaxed).Sum
	u := unfinished{Field: Field{Name: name}, column: len(name) + 1}
	u.tags(first, "a="+k.Algorithm, "c=relaxed/relaxed", "d="+k.domain, "s="+k.selector, "t="+strconv.FormatInt(now.Unix(), 10))
	for i, n := range names {
		if i == 0 {
			n = " h=" + n
		}
		if i < len(names)-1 {
			n += ":"
		} else {
			n += ";"
		}
		u.word(n)
	}
	u.tags("bh=" + base64.StdEncoding.EncodeToString(body[:]))
	u.word(" b=")
	return u
}

// seal begins an ARC-Seal; status is what was found of the chain before it.
func (k *key) seal(instance, status string, now time.Time) unfinished {
	u := unfinished{Field: Field{Name: "ARC-Seal"}, column: len("ARC-Seal:")}
	u.tags(instance, "a="+k.Algorithm, "t="+strconv.FormatInt(now.Unix(), 10), "cv="+status, "d="+k.domain, "s="+k.selector)
	u.word(" b=")
	return u
}

// complete signs the hash and adds the signature.
func (k *key) complete(u *unfinished, sum []byte) bool {
	value, err := k.sign(sum)
	for len(value) > 0 {
		n := min(len(value), max(maxColumn-u.column, 0))
		if n == 0 {
			n = min(len(value), maxColumn-tab)
		}
		u.word(value[:n])
		value = value[n:]
	}
	return err == nil
}

// maxColumn is where lines are folded (RFC 5322 section 2.1.1); a tab counts for eight.
const (
	maxColumn = 76
	tab       = 8
)

func (u *unfinished) tags(list ...string) {
	for _, t := range list {
		u.word(" " + t + ";")
	}
}

// word adds a part that is not divided, on a line of its own if it has to be; a space before it gives way to the fold.
func (u *unfinished) word(w string) {
	if u.column+len(w) > maxColumn {
		u.Value += "\r\n\t"
		w, u.column = strings.TrimPrefix(w, " "), tab
	}
	if u.Value == "" { // the space behind the colon is not part of the value
		w = strings.TrimPrefix(w, " ")
		u.column++
	}
	u.Value += w
	u.column += len(w)
}

func instanceTag(n int) string { return "i=" + strconv.Itoa(n) }
