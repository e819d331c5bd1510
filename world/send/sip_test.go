package send

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart/message"
	"rempart/message/sip"
	"rempart/world"
)

// deaf is a door that misses the first copy of every request, as a network that loses packets makes it look, and then gives
// the status that the callee's last digit chooses. It notes what it is told.
type deaf struct {
	conn *net.UDPConn

	mu     sync.Mutex
	copies map[string]int // of requests, by branch
	acks   map[string]string
	given  map[string]int // status, by Call-ID
}

var statuses = []string{"302 Moved Temporarily", "404 Not Found", "603 Decline", "608 Rejected", "607 Unwanted", "480 Temporarily Unavailable", "503 Service Unavailable",
	"302 Moved Temporarily\r\nX-Rempart-Action: tag", "200 OK", "500 Server Internal Error"}

var wantAnswers = []Answer{Accepted, Accepted, Rejected, Rejected, Rejected, Refused, Refused, Tagged, Accepted, Error}

func (d *deaf) serve() {
	buf := make([]byte, 65535)
	for {
		n, from, err := d.conn.ReadFromUDP(buf)
		if err != nil {
			return
		}
		lines := strings.Split(string(buf[:n]), "\r\n")
		field := func(name string) (all []string) {
			for _, l := range lines {
				if v, ok := strings.CutPrefix(l, name+": "); ok {
					all = append(all, v)
				}
			}
			return all
		}
		vias := field("Via")
		via, _ := sip.ReadVia(vias[0])
		branch, id, to := via.Branch(), field("Call-ID")[0], field("To")[0]
		d.mu.Lock()
		if strings.HasPrefix(lines[0], "ACK ") {
			d.acks[branch] = to
			d.mu.Unlock()
			continue
		}
		d.copies[branch]++
		first := d.copies[branch] == 1
		digit := int(to[strings.IndexByte(to, '@')-1] - '0')
		d.given[id] = digit
		d.mu.Unlock()
		if first {
			continue
		}
		answer := func(status, tag string) {
			out := "SIP/2.0 " + status + "\r\n"
			for _, v := range vias {
				out += "Via: " + v + "\r\n"
			}
			out += fmt.Sprintf("To: %s%s\r\nFrom: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n", to, tag, field("From")[0], id, field("CSeq")[0])
			_, _ = d.conn.WriteToUDP([]byte(out), from)
		}
		answer("100 Trying", "")
		answer(statuses[digit], ";tag=door")
	}
}

// Requests that are lost are sent again; every status is told as what it does; a call's final answer is acknowledged; and
// the records of the calls that passed, and of no others, come to the API door.
func TestSIPTransactions(t *testing.T) {
	addr := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}
	conn, err := net.ListenUDP("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	d := &deaf{conn: conn, copies: map[string]int{}, acks: map[string]string{}, given: map[string]int{}}
	var serving sync.WaitGroup
	serving.Go(d.serve)
	defer serving.Wait()
	defer conn.Close()

	var mu sync.Mutex
	records := map[string]message.CallRecord{}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var list []struct {
			CallID         string `json:"call_id"`
			Caller, Callee string
			Begun          time.Time
			Answered       bool
			Duration       float64
			HungUp         message.Party `json:"hung_up"`
		}
		if err := json.NewDecoder(r.Body).Decode(&list); err != nil || r.URL.Path != "/v1/calls" || r.Header.Get("Authorization") != "Bearer secret" {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		mu.Lock()
		for _, c := range list {
			records[c.CallID] = message.CallRecord{CallID: c.CallID, Caller: c.Caller, Callee: c.Callee, Begun: c.Begun, Answered: c.Answered,
				Duration: time.Duration(c.Duration * float64(time.Second)), HungUp: c.HungUp}
		}
		mu.Unlock()
		fmt.Fprintf(w, `{"taken":%d}`, len(list))
	}))
	defer api.Close()

	w := stream(t)
	want := map[string]message.CallRecord{}
	requests, calls := 0, 0
	p := New(Config{SIP: conn.LocalAddr().String(), API: api.URL, Token: "secret", Limit: 60, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Answered: func(r Result) {
			mu.Lock()
			defer mu.Unlock()
			requests++
			var x *world.SIP
			if r.Sent.Call != nil {
				x = &r.Sent.Call.SIP
				calls++
			} else {
				x = &r.Sent.IM.SIP
			}
			d.mu.Lock()
			digit := d.given[x.CallID]
			d.mu.Unlock()
			if r.Answer != wantAnswers[digit] {
				t.Errorf("%s is %s, want %s", statuses[digit], r.Answer, wantAnswers[digit])
			}
			if r.Sent.Call != nil && (r.Answer == Accepted || r.Answer == Tagged) {
				for _, c := range r.Sent.Call.Records {
					want[c.CallID] = c
				}
			}
		}}, func() world.Sent {
		for {
			if s := w.Next(); s.Mail == nil && s.Text == nil {
				return s
			}
		}
	})
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	acknowledged := func() int {
		d.mu.Lock()
		defer d.mu.Unlock()
		return len(d.acks)
	}
	for until := time.Now().Add(10 * time.Second); acknowledged() < calls && time.Now().Before(until); { // the last may be under way
		time.Sleep(time.Millisecond)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if requests != 60 || calls == 0 || calls == 60 || len(d.copies) != 60 || len(d.acks) != calls {
		t.Errorf("%d requests, %d calls, %d transactions, %d acknowledged", requests, calls, len(d.copies), len(d.acks))
	}
	for branch, n := range d.copies {
		if n < 2 {
			t.Errorf("%s was sent %d times", branch, n)
		}
	}
	for branch, to := range d.acks {
		if !strings.HasSuffix(to, ";tag=door") {
			t.Errorf("%s acknowledged to %s", branch, to)
		}
	}
	if len(records) != len(want) || p.Recorded() != uint64(len(want)) || len(want) == 0 {
		t.Errorf("%d records came, %d were counted, of %d", len(records), p.Recorded(), len(want))
	}
	for id, r := range want {
		got := records[id]
		if !got.Begun.Equal(r.Begun) {
			t.Errorf("%+v, want %+v", got, r)
		}
		got.Begun = r.Begun
		if got != r {
			t.Errorf("%+v, want %+v", got, r)
		}
	}
}
