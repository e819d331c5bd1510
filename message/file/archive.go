package file

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf16"
)

// zip reads the local headers of a ZIP archive (APPNOTE.TXT section 4.3.7) one after the other: what a program would unpack that
// does not look for the directory at the end, which may be cut off or lie.
func (l *look) zip(path string, b []byte, depth int) {
	l.seen = true
	for i := 0; len(l.found.Files) < maxFiles; {
		n := bytes.Index(b[i:], []byte("PK\x03\x04"))
		if n < 0 || len(b)-i-n < 30 {
			break
		}
		h := b[i+n:]
		i += n + 30
		flags, method := binary.LittleEndian.Uint16(h[6:]), binary.LittleEndian.Uint16(h[8:])
		size := int(binary.LittleEndian.Uint32(h[18:]))
		nameLen, extraLen := int(binary.LittleEndian.Uint16(h[26:])), int(binary.LittleEndian.Uint16(h[28:]))
		if 30+nameLen > len(h) {
			break
		}
		name := string(h[30 : 30+nameLen])
		if name == "" {
			continue
		}
		data := h[min(30+nameLen+extraLen, len(h)):]
		if flags&8 == 0 && size <= len(data) { // the size stands in front of the data
			data = data[:size]
			i = len(b) - len(h) + min(30+nameLen+extraLen, len(h)) + size
		}
		if flags&1 != 0 {
			l.found.Encrypted = true
		}
		inside := l.add(path, name)
		if flags&1 == 0 {
			l.member(inside, name, method, data, depth)
		}
	}
}

// member looks into one file of an archive where its name promises something: a part of an office document (ECMA-376), or an
// archive. Every archive is read as if it were such a document, for what makes it one can be added to any. Inside is the path
// of what the file holds.
func (l *look) member(inside, name string, method uint16, data []byte, depth int) {
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, "vbaproject.bin"):
		l.found.Macros = true
	case strings.HasSuffix(lower, ".rels") && !strings.HasSuffix(lower, "document.xml.rels"):
		l.relations(l.unpack(method, data))
	case strings.Contains(lower, "embeddings/") && strings.HasSuffix(lower, ".bin"):
		l.found.Object = true
	}
	if depth+1 >= maxDepth {
		return
	}
	switch extension(lower) {
	case "zip", "rar", "7z", "gz", "tgz", "tar", "iso", "img", "docm", "docx", "xlsm", "xlsx", "pptm", "doc", "xls", "ppt", "jar":
		if inner := l.unpack(method, data); len(inner) > 0 {
			l.file(kindOf(inner), inside, inner, depth+1)
		}
	}
}

// unpack inflates the beginning of a member, within the budget.
func (l *look) unpack(method uint16, data []byte) []byte {
	switch method {
	case 0:
		return data[:min(len(data), maxMember)]
	case 8:
		return l.read(flate.NewReader(bytes.NewReader(data)))
	}
	return nil
}

func (l *look) read(r io.Reader) []byte {
	b, _ := io.ReadAll(io.LimitReader(r, int64(min(maxMember, l.left)))) // what could be read of a broken stream counts
	l.left -= len(b)
	return b
}

// gzip reads what a gzip file (RFC 1952) holds.
func (l *look) gzip(path string, b []byte, depth int) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil || depth+1 >= maxDepth {
		return
	}
	inner := l.read(r)
	switch kind := kindOf(inner); kind {
	case unknown:
		if r.Name != "" {
			l.add(path, r.Name)
		}
	case program:
		name := r.Name
		if name == "" {
			name = "program"
		}
		l.add(path, name)
		l.found.Program = true
	default:
		l.file(kind, path, inner, depth+1)
	}
}

// tar reads the headers of a tar file (POSIX ustar).
func (l *look) tar(path string, b []byte) {
	for len(b) >= 512 && b[0] != 0 && len(l.found.Files) < maxFiles {
		name, _, _ := bytes.Cut(b[:100], []byte{0})
		l.add(path, string(name))
		size := 0
		for _, c := range bytes.Trim(b[124:136], " \x00") {
			if c < '0' || c > '7' || size > MaxBytes {
				return
			}
			size = size*8 + int(c-'0')
		}
		b = b[min(len(b), 512+(size+511)/512*512):]
	}
}

// rar4 reads the headers of a RAR archive of versions 1.5 to 4 (technote.txt).
func (l *look) rar4(path string, b []byte) {
	l.seen = true
	b = b[7:]
	for len(b) >= 7 && len(l.found.Files) < maxFiles {
		kind, flags, size := b[2], binary.LittleEndian.Uint16(b[3:]), int(binary.LittleEndian.Uint16(b[5:]))
		if size < 7 || size > len(b) {
			return
		}
		next := size
		switch {
		case kind == 0x73 && flags&0x80 != 0: // the headers themselves are encrypted
			l.found.Encrypted = true
			return
		case kind == 0x74 && size >= 32:
			l.found.Encrypted = l.found.Encrypted || flags&4 != 0
			nameLen, at := int(binary.LittleEndian.Uint16(b[26:])), 32
			if flags&0x100 != 0 {
				at = 40
			}
			if at+nameLen <= size {
				name, _, _ := bytes.Cut(b[at:at+nameLen], []byte{0})
				l.add(path, string(name))
			}
			next += int(binary.LittleEndian.Uint32(b[7:]))
		case flags&0x8000 != 0 && size >= 11:
			next += int(binary.LittleEndian.Uint32(b[7:]))
		}
		if next <= 0 || next > len(b) {
			return
		}
		b = b[next:]
	}
}

