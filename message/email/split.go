package email

import "bytes"

// Split takes a mail apart without changing a byte: the envelope line of an mbox, the fields of the header section with their
// folds and line ends, and the rest from the empty line on. complete means that there is such a line.
func Split(raw []byte) (top []byte, header [][]byte, rest []byte, complete bool) {
	rest = raw
	for i := 0; len(rest) > 0; i++ {
		n := bytes.IndexByte(rest, '\n') + 1
		if n == 0 {
			n = len(rest)
		}
		line := rest[:n]
		switch {
		case i == 0 && bytes.HasPrefix(line, []byte("From ")):
			top = line
		case string(line) == "\n", string(line) == "\r\n":
			return top, header, rest, true
		case len(header) > 0 && (line[0] == ' ' || line[0] == '\t'):
			last := &header[len(header)-1]
			*last = (*last)[:len(*last)+n] // they lie side by side
		default:
			header = append(header, line)
		}
		rest = rest[n:]
	}
	return top, header, nil, false
}

// FieldName is the name of a field that [Split] gives.
func FieldName(field []byte) string {
	name, _, _ := bytes.Cut(field, []byte{':'})
	return string(bytes.TrimRight(name, " \t"))
}
