// Package file looks into files that mail brings: the names in archives, macros and objects in documents, what a PDF does when
// opened, pages that build a file.
//
// [Inspect] never runs anything and unpacks no more than it needs: the cost is linear in the size and capped by the constants of
// this file, also for archives made to burst. What is broken is read as far as it goes. All functions are pure and safe for use
// from several goroutines.
package file

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"rempart/message"
)

// Caps.
const (
	MaxBytes    = 4 << 20   // of a file that are looked at
	maxFiles    = 200       // names of one attachment
	maxName     = 255       // bytes of a name
	maxUnpacked = 2 << 20   // bytes unpacked of one attachment, all files together
	maxMember   = 512 << 10 // bytes unpacked of one file in it
	maxDepth    = 3         // of archives in archives
	maxLinks    = 20        // of one attachment
	maxStreams  = 200       // of objects in a PDF
)

// Worth reports whether a file of that name, declared type and beginning can hold what [Inspect] finds.
func Worth(name, declared string, head []byte) bool {
	switch kindOf(head) {
	case unknown:
		switch extension(name) {
		case "ics", "iso", "img", "vhd", "vhdx", "pdf":
			return true // the mark of an image lies far behind its beginning
		}
		return page(name, declared) || declared == "text/calendar"
	case program:
		return false
	}
	return true
}

// Inspect looks into the first [MaxBytes] of a file. It returns nil if there is nothing to say, and the links found.
func Inspect(name, declared string, b []byte) (*message.Inside, []string) {
	l := look{left: maxUnpacked}
	b = b[:min(len(b), MaxBytes)]
	switch kind := kindOf(b); {
	case kind == unknown && (declared == "text/calendar" || extension(name) == "ics"):
		l.calendar(b)
	case kind == unknown && page(name, declared):
		l.page(b)
	default:
		l.file(kind, "", b, 0)
	}
	if !l.seen {
		return nil, nil
	}
	return &l.found, l.links
}

// look is the state of one inspection.
type look struct {
	found message.Inside
	links []string
	left  int  // bytes that may still be unpacked
	seen  bool // there is something to say
}

func (l *look) file(kind kind, path string, b []byte, depth int) {
	switch kind {
	case zipArchive:
		l.zip(path, b, depth)
	case rar4Archive:
		l.rar4(path, b)
	case rar5Archive:
		l.rar5(path, b)
	case sevenZipArchive:
		l.sevenZip(b)
	case gzipped:
		l.gzip(path, b, depth)
	case tarArchive:
		l.tar(path, b)
	case cdImage:
		l.iso(path, b)
	case diskImage:
		l.found.Disk, l.seen = true, true
	case compound:
		l.ole(b)
	case richText:
		l.rtf(b)
	case pdfDocument:
		l.pdf(b)
	}
}

// add notes a name in an archive. It returns the name as the path of what that file holds.
func (l *look) add(path, name string) string {
	l.seen = true
	name = capped(name)
	if len(l.found.Files) < maxFiles && name != "" {
		l.found.Files = append(l.found.Files, path+name)
	}
	return path + name + "/"
}

// capped is the end of a name in UTF-8, at most [maxName] bytes: what the file is stands there.
func capped(name string) string {
	name = strings.ToValidUTF8(name[max(0, len(name)-maxName):], "\ufffd")
	for len(name) > maxName {
		_, size := utf8.DecodeRuneInString(name)
		name = name[size:]
	}
	return name
}

func (l *look) link(url string) {
	if len(l.links) < maxLinks && len(url) < 2048 {
		l.links = append(l.links, strings.ToValidUTF8(url, "\ufffd"))
		l.found.Links++
		l.seen = true
	}
}

// kind is what a file is by its first bytes.
type kind uint8

const (
	unknown kind = iota
	zipArchive
	rar4Archive
	rar5Archive
	sevenZipArchive
	gzipped
	tarArchive
	cdImage
	diskImage
	compound
	richText
	pdfDocument
	program
)

// magic are the first bytes of files. Where two rows fit, the first counts.
var magic = [...]struct {
	at    int
	bytes string
	kind  kind
}{
	{0, "PK\x03\x04", zipArchive},
	{0, "Rar!\x1a\x07\x00", rar4Archive},
	{0, "Rar!\x1a\x07\x01\x00", rar5Archive},
	{0, "7z\xbc\xaf\x27\x1c", sevenZipArchive},
	{0, "\x1f\x8b\x08", gzipped},
	{257, "ustar", tarArchive},
	{0x8001, "CD001", cdImage},
	{0x8001, "BEA01", diskImage}, // UDF, ECMA-167
	{0, "vhdxfile", diskImage},
	{0, "conectix", diskImage},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", compound},
	{0, "{\\rt", richText},
	{0, "MZ", program},
	{0, "\x7fELF", program},
	{0, "\x4c\x00\x00\x00\x01\x14\x02\x00", program},                 // Windows shortcut
	{0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78", program}, // OneNote section
}

func kindOf(b []byte) kind {
	for _, m := range magic {
		if len(b) >= m.at+len(m.bytes) && string(b[m.at:m.at+len(m.bytes)]) == m.bytes {
			return m.kind
		}
	}
	if bytes.Contains(b[:min(len(b), 1024)], []byte("%PDF-")) { // readers allow that much before it
		return pdfDocument
	}
	return unknown
}

// Program reports the first bytes of what a computer runs or opens as a container of programs: programs, shortcuts, notebooks.
func Program(head []byte) bool { return kindOf(head) == program }

func extension(name string) string {
	name = strings.TrimRight(name, " .")
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	return strings.ToLower(name[i+1:])
}

func page(name, declared string) bool {
	switch extension(name) {
	case "htm", "html", "shtml", "xhtml", "svg":
		return true
	}
	return declared == "text/html" || declared == "image/svg+xml" || declared == "application/xhtml+xml"
}