// rar5 reads the headers of a RAR archive of version 5 (its published technote).
func (l *look) rar5(path string, b []byte) {
	l.seen = true
	b = b[8:]
	for len(b) > 8 && len(l.found.Files) < maxFiles {
		h := numbers{b: b[4:]}
		size := h.next()
		if h.bad || size <= 0 || size > len(h.b) {
			return
		}
		rest := h.b[size:]
		h.b = h.b[:size]
		kind, flags := h.next(), h.next()
		extra, data := 0, 0
		if flags&1 != 0 {
			extra = h.next()
		}
		if flags&2 != 0 {
			data = h.next()
		}
		switch kind {
		case 4: // everything behind it is encrypted
			l.found.Encrypted = true
			return
		case 2:
			l.rar5File(path, &h, extra)
		}
		if h.bad || data < 0 || data > len(rest) {
			return
		}
		b = rest[data:]
	}
}

func (l *look) rar5File(path string, h *numbers, extra int) {
	flags := h.next()
	h.next() // size
	h.next() // attributes
	if flags&2 != 0 {
		h.skip(4) // time
	}
	if flags&4 != 0 {
		h.skip(4) // checksum
	}
	h.next() // method
	h.next() // system
	n := h.next()
	if h.bad || n < 0 || n > len(h.b) {
		return
	}
	l.add(path, string(h.b[:n]))
	h.b = h.b[n:]
	if extra > 0 && extra <= len(h.b) {
		record := numbers{b: h.b[len(h.b)-extra:]}
		record.next()
		l.found.Encrypted = l.found.Encrypted || record.next() == 1 && !record.bad
	}
}

// numbers reads the numbers of seven bits a byte that RAR 5 has.
type numbers struct {
	b   []byte
	bad bool
}

func (n *numbers) next() int {
	v := 0
	for i := range min(len(n.b), 4) {
		v |= int(n.b[i]&0x7f) << (7 * i)
		if n.b[i]&0x80 == 0 {
			n.b = n.b[i+1:]
			return v
		}
	}
	n.bad = true // longer ones are larger than what is looked at
	return 0
}

func (n *numbers) skip(size int) {
	if size > len(n.b) {
		n.bad = true
		size = len(n.b)
	}
	n.b = n.b[size:]
}

// sevenZip reads what a 7z archive shows without unpacking its header (7zFormat.txt): that it is encrypted, or the names where
// the header is plain.
func (l *look) sevenZip(b []byte) {
	l.seen = true
	if len(b) < 32 {
		return
	}
	offset, size := binary.LittleEndian.Uint64(b[12:]), binary.LittleEndian.Uint64(b[20:])
	if offset > uint64(len(b)) || size > uint64(len(b)) || 32+offset+size > uint64(len(b)) {
		return
	}
	header := b[32+offset : 32+offset+size]
	l.found.Encrypted = l.found.Encrypted || bytes.Contains(header, []byte{0x06, 0xf1, 0x07, 0x01}) // AES-256
	if len(header) == 0 || header[0] != 1 {
		return
	}
	at := bytes.IndexByte(header, 0x11) // kNames; then its size, and whether it lies elsewhere
	if at < 0 || at+3 > len(header) {
		return
	}
	for at += 2; at < len(header) && header[at] != 0; at++ {
	}
	var name []uint16
	for at++; at+1 < len(header) && len(l.found.Files) < maxFiles; at += 2 {
		c := binary.LittleEndian.Uint16(header[at:])
		if c == 0 {
			if len(name) == 0 {
				return
			}
			l.add("", string(utf16.Decode(name)))
			name = name[:0]
			continue
		}
		if name = append(name, c); len(name) == 2*maxName {
			name = append(name[:0], name[maxName:]...) // its end counts
		}
	}
}

// iso reads the root directory of a CD image (ECMA-119 sections 8.4 and 9.1).
func (l *look) iso(path string, b []byte) {
	l.seen, l.found.Disk = true, true
	const sector = 2048
	root := b[16*sector:]
	if len(root) < 190 {
		return
	}
	at, size := int(binary.LittleEndian.Uint32(root[158:])), int(binary.LittleEndian.Uint32(root[166:]))
	if at <= 0 || at > len(b)/sector {
		return
	}
	dir := b[at*sector:]
	dir = dir[:min(len(dir), max(size, 0))]
	for len(dir) > 33 && len(l.found.Files) < maxFiles {
		n := int(dir[0])
		if n < 34 || n > len(dir) || 33+int(dir[32]) > n {
			return
		}
		name, _, _ := strings.Cut(string(dir[33:33+int(dir[32])]), ";")
		if len(name) > 1 {
			l.add(path, name)
		}
		dir = dir[n:]
	}
}
