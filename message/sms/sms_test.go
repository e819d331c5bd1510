package sms

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"rempart/message"
)

func TestTables(t *testing.T) {
	for name, table := range map[string]*table{"default": defaultTable, "turkish": lockingShift[1], "portuguese": lockingShift[3]} {
		if table[0] != '@' || table[escape] != escape || table['A'] != 'A' || table['z'] != 'z' || table[127] != 'à' || table['?'] != '?' {
			t.Errorf("%s: %q", name, string(table[:]))
		}
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name      string
		in        Input
		text      string
		encoding  string
		anomalies string
	}{
		{"gsm", Input{ShortMessage: []byte("Hi \x00 \x1b\x65 \x0e\x1b\x3c")}, "Hi @ € Å[", "gsm7", ""},
		{"latin1 default", Input{ShortMessage: []byte("caf\xe9"), DefaultAlphabet: "latin1"}, "café", "latin1", ""},
		{"high bytes", Input{ShortMessage: []byte("caf\xe9")}, "café", "gsm7", GSMHighBit},
		{"lone escape", Input{ShortMessage: []byte("a\x1b")}, "a ", "gsm7", ""},
		{"unknown extension", Input{ShortMessage: []byte("\x1bA\x1b\x1b")}, "A ", "gsm7", ""},
		{"ucs2", Input{ShortMessage: []byte("\x4f\x60\x59\x7d\xd8\x3d\xde\x00"), DataCoding: 8}, "你好😀", "ucs2", ""},
		{"ucs2 for gsm", Input{ShortMessage: []byte("\x00H\x00i"), DataCoding: 8}, "Hi", "ucs2", UCS2ForGSM},
		{"ucs2 odd", Input{ShortMessage: []byte("\x4f\x60\x59"), DataCoding: 8}, "你", "ucs2", UCS2Odd},
		{"ucs2 surrogate", Input{ShortMessage: []byte("\xd8\x3d\x00a\xde\x00"), DataCoding: 8}, "\ufffda\ufffd", "ucs2", UCS2Surrogate},
		{"cyrillic", Input{ShortMessage: []byte("\xbf\xe0\xd8"), DataCoding: 6}, "При", "cyrillic", ""},
		{"hebrew", Input{ShortMessage: []byte("\xf9\xec"), DataCoding: 7}, "של", "hebrew", ""},
		{"ia5", Input{ShortMessage: []byte("a{b"), DataCoding: 1}, "a{b", "ia5", ""},
		{"flash", Input{ShortMessage: []byte("now"), DataCoding: 0xf0}, "now", "gsm7", ""},
		{"flash ucs2", Input{ShortMessage: []byte("\x4f\x60"), DataCoding: 0x18}, "你", "ucs2", ""},
		{"binary text", Input{ShortMessage: []byte("grüß"), DataCoding: 4}, "grüß", "binary", ""},
		{"unknown coding", Input{ShortMessage: []byte("abcd\x01"), DataCoding: 0x0b}, "abcd", "binary", CodingUnknown},
		{"wap push", Input{ShortMessage: []byte("\x06\x05\x04\x0b\x84\x23\xf0\x01\x06\x03http://a.example/\x00\x01x"), UDHI: true, DataCoding: 0xf5},
			"http://a.example/", "binary", Port},
		{"concat", Input{ShortMessage: []byte("\x05\x00\x03\x07\x02\x01part"), UDHI: true}, "part", "gsm7", ""},
		{"concat differs", Input{ShortMessage: []byte("\x05\x00\x03\x07\x02\x01part"), UDHI: true, Part: 2, Total: 2}, "part", "gsm7", PartNumber},
		{"part 3 of 2", Input{ShortMessage: []byte("\x05\x00\x03\x07\x02\x03part"), UDHI: true}, "part", "gsm7", PartNumber},
		{"header too long", Input{ShortMessage: []byte("\xffabc"), UDHI: true}, "", "gsm7", UDHLength},
		{"element too long", Input{ShortMessage: []byte("\x03\x00\x09\x01text"), UDHI: true}, "text", "gsm7", UDHLength},
		{"no header", Input{UDHI: true}, "", "gsm7", UDHLength},
		{"turkish", Input{ShortMessage: []byte("\x03\x24\x01\x01\x1bI\x1bs"), UDHI: true}, "İş", "gsm7", ""},
		{"portuguese locking", Input{ShortMessage: []byte("\x03\x25\x01\x03\x06a\x7b"), UDHI: true}, "úaã", "gsm7", ""},
		{"hindi", Input{ShortMessage: []byte("\x03\x24\x01\x06ab"), UDHI: true}, "ab", "gsm7", NationalUnknown},
		{"packed", Input{ShortMessage: []byte("\xe8\x32\x9b\xfd\x06"), Packed: true}, "hello", "gsm7", ""},
		{"packed after header", Input{ShortMessage: append([]byte("\x05\x00\x03\x07\x02\x01"), Pack(nil, []byte("hello"), 1)...), UDHI: true, Packed: true},
			"hello", "gsm7", ""},
	} {
		m := Parse(tt.in)
		var got []string
		for _, a := range m.Anomalies {
			got = append(got, a.Name)
		}
		if m.Text != tt.text || m.SMS.Encoding != tt.encoding || strings.Join(got, " ") != tt.anomalies {
			t.Errorf("%s: %q in %s, anomalies %v; want %q in %s, %s", tt.name, m.Text, m.SMS.Encoding, got, tt.text, tt.encoding, tt.anomalies)
		}
		if flash := strings.HasPrefix(tt.name, "flash"); m.SMS.Flash != flash {
			t.Errorf("%s: flash %v", tt.name, m.SMS.Flash)
		}
	}
	m := Parse(Input{ShortMessage: []byte("\x06\x08\x04\x12\x34\x03\x02see www.a.example"), UDHI: true, SystemID: "esme"})
	if m.SMS.Reference != 0x1234 || m.SMS.Part != 2 || m.SMS.Total != 3 || m.SMS.SystemID != "esme" || len(m.Links) != 1 || m.Links[0].Host != "www.a.example" {
		t.Errorf("%+v %+v", m.SMS, m.Links)
	}
}

