package world

import (
	"rempart/message/sms"
)

// Types of number of SMPP 3.4 section 5.2.5.
const (
	tonInternational byte = 1
	tonAlphanumeric  byte = 5
)

// What one short message holds (TS 23.040): 160 septets or 140 bytes; a part of a long text six bytes less, for its
// header.
const (
	oneGSM, partGSM   = 160, 153
	oneUCS2, partUCS2 = 140, 134
)

// text makes the short messages of a text, and the truth about where they come from.
func (w *World) text(s *Sent, system, source string, ton byte, destination, body string) {
	s.Truth.Path, s.Truth.Sender = []string{system}, source
	if ton == tonInternational {
		s.Truth.Sender = "+" + source
	}
	t := &Text{SystemID: system, Source: source, SourceTON: ton, Destination: destination, Body: body, Encoding: "gsm7"}
	whole, coding := sms.Encode(body)
	one, part := oneGSM, partGSM
	if t.DataCoding = coding; coding == sms.CodingUCS2 {
		t.Encoding, one, part = "ucs2", oneUCS2, partUCS2
	}
	if len(whole) <= one {
		t.Parts = []Part{{UserData: whole}}
		s.Text = t
		return
	}
	cut := pieces(body, part)
	reference := byte(w.rng.IntN(256))
	for i, p := range cut {
		data := sms.EncodeUCS2(p)
		if coding == sms.CodingDefault {
			data, _ = sms.EncodeGSM(p) // a piece of what fitted fits
		}
		header := []byte{5, 0, 3, reference, byte(len(cut)), byte(i + 1)} // TS 23.040 section 9.2.3.24.1
		t.Parts = append(t.Parts, Part{UserData: append(header, data...), UDHI: true})
	}
	s.Text = t
}

// pieces cuts s so that each is at most limit bytes when it is encoded; no character is torn.
func pieces(s string, limit int) (out []string) {
	gsm := sms.FitsGSM(s)
	from, size := 0, 0
	for i, r := range s {
		n := 2
		switch {
		case gsm:
			b, _ := sms.EncodeGSM(string(r))
			n = len(b)
		case r > 0xffff:
			n = 4
		}
		if size+n > limit {
			out = append(out, s[from:i])
			from, size = i, 0
		}
		size += n
	}
	return append(out, s[from:])
}
