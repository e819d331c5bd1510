package node

import (
	"fmt"
	"testing"
	"time"

	"rempart/campaign"
	"rempart/message"
)

func madeCall(from, to string) *message.Message {
	return &message.Message{Channel: message.Call, Direction: message.In, Door: "sip", Call: &message.CallInfo{}, MailFrom: from,
		Source: message.Source{ID: from}, Recipients: []message.Recipient{{Address: to}}}
}

// What callers do is counted once a call, and call records tell how calls end: a robot is found within a minute.
func TestCallsAreJudgedByRecords(t *testing.T) {
	n, stop := serveConfig(t, Config{Data: t.TempDir(), Name: "n1", Console: ConsoleConfig{Listen: []string{}}, DNS: DNSConfig{Off: true}})
	defer stop()
	const robot = "+442079460001"
	var last *message.Verdict
	for i := range 40 {
		callee := fmt.Sprintf("+4479111%05d", i*37)
		last = n.Judge(t.Context(), madeCall(robot, callee)).Judgement.Worst()
		n.Calls([]message.CallRecord{{Caller: robot, Callee: callee, Answered: i%8 == 0, Duration: time.Second, HungUp: message.Callee}})
	}
	if last.Probability < 0.9 {
		t.Errorf("the fortieth call of a robot: %v", last.Probability)
	}
	if list := n.filter.Callers(n.now(), 1); len(list) != 1 || list[0].Hour != 40 || list[0].Ended != 40 {
		t.Errorf("its account: %+v", list)
	}
}

// A campaign over three channels is one, and is there again after a restart.
func TestCampaignsAreThereAfterARestart(t *testing.T) {
	c := Config{Data: t.TempDir(), Name: "n1", Console: ConsoleConfig{Listen: []string{}}, DNS: DNSConfig{Off: true}}
	n, stop := serveConfig(t, c)
	spam := func(channel message.Channel, text string) {
		m := &message.Message{Channel: channel, Direction: message.In, Text: text, Links: []message.Link{
			{URL: "http://192.0.2.1/a", Host: "192.0.2.1", Scheme: "http"}, {URL: "https://secure.login.customer.www.parcel-fee.test/x", Host: "secure.login.customer.www.parcel-fee.test", Scheme: "https"},
			{URL: "https://user@parcel-fee.test/", Host: "parcel-fee.test", Scheme: "https"}}}
		if channel == message.SMS {
			m.SMS = &message.SMSInfo{}
		}
		n.Judge(t.Context(), m)
	}
	for _, ch := range []message.Channel{message.Email, message.SMS, message.IM} {
		spam(ch, "Your parcel is held at the depot, pay the fee of 2.99 at the page below within 24 hours")
	}
	stop()
	n, _ = serveConfig(t, c)
	var list []campaign.Campaign
	for deadline := time.Now().Add(10 * time.Second); len(list) == 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		list = n.Campaigns(n.now().Add(-time.Hour), 3, 10) // recalled beside the judging path: polled, bounded
	}
	if len(list) != 1 || len(list[0].Channels) != 3 || list[0].Messages != 3 {
		t.Fatalf("campaigns after the restart: %+v", list)
	}
}
