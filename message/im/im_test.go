package im

import (
	"os"
	"path/filepath"
	"testing"

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
	for _, tt := range []struct{ file, text, host, anomaly string }{
		{"testdata/plain.sip", "Grüße, see http://shop.example/x now", "shop.example", ""},
		{"testdata/cpim.sip", "win at www.prize.example für dich", "www.prize.example", ""},
		{"testdata/html.sip", "click bank.example", "evil.example", ""},
		{"testdata/typing.sip", "", "", BodyUnknown},
		{"testdata/packed.sip", "", "", BodyUnknown},
		{"testdata/cpimbad.sip", "no headers http://x.example/1", "x.example", CPIMBad},
		{"../sip/testdata/rfc4475/mpart01.dat", "Hello", "", "mixed_line_ends"},
	} {
		m := parse(t, tt.file)
		host := ""
		if len(m.Links) > 0 {
			host = m.Links[0].Host
		}
		if m.Channel != message.IM || m.VisibleText() != tt.text || host != tt.host || (tt.anomaly == "") != (len(m.Anomalies) == 0) ||
			tt.anomaly != "" && !m.HasAnomaly(tt.anomaly) {
			t.Errorf("%s: text %q, links %+v, anomalies %+v", tt.file, m.VisibleText(), m.Links, m.Anomalies)
		}
	}
	m := parse(t, "testdata/plain.sip")
	if m.Source.ID != "anna@a.example" || m.From.Name != "Anna" || m.Recipients[0].Address != "bob@b.example" || m.Recipients[0].Domain != "b.example" ||
		m.MessageID != "plain@a.example" {
		t.Errorf("%+v", m)
	}
}

func TestJSON(t *testing.T) {
	for _, tt := range []struct{ json, id, to string }{
		{`{"from":"+44 7700 900123","to":"bob@b.example","text":"hi"}`, "+447700900123", "bob@b.example"},
		{`{"from":"xmpp:anna@example.com","to":"@bob:example.org","text":"hi"}`, "xmpp:anna@example.com", "@bob:example.org"},
		{`{"from":"sip:anna@example.com","text":""}`, "anna@example.com", ""},
	} {
		m, err := ParseJSON([]byte(tt.json))
		if err != nil {
			t.Fatal(err)
		}
		to := ""
		if len(m.Recipients) > 0 {
			to = m.Recipients[0].Address
		}
		if m.Source.ID != tt.id || to != tt.to {
			t.Errorf("%s: %q to %q", tt.json, m.Source.ID, to)
		}
	}
	for _, bad := range []string{`{}`, `{"text":"x","client":"y"}`, `1`} {
		if _, err := ParseJSON([]byte(bad)); err == nil {
			t.Errorf("%s was taken", bad)
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
		if m := Parse(&r); m.Channel != message.IM || len(m.Links) > 10*maxLinks {
			t.Fatalf("%+v", m)
		}
	})
}
