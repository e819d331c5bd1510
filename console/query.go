package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"rempart/catalogue"
	"rempart/message"
)

// windows are the spans of hours that pages of figures offer.
var windows = []int{1, 24, 7 * 24}

// window is the span asked for; a day if none of ours was.
func window(r *http.Request) int {
	n, _ := strconv.Atoi(r.URL.Query().Get("hours"))
	for _, w := range windows {
		if n == w {
			return n
		}
	}
	return overviewHours
}

func hoursText(n int) string { return strconv.Itoa(n) }

func channelOf(r *http.Request) (ch message.Channel, err error) {
	if s := r.URL.Query().Get("channel"); s != "" && ch.UnmarshalText([]byte(s)) != nil {
		return 0, errForm
	}
	return ch, nil
}

func actionOf(r *http.Request) (a message.Action, err error) {
	if s := r.URL.Query().Get("action"); s != "" && a.UnmarshalText([]byte(s)) != nil {
		return 0, errForm
	}
	return a, nil
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// seen is a value of a message as it may be shown.
func seen(s string) string { return catalogue.Seen(s) }

// shown is the arguments of a sentence, each as it may be shown.
func shown(args []any) []any {
	args = slices.Clone(args)
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = seen(s)
		}
	}
	return args
}

func (c *Console) count(n uint64) cell { return cell{Text: c.numbers().count(n), Value: n} }

func (c *Console) share(part, whole uint64) cell {
	if whole == 0 {
		return cell{Text: "–", Value: nil}
	}
	s := share(part, whole)
	return cell{Text: c.numbers().percent(s), Value: round(s*1e4) / 1e4, Bar: s, HasBar: true}
}
