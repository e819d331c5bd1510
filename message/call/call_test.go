package call

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"rempart/message"
	"rempart/message/sip"
)

func parse(t testing.TB, file string) *message.Message {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r sip.Message
	if err := r.Read(string(b)); err != nil {
		t.Fatal(err)
	}
	return Parse(&r)
}

func TestParse(t *testing.T) {
	m := parse(t, "testdata/shaken.sip")
	full := message.PASSporT{Attestation: "B", Orig: "442079460123", Dest: []string{"442079460001", "sip:bob@b.example"},
		IssuedAt: time.Unix(1_700_000_000, 0).UTC(), OrigID: "123e4567-e89b-12d3-a456-426655440000", Certificate: "https://cert.example.org/passport.cer"}
	want := message.CallInfo{Asserted: "+442079460999", Diverted: "+442079460555", UserAgent: "Dialer/3.1",
		Identity: []message.PASSporT{full, {Certificate: "https://cert.example.org/compact.cer"}, {}}}
	if !reflect.DeepEqual(*m.Call, want) {
		t.Errorf("%+v\nwant %+v", *m.Call, want)
	}
	if m.Channel != message.Call || m.Source.ID != "+442079460123" || m.MessageID != "3848276298220188511@atlanta.example.com" ||
		m.From != (message.Address{Name: `Bank "Help"`, Local: "+442079460123", Domain: "example.com"}) || len(m.Recipients) != 1 ||
		m.Recipients[0].Address != "+442079460001" || m.To[0].Local != "+442079460001" || !m.HasAnomaly(IdentityBad) || len(m.Anomalies) != 1 {
		t.Errorf("%+v", m)
	}

	m = parse(t, "testdata/history.sip")
	if m.Source.ID != "anonymous@anonymous.invalid" || m.Recipients[0].Address != "112" || m.Call.Diverted != "+442079460002" || m.Call.Asserted != "" ||
		len(m.Anomalies) != 0 {
		t.Errorf("%+v %+v", m, m.Call)
	}
}

func TestParseTorture(t *testing.T) {
	files, _ := filepath.Glob("../sip/testdata/rfc4475/*.dat")
	known := map[string]bool{}
	for _, a := range Anomalies {
		known[a] = true
	}
	for _, f := range files {
		if filepath.Base(f) == "bigcode.dat" { // whose first line is none of SIP
			continue
		}
		for _, a := range parse(t, f).Anomalies {
			if !known[a.Name] {
				t.Errorf("%s: anomaly %s is not in the list", f, a.Name)
			}
		}
	}
	if len(files) != 49 {
		t.Errorf("%d files", len(files))
	}
}

func TestJSON(t *testing.T) {
	b, err := os.ReadFile("testdata/call.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	if m.Source.ID != "+442079460123" || m.Source.Address != netip.MustParseAddr("192.0.2.7") || m.Recipients[0].Address != "+442079460001" ||
		m.From.Name != "Alice" || m.MessageID != "c1" || m.ID != "x1" || m.Call.Asserted != "+442079460999" || m.Call.Diverted != "+442079460555" ||
		len(m.Call.Identity) != 2 || m.Call.Identity[0].Attestation != "B" || !m.HasAnomaly(IdentityBad) || m.Arrived.Year() != 2026 {
		t.Errorf("%+v %+v", m, m.Call)
	}
	for _, bad := range []string{`{}`, `{"from":"1"}`, `{"from":"1","to":"2","client":"x"}`, `[]`, `{"from":1}`} {
		if _, err := ParseJSON([]byte(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestRecord(t *testing.T) {
	for _, tt := range []struct{ record, err string }{
		{`{"call_id":"c1","caller":"+44 20 7946 0123","callee":"tel:+442079460001","begun":"2026-01-02T03:04:05Z","answered":true,"duration":2.5,"hung_up":"callee"}`, ""},
		{`{"caller":"1","callee":"2","begun":"2026-01-02T03:04:05Z"}`, ""},
		{`{"caller":"1","begun":"2026-01-02T03:04:05Z"}`, "callee"},
		{`{"caller":"1","callee":"2"}`, "begun"},
		{`{"caller":"1","callee":"2","begun":"2026-01-02T03:04:05Z","answered":true,"duration":-1}`, "duration"},
		{`{"caller":"1","callee":"2","begun":"2026-01-02T03:04:05Z","duration":9}`, "not answered"},
		{`{"caller":"1","callee":"2","begun":"2026-01-02T03:04:05Z","hung_up":"fate"}`, "party"},
	} {
		var r Record
		err := json.Unmarshal([]byte(tt.record), &r)
		var got message.CallRecord
		if err == nil {
			got, err = r.Message()
		}
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v", tt.record, err)
		}
		if want := (message.CallRecord{CallID: "c1", Caller: "+442079460123", Callee: "+442079460001", Begun: r.Begun, Answered: true,
			Duration: 2500 * time.Millisecond, HungUp: message.Callee}); err == nil && r.Answered && got != want {
			t.Errorf("%+v", got)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.sip")
	for _, file := range files {
		b, _ := os.ReadFile(file)
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, s string) {
		var r sip.Message
		if r.Read(s) != nil {
			return
		}
		m := Parse(&r)
		if m.Channel != message.Call || len(m.Call.Identity) > maxIdentity || len(m.MessageID) > 3*maxMessageID {
			t.Fatalf("%+v", m.Call)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	raw, err := os.ReadFile("testdata/shaken.sip")
	if err != nil {
		b.Fatal(err)
	}
	s := string(raw)
	s = strings.Replace(s, "Identity: \"old", "X: \"old", 1)
	var r sip.Message
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		if r.Read(s) != nil || Parse(&r).Source.ID == "" {
			b.Fatal()
		}
	}
}
