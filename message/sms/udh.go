package sms

// header is what a user data header (3GPP TS 23.040 section 9.2.3.24) says.
type header struct {
	size        int // bytes, its length byte included
	reference   uint16
	part, total uint8
	concat      bool
	ports       bool
	port        uint16 // destination
	single      byte   // national single shift table; 0 for the default
	locking     byte
	lies        bool // a length that does not fit
}

// readHeader reads the user data header b begins with. Where lengths lie, what fits is read, and nothing of the rest is
// taken for text that the header claimed.
func readHeader(b []byte) (h header) {
	if len(b) == 0 {
		h.lies = true
		return h
	}
	h.size = int(b[0]) + 1
	if h.size > len(b) {
		h.size, h.lies = len(b), true
	}
	for b = b[1:h.size]; len(b) > 0; {
		if len(b) < 2 || int(b[1]) > len(b)-2 {
			h.lies = true
			return h
		}
		h.element(b[0], b[2:2+int(b[1])])
		b = b[2+int(b[1]):]
	}
	return h
}

// element reads one information element. The last of a kind counts (section 9.2.3.24: later ones override).
func (h *header) element(id byte, v []byte) {
	sizes := map[byte]int{0x00: 3, 0x08: 4, 0x04: 2, 0x05: 4, 0x24: 1, 0x25: 1}
	want, known := sizes[id]
	if !known {
		return
	}
	if len(v) != want {
		h.lies = true
		return
	}
	switch id {
	case 0x00:
		h.concat, h.reference, h.total, h.part = true, uint16(v[0]), v[1], v[2]
	case 0x08:
		h.concat, h.reference, h.total, h.part = true, uint16(v[0])<<8|uint16(v[1]), v[2], v[3]
	case 0x04:
		h.ports, h.port = true, uint16(v[0])
	case 0x05:
		h.ports, h.port = true, uint16(v[0])<<8|uint16(v[1])
	case 0x24:
		h.single = v[0]
	case 0x25:
		h.locking = v[0]
	}
}
