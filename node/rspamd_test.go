package node

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart/index"
	"rempart/message"
)

// A mail through the whole node by rspamd's protocol: taught, known at once, put right, on record, and still taught after a
// restart.
func TestRspamd(t *testing.T) {
	path, _ := configuration(t, "[[gateway.rspamd]]\nname = \"haraka\"\nlisten = [\"127.0.0.1:0\"]\nteachers = [\"127.0.0.1\"]\n")
	n, stop := serve(t, path)
	const mail = "From: depot@example.com\r\nTo: ben@example.net\r\nSubject: your parcel\r\nMessage-ID: <1@example.com>\r\n\r\n" +
		"Your parcel 4471 is held at the depot, pay the fee of 2.99 at the page below within 24 hours\r\n"
	post := func(path, want string) {
		t.Helper()
		resp, err := http.Post("http://"+n.Address("haraka").String()+path, "text/plain", strings.NewReader(mail))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if b, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(resp.Status+" "+string(b), want) {
			t.Errorf("%s: %s %s, want %s", path, resp.Status, b, want)
		}
	}
	post("/checkv2", `"action":"no action"`)
	post("/learnspam", `{"success":true}`)
	post("/learnspam", "208 ")
	post("/checkv2", `"action":"add header"`)
	stop()
	n, _ = serve(t, path)
	post("/learnspam", "208 ")
	post("/checkv2", `"action":"add header"`)
	post("/learnham", `{"success":true}`)
	post("/checkv2", `"action":"no action"`)
	post("/fuzzydel", "404 ")
	var events []*message.Event
	for deadline := time.Now().Add(20 * time.Second); len(events) < 4 && time.Now().Before(deadline); {
		page, err := n.index.Search(t.Context(), index.Query{Channel: message.Email, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		events = page.Events
	}
	if len(events) != 4 || events[0].Door != "haraka" {
		t.Errorf("%d events", len(events))
	}
}
