package corpus

import (
	"fmt"
	"slices"
	"testing"
)

func TestCallsAndInstantMessages(t *testing.T) {
	request := func(method, body string) string {
		return method + " sip:+442079460001@b.example SIP/2.0\r\nVia: SIP/2.0/UDP sbc.example;received=192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:+442079460123@a.example>;tag=1\r\n" +
			"To: <sip:+442079460001@b.example>\r\nCall-ID: x\r\nCSeq: 1 " + method + "\r\n\r\n" + body
	}
	dir := write(t, map[string]string{
		"1.sip":   request("INVITE", "v=0\r\n"),
		"2.sip":   request("MESSAGE", "hello"),
		"3.jsonl": `{"channel":"call","label":"spam","from":"+442079460123","to":"+442079460001"}` + "\n" + `{"channel":"im","from":"+442079460123","text":"hi"}` + "\n",
	})
	var got []string
	if err := Each([]string{dir}, nil, func(i Item) error {
		got = append(got, fmt.Sprint(i.Number, " ", i.Message.Channel, " ", i.Label, " ", i.Message.Source.ID, " ", i.Message.Source.Address, " ", i.Message.Text))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{"0 call  +442079460123 192.0.2.7 ", "0 im  +442079460123 192.0.2.7 hello", "1 call spam +442079460123 invalid IP ", "2 im  +442079460123 invalid IP hi"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	for name, content := range map[string]string{"a.sip": "hello", "b.sip": request("OPTIONS", ""), "c.jsonl": `{"channel":"call","from":"1"}`, "d.jsonl": `{"channel":"email"}`} {
		if err := Each([]string{write(t, map[string]string{name: content})}, nil, func(Item) error { return nil }); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
