package sms

// escape leads to the extension table for one character (3GPP TS 23.038 section 6.2.1).
const escape = 0x1b

// A table gives the character of each septet; 0 where there is none.
type table [128]rune

// tableOf reads 128 characters in the order of their septets; the escape stands at its place as itself.
func tableOf(s string) *table {
	var t table
	i := 0
	for _, r := range s {
		t[i] = r
		i++
	}
	return &t
}

// extend copies an extension table and sets more characters in it.
func extend(t *table, more map[byte]rune) *table {
	out := *t
	for i, r := range more {
		out[i] = r
	}
	return &out
}

const (
	punctuation = " !\"#¤%&'()*+,-./0123456789:;<=>?"
	upper       = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower       = "abcdefghijklmnopqrstuvwxyz"
)

// The alphabets of TS 23.038: section 6.2.1 (default and its extension), annex A.2 (national single shift, chosen by
// UDH element 0x24) and A.3 (national locking shift, element 0x25). Of the national ones those of Turkish (1), Spanish
// (2, single shift only) and Portuguese (3) are here; another one leaves [NationalUnknown].
var (
	defaultTable = tableOf("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ" + punctuation + "¡" + upper + "ÄÖÑÜ§¿" + lower + "äöñüà")

	extensionTable = &table{0x0a: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2f: '\\', 0x3c: '[', 0x3d: '~', 0x3e: ']',
		0x40: '|', 0x65: '€'}

	singleShift = map[byte]*table{
		1: extend(extensionTable, map[byte]rune{'G': 'Ğ', 'I': 'İ', 'S': 'Ş', 'c': 'ç', 'g': 'ğ', 'i': 'ı', 's': 'ş'}),
		2: extend(extensionTable, map[byte]rune{0x09: 'ç', 'A': 'Á', 'I': 'Í', 'O': 'Ó', 'U': 'Ú', 'a': 'á', 'i': 'í',
			'o': 'ó', 'u': 'ú'}),
		3: extend(extensionTable, map[byte]rune{0x05: 'ê', 0x09: 'ç', 0x0b: 'Ô', 0x0c: 'ô', 0x0e: 'Á', 0x0f: 'á',
			0x12: 'Φ', 0x13: 'Γ', 0x15: 'Ω', 0x16: 'Π', 0x17: 'Ψ', 0x18: 'Σ', 0x19: 'Θ', 0x1f: 'Ê', 'A': 'À', 'I': 'Í',
			'O': 'Ó', 'U': 'Ú', 0x5b: 'Ã', 0x5c: 'Õ', 'a': 'Â', 'i': 'í', 'o': 'ó', 'u': 'ú', 0x7b: 'ã', 0x7c: 'õ', 0x7f: 'â'}),
	}

	lockingShift = map[byte]*table{
		1: tableOf("@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ" + punctuation + "İ" + upper + "ÄÖÑÜ§ç" + lower + "äöñüà"),
		3: tableOf("@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ" + " !\"#º" + punctuation[len(" !\"#¤"):] + "Í" + upper + "ÃÕÚÜ§~" + lower + "ãõ`üà"),
	}

	// toSeptet is the default alphabet backwards: the septet of a character, with extended set for one of the extension.
	toSeptet = func() map[rune]uint16 {
		m := make(map[rune]uint16, 140)
		for i, r := range extensionTable {
			if r != 0 {
				m[r] = extended | uint16(i)
			}
		}
		for i, r := range defaultTable {
			if i != escape {
				m[r] = uint16(i)
			}
		}
		return m
	}()

	// asciiSeptet is toSeptet for ASCII; notGSM where there is none.
	asciiSeptet = func() (t [128]uint16) {
		for i := range t {
			t[i] = notGSM
			if v, ok := toSeptet[rune(i)]; ok {
				t[i] = v
			}
		}
		return t
	}()

	// sameAsASCII tells the septets that are the ASCII character of the same number.
	sameAsASCII = func() (t [256]bool) {
		for i, r := range defaultTable {
			t[i] = int(r) == i && i != escape
		}
		return t
	}()
)

const (
	extended = 0x100
	notGSM   = 0xffff
)

// septet is the septet of r in the default alphabet, or notGSM.
func septet(r rune) uint16 {
	if r >= 0 && r < 128 {
		return asciiSeptet[r]
	}
	if v, ok := toSeptet[r]; ok {
		return v
	}
	return notGSM
}

// FitsGSM reports whether every character of text is in the default alphabet or its extension.
func FitsGSM(text string) bool {
	for _, r := range text {
		if septet(r) == notGSM {
			return false
		}
	}
	return true
}