func TestSenderType(t *testing.T) {
	for _, tt := range []struct {
		source string
		ton    byte
		want   message.SenderType
		id     string
	}{
		{"+447700900123", 0, message.SenderNumeric, "+447700900123"},
		{"447700900123", 1, message.SenderNumeric, "+447700900123"},
		{"07700 900123", 2, message.SenderNumeric, "07700 900123"},
		{"7726", 3, message.SenderShortCode, "7726"},
		{"7726", 0, message.SenderShortCode, "7726"},
		{"MyBank", 5, message.SenderAlphanumeric, "MyBank"},
		{"B4nk", 0, message.SenderAlphanumeric, "B4nk"},
		{"\xc4bank", 5, message.SenderAlphanumeric, "Äbank"},
		{"", 0, message.SenderUnknown, ""},
	} {
		m := Parse(Input{Source: tt.source, SourceTON: tt.ton})
		if m.SMS.SenderType != tt.want || m.Source.ID != tt.id {
			t.Errorf("%q: %v %q, want %v %q", tt.source, m.SMS.SenderType, m.Source.ID, tt.want, tt.id)
		}
	}
}

func TestParseJSON(t *testing.T) {
	m, err := ParseJSON([]byte(`{"from":"+447700900123","to":"+447700900456","text":"héllo 你 bit.ly/x","time":"2026-11-23T10:00:00Z","part":2,"total":3,"more":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if m.Text != "héllo 你 bit.ly/x" || m.MailFrom != "+447700900123" || m.Recipients[0].Address != "+447700900456" || m.SMS.Encoding != "ucs2" ||
		m.SMS.Total != 3 || len(m.Links) != 1 || m.Arrived.IsZero() {
		t.Errorf("%+v %+v", m, m.SMS)
	}
	for _, bad := range []string{``, `{}`, `{"text":1}`, `[]`, `{"text":"a","part":999}`} {
		if _, err := ParseJSON([]byte(bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

// TestEncode: what Encode wrote, Parse reads back unchanged; so do Pack and Unpack.
func TestEncode(t *testing.T) {
	gsm := append([]rune{}, defaultTable[:]...)
	gsm = slices.DeleteFunc(append(gsm, extensionTable[:]...), func(r rune) bool { return r == escape || r == 0 })
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(rapid.SampledFrom(gsm), rapid.Rune())).Draw(t, "text")
		if strings.HasPrefix(text, "\ufeff") {
			t.Skip("a byte order mark")
		}
		data, coding := Encode(text)
		if got := Parse(Input{ShortMessage: data, DataCoding: coding}).Text; len(data) <= maxBytes && got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		septets := rapid.SliceOf(rapid.ByteMax(0x7f)).Draw(t, "septets")
		fill := rapid.IntRange(0, 6).Draw(t, "fill")
		if got := Unpack(nil, Pack(nil, septets, fill), len(septets), fill); !bytes.Equal(got, septets) {
			t.Fatalf("%v became %v", septets, got)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("\x05\x00\x03\x07\x02\x01text www.a.example"), byte(0), true, false)
	f.Add([]byte("\x4f\x60\xd8\x3d\xde\x00\x00"), byte(8), false, false)
	f.Add([]byte("\x06\x05\x04\x0b\x84\x23\xf0http://a.example"), byte(0xf5), true, true)
	f.Add([]byte("\x03\x25\x01\x03\x1b\x1b"), byte(0x10), true, true)
	f.Fuzz(func(t *testing.T, b []byte, coding byte, udhi, packed bool) {
		m := Parse(Input{Source: string(b[:min(len(b), 12)]), ShortMessage: b, DataCoding: coding, UDHI: udhi, Packed: packed})
		if !utf8.ValidString(m.Text) || !utf8.ValidString(m.Source.ID) || len(m.Links) > maxLinks || len(m.Text) > 3*maxBytes {
			t.Fatalf("%q: %q", b, m.Text)
		}
		for _, a := range m.Anomalies {
			if !slices.Contains(Anomalies, a.Name) {
				t.Fatalf("anomaly %q is not in the list", a.Name)
			}
		}
	})
}

var text160 = []byte("Your parcel is held at the depot. Pay the fee of 1.99 within 24 hours to have it delivered: post.example/pay or call 07700 900123. Reply STOP to end. Ref 12345.")

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(text160)))
	b.ReportAllocs()
	in := Input{Source: "+447700900123", Destination: "+447700900456", ShortMessage: text160}
	for b.Loop() {
		Parse(in)
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, bb := range []struct {
		name string
		data []byte
	}{{"ascii", text160}, {"gsm", append([]byte("\x00\x1b\x65 "), text160[4:]...)}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				gsmText(bb.data, defaultTable, extensionTable)
			}
		})
	}
	b.Run("ucs2", func(b *testing.B) {
		data := EncodeUCS2(strings.Repeat("你好", 35))
		b.ReportAllocs()
		for b.Loop() {
			ucs2Text(data)
		}
	})
}
