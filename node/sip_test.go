package node

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart/index"
	"rempart/message"
)

// A call through the whole node: by datagram and by stream at one port, on record, and its end told by the API.
func TestSIP(t *testing.T) {
	path, addr := configuration(t, "[[gateway.sip]]\nname = \"sbc\"\nlisten = [\"127.0.0.1:0\"]\nnext_hops = [\"192.0.2.10:5060\"]\n")
	n, _ := serve(t, path)
	for _, network := range []string{"udp", "tcp"} {
		c, err := net.Dial(network, n.Address("sbc").String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = c.Write([]byte("INVITE sip:+442079460001@203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK" + network +
			";rport\r\nFrom: <sip:+442079460123@example.com>;tag=1\r\nTo: <sip:+442079460001@203.0.113.9>\r\nCall-ID: " + network +
			"\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"))
		b := make([]byte, 2000)
		k, err := c.Read(b)
		c.Close()
		if err != nil || !strings.HasPrefix(string(b[:k]), "SIP/2.0 302 ") || !strings.Contains(string(b[:k]), "Contact: <sip:+442079460001@192.0.2.10:5060>") {
			t.Errorf("%s: %v %s", network, err, b[:k])
		}
	}
	var events []*message.Event
	for deadline := time.Now().Add(20 * time.Second); len(events) < 2 && time.Now().Before(deadline); {
		page, err := n.index.Search(t.Context(), index.Query{Channel: message.Call, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		events = page.Events
	}
	if len(events) != 2 || events[0].Door != "sbc" || events[0].Source.ID != "+442079460123" {
		t.Errorf("%+v", events)
	}
	req, _ := http.NewRequest("POST", "http://"+addr+"/v1/calls", strings.NewReader(
		`{"call_id":"udp","caller":"+442079460123","callee":"+442079460001","begun":"2026-01-02T03:04:05Z","answered":true,"duration":1}`))
	req.Header.Set("Authorization", "Bearer secret")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s", resp.Status)
	}
}
