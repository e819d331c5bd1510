package main

import (
	"context"
	"fmt"
	"io"
	"net/url"

	"rempart/campaign"
	"rempart/catalogue"
	"rempart/console"
	"rempart/index"
	"rempart/message"
)

// tour is a walk through the console in six stops. The second and third have nothing to show until a phishing campaign has
// come by mail and by text and one of its mails was held.
func (d *demo) tour(ctx context.Context) []console.Stop {
	stops := []console.Stop{{Key: "overview", URL: "/"}, {Key: "campaign"}, {Key: "message"}, {Key: "sources", URL: "/sources"}, {Key: "route", URL: "/routes"},
		{Key: "report", URL: "/report"}}
	k, mail := d.show(ctx)
	if k != "" {
		stops[1].URL = "/campaigns/" + url.PathEscape(k)
		stops[4].URL = stops[1].URL + "/routes"
	}
	if mail != "" {
		stops[2].URL = "/messages/" + url.PathEscape(mail)
	}
	return stops
}

// What a campaign needs to be shown, and how many are looked through.
const (
	shownLeast = 5
	shownMost  = 20
)

// show finds a phishing campaign that came by mail and by text, and a mail of it that was held; one with such a mail before
// one without.
func (d *demo) show(ctx context.Context) (id, mail string) {
	for _, k := range d.node.Campaigns(d.begun, shownLeast, shownMost) {
		if k.Category() != message.Phishing || k.Channels[message.Email] == 0 || k.Channels[message.SMS] == 0 {
			continue
		}
		if mail := d.held(ctx, &k); mail != "" {
			return k.ID, mail
		}
		if id == "" {
			id = k.ID
		}
	}
	return id, ""
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

// printTour says where to look.
func (d *demo) printTour(ctx context.Context, w io.Writer) {
	words := catalogue.English()
	fmt.Fprintf(w, "%s\n", words.Say("tour.title"))
	for i, s := range d.tour(ctx) {
		at := words.Say("tour.later")
		if s.URL != "" {
			at = d.node.ConsoleURL() + s.URL
		}
		fmt.Fprintf(w, "  %d %-50s %s\n", i+1, words.Say("tour."+s.Key), at)
	}
}
