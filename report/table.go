package report

import "rempart/message"

// tableRows is how many rows of a ranking a page shows; the CSV files have more.
const tableRows = 10

func (w *writer) summary() table {
	t := table{Caption: w.words.Say("study.summary"), Columns: w.columns("channel", "*messages", "*recipients", "*spam", "*share")}
	for _, f := range w.Channels {
		t.Rows = append(t.Rows, []string{w.channel(f.Channel), w.num(f.Messages), w.num(f.Recipients), w.num(f.Spam), w.share(f.Spam, f.Messages)})
	}
	return t
}

func (w *writer) volumeTable() table {
	t := table{Caption: w.words.Say("study.volume_" + string(w.Step)), Columns: w.columns("time", "channel", "*messages", "*honest", "*spam", "*share")}
	layout := "2006-01-02 15:04"
	if w.Step == Daily {
		layout = "2006-01-02"
	}
	for _, slot := range w.Series {
		for _, f := range w.Channels {
			if v, counted := slot.Channels[f.Channel]; counted {
				t.Rows = append(t.Rows, []string{slot.Time.Format(layout), w.channel(f.Channel), w.num(v.Ham + v.Spam), w.num(v.Ham), w.num(v.Spam), w.share(v.Spam, v.Ham+v.Spam)})
			}
		}
	}
	return t
}

func (w *writer) typeTable() table {
	t := table{Caption: w.words.Say("study.types_sub"), Columns: w.columns("channel", "category", "*messages", "*share")}
	t.Columns[3].Title = w.words.Say("study.of_spam")
	for _, f := range w.Channels {
		for _, c := range f.Categories {
			t.Rows = append(t.Rows, []string{w.channel(f.Channel), w.category(c.Category), w.num(c.Messages), w.share(c.Messages, f.Spam)})
		}
	}
	return t
}

func (w *writer) category(c message.Category) string { return w.words.Say("category.is_" + c.String()) }

func (w *writer) actionTable() table {
	t := table{Caption: w.words.Say("study.actions"), Columns: w.columns("channel", "action", "*messages")}
	for _, f := range w.Channels {
		for _, a := range f.Actions {
			t.Rows = append(t.Rows, []string{w.channel(f.Channel), w.words.Say("action." + a.Action.String()), w.num(a.Messages)})
		}
	}
	return t
}

func (w *writer) sourceCounts() table {
	t := table{Caption: w.words.Say("study.source_counts"), Columns: w.columns("channel", "*sources", "*spam_sources")}
	for _, f := range w.Channels {
		t.Rows = append(t.Rows, []string{w.channel(f.Channel), w.span(f.Sources), w.span(f.SpamFrom)})
	}
	return t
}

func (w *writer) span(r Range) string {
	if r.Low == r.High {
		return w.num(r.Low)
	}
	return w.num(r.Low) + "–" + w.num(r.High)
}

func (w *writer) sourceTable(kind string, list []Source) table {
	t := table{Caption: w.words.Say("study.title_" + kind), Columns: w.columns(kind, "*messages", "*spam", "*share", "*error")}
	for _, s := range list[:min(tableRows, len(list))] {
		t.Rows = append(t.Rows, []string{w.place(s.Name, s.Label), w.num(s.Messages), w.num(s.Spam), w.share(s.Spam, s.Messages), w.atMost(s.Error)})
	}
	return t
}

func (w *writer) routeTable() table {
	t := table{Caption: w.words.Say("study.routes_title"), Columns: w.columns("gives", "takes", "trust", "*messages", "*spam", "*share", "*error")}
	for _, e := range w.Together.Edges[:min(2*tableRows, len(w.Together.Edges))] {
		trust := "claimed"
		if e.Trusted {
			trust = "trusted"
		}
		t.Rows = append(t.Rows, []string{w.place(e.From, e.FromLabel), w.place(e.By, e.ByLabel), w.words.Say("trust." + trust), w.num(e.Messages),
			w.num(e.Spam), w.share(e.Spam, e.Messages), w.atMost(e.Error)})
	}
	return t
}
