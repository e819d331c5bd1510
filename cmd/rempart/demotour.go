package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"time"

	"rempart/campaign"
	"rempart/catalogue"
	"rempart/console"
	"rempart/index"
	"rempart/measure"
	"rempart/message"
)

// tour is a walk through the console in six stops. The second to fifth have nothing to show until a phishing campaign has
// come by mail and by text and one of its mails was held.
func (d *demo) tour(ctx context.Context) []console.Stop {
	report := "/report/study?from=" + d.begun.UTC().Format(time.DateOnly)
	stops := []console.Stop{{Key: "overview", URL: "/"}, {Key: "campaign"}, {Key: "message"}, {Key: "sources"}, {Key: "route"}, {Key: "report", URL: report}}
	id, mail := d.show(ctx)
	if id == "" {
		return stops
	}
	page := "/campaigns/" + url.PathEscape(id)
	stops[1].URL, stops[2].URL, stops[3].URL, stops[4].URL = page, "/messages/"+url.PathEscape(mail), page+"#map", page+"#way"
	return stops
}

// lead prints the tour as soon as every stop has something to show, once. It says whether it has.
func (d *demo) lead(ctx context.Context, w io.Writer) bool {
	stops := d.tour(ctx)
	if slices.ContainsFunc(stops, func(s console.Stop) bool { return s.URL == "" }) {
		return false
	}
	words := catalogue.English()
	fmt.Fprintln(w, words.Say("tour.title"))
	for i, s := range stops {
		fmt.Fprintf(w, "  %d %-50s %s\n", i+1, words.Say("tour."+s.Key), d.node.ConsoleURL()+s.URL)
	}
	return true
}

// What a campaign needs to be shown, and how many are looked through.
const (
	shownLeast = 10
	shownMost  = 20
)

// show finds a phishing campaign that came by mail and by text, and a mail of it that was held. It is phishing by its verdicts and
// in truth: a young node's verdicts alone may take it for one.
func (d *demo) show(ctx context.Context) (id, mail string) {
	for _, k := range d.node.Campaigns(d.begun, shownLeast, shownMost) {
		if k.Category() != message.Phishing || !d.phishing(&k) || k.Channels[message.Email] == 0 || k.Channels[message.SMS] == 0 {
			continue
		}
		if mail := d.held(ctx, &k); mail != "" {
			return k.ID, mail
		}
	}
	return "", ""
}

// phishing reports whether a campaign leads where phishing truly does.
func (d *demo) phishing(k *campaign.Campaign) bool {
	return slices.ContainsFunc(k.Hosts, func(host measure.Count) bool {
		_, ok := d.phish.Load(host.Name)
		return ok
	})
}

// held is the latest mail of a campaign that was held; empty if there is none.
func (d *demo) held(ctx context.Context, k *campaign.Campaign) string {
	for _, id := range append([]string{k.ID}, k.Also...) {
		page, err := d.node.Find(ctx, index.Query{Text: id, Channel: message.Email, Action: message.Hold, Limit: 1})
		if err == nil && len(page.Events) > 0 { // an index that does not answer has nothing to show
			return page.Events[0].ID
		}
	}
	return ""
}
