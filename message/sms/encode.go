package sms

import "unicode/utf16"

// Values of data_coding (SMPP 3.4 section 5.2.19, TS 23.038 section 4).
const (
	CodingDefault  byte = 0x00 // the message centre's default alphabet
	CodingIA5      byte = 0x01
	CodingBinary2  byte = 0x02
	CodingLatin1   byte = 0x03
	CodingBinary   byte = 0x04
	CodingCyrillic byte = 0x06 // ISO 8859-5
	CodingHebrew   byte = 0x07 // ISO 8859-8
	CodingUCS2     byte = 0x08
)

// Encode writes text as a short message: unpacked GSM 03.38 where every character fits, else UTF-16BE. [Parse] reads it
// back unchanged if text is valid UTF-8.
func Encode(text string) (data []byte, coding byte) {
	if b, ok := EncodeGSM(text); ok {
		return b, CodingDefault
	}
	return EncodeUCS2(text), CodingUCS2
}

// EncodeGSM writes text in the default alphabet and its extension, one septet a byte; ok is false if it does not fit.
func EncodeGSM(text string) (data []byte, ok bool) {
	data = make([]byte, 0, len(text)+8)
	for _, r := range text {
		v := septet(r)
		switch {
		case v == notGSM:
			return nil, false
		case v&extended != 0:
			data = append(data, escape, byte(v))
		default:
			data = append(data, byte(v))
		}
	}
	return data, true
}

// EncodeUCS2 writes text as UTF-16BE.
func EncodeUCS2(text string) []byte {
	data := make([]byte, 0, 2*len(text))
	for _, r := range text {
		if a, b := utf16.EncodeRune(r); a != '\ufffd' {
			data = append(data, byte(a>>8), byte(a), byte(b>>8), byte(b))
			continue
		}
		data = append(data, byte(r>>8), byte(r))
	}
	return data
}
