package api

import (
	"strings"
	"testing"
	"time"

	"rempart/message"
)

func TestJudgeCall(t *testing.T) {
	r := newRig(t, nil)
	one := `{"call_id":"c1","from":"+44 20 7946 0123","name":"Bank","to":"+442079460001","asserted":"+442079460999","client":"192.0.2.7"}`
	_, _, body := r.do("POST", "/v1/judge/call", "school-token", "application/json", one)
	if !strings.Contains(body, `"channel":"call"`) || !strings.Contains(body, `"action":"accept"`) {
		t.Error(body)
	}
	m := <-r.asked
	if m.Channel != message.Call || m.Source.ID != "+442079460123" || m.From.Name != "Bank" || m.Call.Asserted != "+442079460999" || m.MessageID != "c1" ||
		m.Tenant != "school" || m.Recipients[0].Tenant != "school" || m.Door != "api" || m.Source.Address.String() != "192.0.2.7" {
		t.Errorf("%+v", m)
	}
	if _, _, body := r.do("POST", "/v1/judge/call", "judge-token", "application/json", "["+one+","+one+"]"); strings.Count(body, `"channel":"call"`) != 2 {
		t.Error(body)
	}
}

func TestJudgeIM(t *testing.T) {
	r := newRig(t, nil)
	_, _, body := r.do("POST", "/v1/judge/im", "judge-token", "application/json", `{"from":"anna@example.com","to":"b@example.net","text":"spam http://a.example"}`)
	if !strings.Contains(body, `"channel":"im"`) || !strings.Contains(body, `"action":"tag"`) {
		t.Error(body)
	}
	if m := <-r.asked; m.Source.ID != "anna@example.com" || len(m.Links) != 1 || m.Recipients[0].Domain != "example.net" {
		t.Errorf("%+v", m)
	}
}

func TestCallRecords(t *testing.T) {
	r := newRig(t, nil)
	one := `{"call_id":"c1","caller":"+442079460123","callee":"+442079460001","begun":"2026-01-02T03:04:05Z","answered":true,"duration":3.5,"hung_up":"callee"}`
	want := message.CallRecord{CallID: "c1", Caller: "+442079460123", Callee: "+442079460001", Begun: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Answered: true, Duration: 3500 * time.Millisecond, HungUp: message.Callee}
	for body, n := range map[string]int{one: 1, "[" + one + "," + one + "]": 2} {
		status, _, got := r.do("POST", "/v1/calls", "judge-token", "application/json", body)
		records := <-r.ended
		if status != 200 || !strings.Contains(got, `"taken":`+string(rune('0'+n))) || len(records) != n || records[n-1] != want {
			t.Errorf("%d %s: %+v", status, got, records)
		}
	}
}

func TestLearnCallAndIM(t *testing.T) {
	r := newRig(t, nil)
	for channel, m := range map[string]string{"call": `{"from":"+442079460123","to":"+442079460001"}`, "im": `{"from":"a@b.example","text":"hi"}`} {
		status, _, body := r.do("POST", "/v1/learn", "learn-token", "application/json", `{"label":"spam","channel":"`+channel+`","message":`+m+`}`)
		if status != 200 {
			t.Fatal(body)
		}
		if l := <-r.taken; l.Message.Channel.String() != channel || l.Message.Source.ID == "" {
			t.Errorf("%+v", l.Message)
		}
	}
}
