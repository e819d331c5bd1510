package console

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"rempart/account"
	"rempart/index"
	"rempart/message"
)

type learningPage struct {
	Hours   int
	Windows []int
	Base    string
	Summary string // empty: nothing was taught in these hours
	Tables  []table
}

// maxLessons is how many lessons the figures are of, the newest of those of the hours asked for.
const maxLessons = 5000

// shortLessons is how many lessons stand on the page; in the table of its own stand [longTable].
const shortLessons = 20

// learning is what was taught, by whom and for whom, and how the learner had judged it before.
func (c *Console) learning(w http.ResponseWriter, r *http.Request) error {
	page, lessons, err := c.newLearningPage(r, "/learning", maxLessons)
	if err != nil {
		return err
	}
	if len(lessons) > 0 {
		all := sum("", lessons)
		page.Summary = c.words.Say("page.learning.summary", len(lessons), all.spam, all.ham, all.forgotten)
	}
	for _, k := range learningTables {
		page.Tables = append(page.Tables, k.make(c, page, lessons, shortLessons))
	}
	return c.render(w, r, "learning", page)
}

// learningTables are the tables of the page, each under its own name, too, of so many lessons there.
var learningTables = []struct {
	name string
	most int
	make func(c *Console, page learningPage, lessons []message.Lesson, limit int) table
}{
	{"days", maxLessons, func(c *Console, p learningPage, l []message.Lesson, limit int) table {
		return c.lessonSums(p, "days", l, limit, func(l *message.Lesson) string { return l.Time.UTC().Format(time.DateOnly) })
	}},
	{"teachers", maxLessons, func(c *Console, p learningPage, l []message.Lesson, limit int) table {
		return c.lessonSums(p, "teachers", l, limit, func(l *message.Lesson) string { return orDash(seen(l.Teacher)) })
	}},
	{"scopes", maxLessons, func(c *Console, p learningPage, l []message.Lesson, limit int) table {
		return c.lessonSums(p, "scopes", l, limit, func(l *message.Lesson) string { return c.scopeText(l.Scope) })
	}},
	{"lessons", longTable, (*Console).lessonTable},
}

// learningTable is one of the tables alone. Its name may end in .csv or .json.
func (c *Console) learningTable(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimSuffix(r.PathValue("part"), path.Ext(r.URL.Path))
	for _, k := range learningTables {
		if k.name != name {
			continue
		}
		page, lessons, err := c.newLearningPage(r, "/learning/"+name, k.most)
		if err != nil {
			return err
		}
		page.Tables = []table{k.make(c, page, lessons, longTable)}
		return c.serveTable(w, r, page.Tables[0], "learningtable", page)
	}
	return errNoPage
}

func (c *Console) newLearningPage(r *http.Request, base string, most int) (p learningPage, lessons []message.Lesson, err error) {
	p = learningPage{Hours: disagreementHours, Windows: windows, Base: base}
	if r.URL.Query().Get("hours") != "" {
		p.Hours = window(r)
	}
	lessons, err = c.Lessons(r.Context(), c.since(p.Hours), most)
	return p, lessons, err
}

func (p learningPage) path(name string) string {
	q := url.Values{}
	if p.Hours != disagreementHours {
		q.Set("hours", hoursText(p.Hours))
	}
	return withQuery("/learning/"+name, q)
}

// lessonSum is the lessons of one kind. Judged are those of which it is known how the mail was judged before; wrong are those of them
// that the filter had on the other side of one half.
type lessonSum struct {
	name                              string
	spam, ham, forgotten, judged, bad uint64
}

func sum(name string, lessons []message.Lesson) lessonSum {
	s := lessonSum{name: name}
	for i := range lessons {
		s.add(&lessons[i])
	}
	return s
}

func (s *lessonSum) add(l *message.Lesson) {
	switch l.Label {
	case message.Spam:
		s.spam++
	case message.Ham:
		s.ham++
	default:
		s.forgotten++
		return
	}
	if l.Before > 0 {
		if s.judged++; (l.Before >= 0.5) != (l.Label == message.Spam) {
			s.bad++
		}
	}
}

