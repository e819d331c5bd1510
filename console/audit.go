package console

import (
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"rempart/account"
)

type auditPage struct {
	Query string
	Table table
	First bool
}

// audit is the trail, newest first.
func (c *Console) audit(w http.ResponseWriter, r *http.Request) error {
	in := r.URL.Query()
	q := in.Get("q")
	skip, _ := strconv.Atoi(in.Get("skip"))
	if len(q) > maxQuery || skip < 0 {
		return errForm
	}
	limit := pageRows
	if path.Ext(r.URL.Path) != "" {
		limit = 2 * account.MaxTrail
	}
	keep := url.Values{}
	if q != "" {
		keep.Set("q", q)
	}
	t := table{Name: "audit", Path: withQuery("/audit", keep), Empty: "empty.audit", Columns: []column{{"time", false, false}, {"who", false, false}, {"what", false, false},
		{"object", false, false}, {"before", false, false}, {"after", false, false}, {"client", false, false}}}
	passed := 0
	for _, e := range c.Accounts.Latest(0, 2*account.MaxTrail) {
		if !entryHas(e, q) {
			continue
		}
		if passed++; passed <= skip {
			continue
		}
		if len(t.Rows) == limit {
			keep.Set("skip", strconv.Itoa(skip+limit))
			t.Next = withQuery("/audit", keep)
			break
		}
		t.Rows = append(t.Rows, c.auditRow(e))
	}
	return c.serveTable(w, r, t, "audit", auditPage{q, t, skip == 0})
}

func entryHas(e account.Entry, q string) bool {
	if q == "" {
		return true
	}
	q = strings.ToLower(q)
	for _, s := range []string{e.Who, e.What, e.Object, e.Address, e.Before, e.After} {
		if strings.Contains(strings.ToLower(s), q) {
			return true
		}
	}
	return false
}

func (c *Console) auditRow(e account.Entry) []cell {
	what := e.What
	if key := "audit." + e.What; c.words.Has(key) {
		what = c.words.Say(key)
	}
	object := cell{Text: seen(e.Object), Mark: "code"}
	if strings.HasPrefix(e.What, "message.") {
		object.Link = "/messages/" + url.PathEscape(e.Object)
	}
	if strings.HasPrefix(e.What, "lesson.") {
		object.Link = lessonPath(e.Object)
	}
	return []cell{{Text: stamp(e.Time), Value: e.Time}, {Text: seen(e.Who), Mark: "code"}, {Text: what, Value: e.What}, object,
		{Text: seen(e.Before)}, {Text: seen(e.After)}, {Text: e.Address, Mark: "code"}}
}
