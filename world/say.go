package world

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// scale is how much money a message speaks of.
type scale int

const (
	purchase scale = iota
	fee            // of a parcel that waits
	wages          // of a day, as promised
	fortune        // of the deceased
)

// topic is what a message knows before it is written: the values of the grammar that are not chosen anew at each mention.
type topic struct {
	language string
	country  *country
	scale    scale
	known    map[string]string
}

// speech is the voice of a topic.
func (w *World) speech(t topic) speech {
	return speech{rng: w.rng, rules: w.languages[t.language], value: func(name string) (string, bool) {
		if v, ok := t.known[name]; ok {
			return v, true
		}
		v, keep := w.value(t, name)
		if keep {
			t.known[name] = v
		}
		return v, v != ""
	}}
}

// value makes a value; keep says that the message goes on to speak of the same.
func (w *World) value(t topic, name string) (v string, keep bool) {
	switch name {
	case "amount":
		return w.amount(t), false
	case "n":
		return strconv.Itoa(2 + w.rng.IntN(8)), false
	case "time":
		return fmt.Sprintf("%d:%02d", 8+w.rng.IntN(11), 15*w.rng.IntN(4)), false
	case "date":
		return dateIn(t.language, w.now.Add(time.Duration(w.rng.IntN(20)-6)*24*time.Hour)), true
	case "order":
		return pick(w.rng, []string{"", "A", "R-", "#", "2026-"}) + strconv.Itoa(100000+w.rng.IntN(900000)), true
	case "code":
		return fmt.Sprintf("%06d", w.rng.IntN(1000000)), true
	case "number":
		return "+" + t.country.anyNumber(w.rng), true
	case "lastname":
		return pick(w.rng, lastNames[t.language]), true
	case "mefull":
		return pick(w.rng, firstNames[t.language]) + " " + pick(w.rng, lastNames[t.language]), true
	case "account": // check digits 00 belong to no account
		return fmt.Sprintf("%s00 %04d %04d %04d %02d", t.country.code, w.rng.IntN(10000), w.rng.IntN(10000), w.rng.IntN(10000), w.rng.IntN(100)), true
	}
	return "", false
}

func (w *World) amount(t topic) string {
	switch t.scale {
	case fee:
		return fmt.Sprintf(t.country.currency, 1+w.rng.IntN(4), 9+10*w.rng.IntN(10))
	case wages:
		return fmt.Sprintf(t.country.currency, 50*(2+w.rng.IntN(18)), 0)
	case fortune:
		return fmt.Sprintf("%s %d.%d%s", pick(w.rng, []string{"USD", "US$", "EUR"}), 2+w.rng.IntN(48), w.rng.IntN(10),
			pick(w.rng, []string{" M", ",000,000", " million"}))
	}
	return fmt.Sprintf(t.country.currency, 4+w.rng.IntN(180), w.rng.IntN(100))
}

func dateIn(language string, t time.Time) string {
	switch language {
	case "de":
		return t.Format("2.1.2006")
	case "fr", "es":
		return t.Format("2/1/2006")
	}
	return t.Format("2 January")
}

// base36 is a short name for a number.
func base36(n uint64) string { return strconv.FormatUint(n, 36) }

// token is a random name of so many letters and digits.
func (w *World) token(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte("0123456789abcdefghjkmnpqrstuvwxyz"[w.rng.IntN(33)])
	}
	return b.String()
}