// lessonSums adds the lessons up by a name of theirs: days the newest first, others those with most lessons.
func (c *Console) lessonSums(page learningPage, name string, lessons []message.Lesson, limit int, of func(*message.Lesson) string) table {
	t := table{Name: "lessons_" + name, Path: page.path(name), Empty: "empty.lessons", Columns: []column{{name, false, false}, {"taught_spam", true, false}, {"taught_ham", true, false},
		{"taken_back", true, false}, {"judged_before", true, false}, {"wrong_before", true, false}}}
	at := map[string]int{}
	var sums []lessonSum
	for i := range lessons {
		key := of(&lessons[i])
		if _, there := at[key]; !there {
			at[key] = len(sums)
			sums = append(sums, lessonSum{name: key})
		}
		sums[at[key]].add(&lessons[i])
	}
	if name != "days" {
		slices.SortStableFunc(sums, func(a, b lessonSum) int { return cmp.Compare(b.spam+b.ham, a.spam+a.ham) })
	}
	for _, s := range sums[:min(limit, len(sums))] {
		t.Rows = append(t.Rows, []cell{{Text: s.name}, c.count(s.spam), c.count(s.ham), c.count(s.forgotten), c.count(s.judged), c.share(s.bad, s.judged)})
	}
	return t
}

// scopeText says for whom a lesson speaks.
func (c *Console) scopeText(s message.Scope) string {
	var parts []string
	for _, p := range [...]string{s.Tenant, s.Domain, s.User} {
		if p != "" {
			parts = append(parts, seen(p))
		}
	}
	return cmp.Or(strings.Join(parts, " "), c.words.Say("page.learning.everybody"))
}

func (c *Console) lessonTable(page learningPage, lessons []message.Lesson, limit int) table {
	t := table{Name: "lessons", Path: page.path("lessons"), Empty: "empty.lessons", Columns: []column{{"time", false, false}, {"channel", false, false}, {"taught_as", false, false},
		{"before_lesson", true, false}, {"teachers", false, false}, {"scopes", false, false}, {"id", false, true}}}
	for i := range lessons[:min(limit, len(lessons))] {
		l := &lessons[i]
		before := cell{Text: "–", Value: ""}
		if l.Before > 0 {
			before = cell{Text: c.numbers().percent(l.Before), Value: round(l.Before*1e6) / 1e6}
		}
		t.Rows = append(t.Rows, []cell{{Text: l.Time.UTC().Format("2006-01-02 15:04:05"), Value: l.Time.UTC(), Link: lessonPath(l.ID)},
			{Text: c.words.Say("channel." + l.Channel.String()), Value: l.Channel.String()}, c.labelCell(l.Label), before,
			{Text: orDash(seen(l.Teacher)), Value: l.Teacher, Mark: "code"}, {Text: c.scopeText(l.Scope)}, {Text: l.ID}})
	}
	return t
}

func (c *Console) labelCell(label message.Label) cell {
	if label == message.Forget {
		return cell{Text: c.words.Say("page.learning.taken_back"), Value: "forget"}
	}
	return cell{Text: c.words.Say("said." + label.String()), Value: label.String(), Mark: label.String()}
}

func lessonPath(id string) string { return "/lessons/" + url.PathEscape(id) }

type lessonPage struct {
	Lesson      message.Lesson
	Label       cell
	Whose       string
	Message     string // id of the newest recorded message that it is on; empty: none is recorded
	Stands      bool
	MayTakeBack bool
}

// lesson is one lesson, with the button that takes it back.
func (c *Console) lesson(w http.ResponseWriter, r *http.Request) error {
	l, stands, err := c.Lesson(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	who, _ := c.user(r)
	page := lessonPage{Lesson: l, Label: c.labelCell(l.Label), Whose: c.scopeText(l.Scope), Stands: stands, MayTakeBack: stands && who.Role.May(account.Teach)}
	found, err := c.Events.Search(r.Context(), index.Query{Key: l.Message, Limit: 1})
	if err != nil {
		return err
	}
	if len(found.Events) > 0 {
		page.Message = found.Events[0].ID
	}
	return c.render(w, r, "lesson", page)
}

// takeBack makes it as if a lesson had not been taught.
func (c *Console) takeBack(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := r.PathValue("id")
	l, _, err := c.Lesson(r.Context(), id)
	if err != nil {
		return err
	}
	if err := c.TakeBack(r.Context(), id, c.actor(r).Name); err != nil {
		return err
	}
	if err := c.record(r.Context(), r, account.Entry{What: "lesson.taken_back", Object: id, Before: l.Label.String()}); err != nil {
		return err
	}
	c.notice(r, "notice.taken_back")
	http.Redirect(w, r, lessonPath(id), http.StatusSeeOther)
	return nil
}
