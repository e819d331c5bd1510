package file

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"rempart/message"
)

// zipped makes an archive of names and contents.
func zipped(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, files[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// encrypted sets the flag of each local header, as an archive with a password has it.
func encrypted(b []byte) []byte {
	b = bytes.Clone(b)
	for i := 0; ; i++ {
		n := bytes.Index(b[i:], []byte("PK\x03\x04"))
		if n < 0 {
			return b
		}
		i += n
		b[i+6] |= 1
	}
}

func gzipFile(t testing.TB, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name = name
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarFile(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: 700, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 700)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rar4Block is a header of the old format, with its data.
func rar4Block(kind byte, flags uint16, body, data []byte) []byte {
	b := []byte{0, 0, kind}
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = binary.LittleEndian.AppendUint16(b, uint16(7+len(body)))
	return append(append(b, body...), data...)
}

func rar4File(name string, flags uint16) []byte {
	data := []byte("data")
	body := binary.LittleEndian.AppendUint32(nil, uint32(len(data)))
	body = append(body, make([]byte, 15)...)
	body = binary.LittleEndian.AppendUint16(body, uint16(len(name)))
	body = append(body, 0, 0, 0, 0)
	all := []byte("Rar!\x1a\x07\x00")
	all = append(all, rar4Block(0x73, 0, make([]byte, 6), nil)...)
	return append(all, rar4Block(0x74, flags|0x8000, append(body, name...), data)...)
}

func rar5File(name string, extra []byte) []byte {
	flags := byte(2)
	body := []byte{2, 0} // kind, and flags below
	if extra != nil {
		flags |= 1
		body = append(body, byte(len(extra)))
	}
	body[1] = flags
	body = append(body, 4 /* data */, 0 /* file flags */, 4, 0, 0, 0, byte(len(name)))
	body = append(append(body, name...), extra...)
	all := []byte("Rar!\x1a\x07\x01\x00")
	all = append(all, 0, 0, 0, 0, 3, 1, 0, 0) // main header
	all = append(append(all, 0, 0, 0, 0, byte(len(body))), body...)
	return append(all, "data"...)
}

func isoFile(name string) []byte {
	b := make([]byte, 20*2048)
	copy(b[0x8001:], "CD001")
	binary.LittleEndian.PutUint32(b[16*2048+158:], 18)
	binary.LittleEndian.PutUint32(b[16*2048+166:], 2048)
	record := b[18*2048:]
	record[0], record[32] = byte(34+len(name)), byte(len(name))
	copy(record[33:], name)
	return b
}

const external = `<Relationships><Relationship Id="r1" Type="http://schemas.example/relationships/%s" Target="https://templates.example/a.dotm" TargetMode="External"/></Relationships>`

func TestInspect(t *testing.T) {
	const types = "[Content_Types].xml"
	office := func(files ...string) []byte {
		return zipped(t, append([]string{types, "<Types/>"}, files...)...)
	}
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	if _, err := io.WriteString(w, "<</S/URI/URI (http://pdf.example/b)>>"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	sevenZip := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04aaaa"), make([]byte, 20)...)
	sevenZip[20] = 6
	for name, tt := range map[string]struct {
		file, declared string
		b              []byte
		want           *message.Inside
		links          []string
	}{
		"zip":            {"a.zip", "", zipped(t, "a/b.exe", "MZ", "c.txt", "hello"), &message.Inside{Files: []string{"a/b.exe", "c.txt"}}, nil},
		"zip with a key": {"a.zip", "", encrypted(zipped(t, "b.exe", "MZ")), &message.Inside{Files: []string{"b.exe"}, Encrypted: true}, nil},
		"zip in a zip":   {"a.zip", "", zipped(t, "in.zip", string(zipped(t, "b.js", "x"))), &message.Inside{Files: []string{"in.zip", "in.zip/b.js"}}, nil},
		"zip, cut":       {"a.zip", "", zipped(t, "b.exe", "MZ")[:40], &message.Inside{Files: []string{"b.exe"}}, nil},
		"macros":         {"a.docm", "", office("word/vbaProject.bin", "x"), &message.Inside{Macros: true, Files: []string{types, "word/vbaProject.bin"}}, nil},
		"macros first":   {"a.docm", "", zipped(t, "word/vbaProject.bin", "x", types, "<Types/>"), &message.Inside{Macros: true, Files: []string{"word/vbaProject.bin", types}}, nil},
		"office":         {"a.docx", "", office("word/document.xml", "x"), &message.Inside{Files: []string{types, "word/document.xml"}}, nil},
		"like office":    {"a.zip", "", office("invoice.exe", "MZ", "in.zip", string(zipped(t, "b.js", "x"))), &message.Inside{Files: []string{types, "invoice.exe", "in.zip", "in.zip/b.js"}}, nil},
		"template":       {"a.docx", "", office("word/_rels/settings.xml.rels", fmt.Sprintf(external, "attachedTemplate")), &message.Inside{Template: "templates.example", Files: []string{types, "word/_rels/settings.xml.rels"}}, nil},
		"hyperlink":      {"a.docx", "", office("word/_rels/footer.xml.rels", fmt.Sprintf(external, "hyperlink")), &message.Inside{Files: []string{types, "word/_rels/footer.xml.rels"}}, nil},
		"macros in a zip": {"a.zip", "", zipped(t, "x.docm", string(office("word/vbaProject.bin", "x"))),
			&message.Inside{Macros: true, Files: []string{"x.docm", "x.docm/[Content_Types].xml", "x.docm/word/vbaProject.bin"}}, nil},
		"rar 4":            {"a.rar", "", rar4File("b.scr", 0), &message.Inside{Files: []string{"b.scr"}}, nil},
		"rar 4 with a key": {"a.rar", "", rar4File("b.scr", 4), &message.Inside{Files: []string{"b.scr"}, Encrypted: true}, nil},
		"rar 5":            {"a.rar", "", rar5File("b.scr", nil), &message.Inside{Files: []string{"b.scr"}}, nil},
		"rar 5 with a key": {"a.rar", "", rar5File("b.scr", []byte{2, 1, 0}), &message.Inside{Files: []string{"b.scr"}, Encrypted: true}, nil},
		"rar 5 all locked": {"a.rar", "", []byte("Rar!\x1a\x07\x01\x00\x00\x00\x00\x00\x03\x04\x00\x00 and more"), &message.Inside{Encrypted: true}, nil},
		"7z with a key":    {"a.7z", "", append(sevenZip, "\x17\x06\xf1\x07\x01\x00"...), &message.Inside{Encrypted: true}, nil},
		"gzip":             {"a.gz", "", gzipFile(t, "b.vbs", "x"), &message.Inside{Files: []string{"b.vbs"}}, nil},
		"gzip, a program":  {"a.gz", "", gzipFile(t, "", "MZ\x90"), &message.Inside{Files: []string{"program"}, Program: true}, nil},
		"tar":              {"a.tar", "", tarFile(t, "a.txt", "b.exe"), &message.Inside{Files: []string{"a.txt", "b.exe"}}, nil},
		"tar, packed":      {"a.tgz", "", gzipFile(t, "", string(tarFile(t, "b.exe"))), &message.Inside{Files: []string{"b.exe"}}, nil},
		"image":            {"a.iso", "", isoFile("B.LNK;1"), &message.Inside{Files: []string{"B.LNK"}, Disk: true}, nil},
		"old macros":       {"a.doc", "", append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), wide("_VBA_PROJECT")...), &message.Inside{Macros: true}, nil},
		"old document":     {"a.doc", "", append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), wide("WordDocument")...), nil, nil},
		"locked document":  {"a.docx", "", append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), wide("EncryptedPackage")...), &message.Inside{Encrypted: true}, nil},
		"rtf":              {"a.doc", "", []byte(`{\rtf1{\object\objdata 0105}}`), &message.Inside{Object: true}, nil},
		"rtf template":     {"a.rtf", "", []byte(`{\rtf1{\*\template http://t.example/x}}`), &message.Inside{Template: "t.example"}, nil},
		"pdf":              {"a.pdf", "", []byte("%PDF-1.7\n<</S/URI/URI (http://pdf.example/a)>> <</S/JavaScript/JS(x)>>"), &message.Inside{Action: "JavaScript", Links: 1}, []string{"http://pdf.example/a"}},
		"pdf, packed":      {"a.pdf", "", append([]byte("%PDF-1.7\n<</Type/ObjStm/Length 9>>\nstream\r\n"), packed.Bytes()...), &message.Inside{Links: 1}, []string{"http://pdf.example/b"}},
		"pdf, plain":       {"a.pdf", "", []byte("%PDF-1.7\n<</Type/Page /JSON 1>>"), nil, nil},
		"smuggling": {"a.html", "text/html", []byte("<script>var b=new Blob([Uint8Array.from(atob('TVo='))]);a.href=URL.createObjectURL(b)</script>"),
			&message.Inside{Smuggles: true}, nil},
		"login page": {"a.htm", "", []byte(`<form action="https://take.example/p"><input TYPE="password">`), &message.Inside{AsksPassword: true, Links: 1}, []string{"https://take.example/p"}},
		"page":       {"a.html", "", []byte("<script>document.write('x')</script><p>hello"), nil, nil},
		"invitation": {"invite.ics", "text/calendar", []byte("BEGIN:VCALENDAR\r\nDESCRIPTION:join http://meet.exam\r\n ple/x\\, now\r\n"), &message.Inside{Links: 1}, []string{"http://meet.example/x"}},
		"picture":    {"a.png", "image/png", []byte("\x89PNG\r\n\x1a\n"), nil, nil},
		"text":       {"a.txt", "text/plain", []byte("http://a.example"), nil, nil},
	} {
		got, links := Inspect(tt.file, tt.declared, tt.b)
		if !reflect.DeepEqual(got, tt.want) || !reflect.DeepEqual(links, tt.links) {
			t.Errorf("%s: %+v %q, want %+v %q", name, got, links, tt.want, tt.links)
		}
		if tt.want != nil && !Worth(tt.file, tt.declared, tt.b) {
			t.Errorf("%s: not worth a look", name)
		}
	}
}

// An archive made to burst costs no more than the budget.
func TestBomb(t *testing.T) {
	zeros := strings.Repeat("\x00", 1<<20)
	files := []string{}
	for i := range 20 {
		files = append(files, fmt.Sprintf("%d.doc", i), zeros)
	}
	l := look{left: maxUnpacked}
	l.zip("", zipped(t, files...), 0)
	if l.left < 0 || l.left > maxUnpacked-maxMember || len(l.found.Files) != 20 {
		t.Errorf("%d bytes left, %d files", l.left, len(l.found.Files))
	}
}

// Streams without end cost no more than the cap.
func TestManyStreams(t *testing.T) {
	l := look{left: maxUnpacked}
	b := bytes.Repeat([]byte("/ObjStm stream\r\n\x78\x9c\x03\x00\x00\x00\x00\x01"), MaxBytes/30)
	if n := testing.AllocsPerRun(1, func() { l.pdf(b) }); n > 20*maxStreams {
		t.Errorf("%v allocations", n)
	}
}

// A long name is cut before it stands in front of the names of all files inside.
func TestLongPath(t *testing.T) {
	var inner []string
	for range maxFiles {
		inner = append(inner, "a.txt", "")
	}
	in, _ := Inspect("a.zip", "", zipped(t, strings.Repeat("long", 10_000)+".zip", string(zipped(t, inner...))))
	keepsCaps(t, in)
	if len(in.Files) != maxFiles {
		t.Errorf("%d files", len(in.Files))
	}
}

// However long a name is, the end that says what the file is remains.
func TestLongName(t *testing.T) {
	for _, long := range []string{strings.Repeat("long ", 200), strings.Repeat("é", 301), strings.Repeat("\xffa", 400)} {
		name := long + "invoice.pdf.exe"
		sevenZip := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04aaaa"), make([]byte, 20)...)
		header := append([]byte("\x01\x11\x00\x00"), wide(strings.ToValidUTF8(long, "?")+"invoice.pdf.exe")...)
		header = append(header, 0, 0)
		binary.LittleEndian.PutUint64(sevenZip[20:], uint64(len(header)))
		for kind, b := range map[string][]byte{"zip": zipped(t, name, "MZ"), "rar 4": rar4File(name, 0), "7z": append(sevenZip, header...)} {
			in, _ := Inspect("a."+kind, "", b)
			if len(in.Files) != 1 || len(in.Files[0]) < maxName-3 || len(in.Files[0]) > maxName || !strings.HasSuffix(in.Files[0], "invoice.pdf.exe") {
				t.Errorf("%s: %q", kind, in.Files)
			}
		}
	}
}

// keepsCaps checks the number of names, and the length of each: a name in each of the archives in one another.
func keepsCaps(t *testing.T, in *message.Inside) {
	t.Helper()
	sum := 0
	for _, name := range in.Files {
		if sum += len(name); len(name) > maxDepth*(maxName+1) || !utf8.ValidString(name) {
			t.Fatalf("a name of %d bytes: %q", len(name), name)
		}
	}
	if len(in.Files) > maxFiles || sum > maxFiles*maxDepth*(maxName+1) {
		t.Fatalf("%d names of %d bytes", len(in.Files), sum)
	}
}

// FuzzInspect: no file makes it fail, and what it returns keeps to the caps.
func FuzzInspect(f *testing.F) {
	for _, b := range [][]byte{zipped(f, "in.zip", string(zipped(f, "b.js", "x"))), rar4File("b.scr", 4), rar5File("b.scr", []byte{2, 1, 0}),
		gzipFile(f, "b.vbs", "x"), tarFile(f, "a.txt"), []byte("%PDF-1.7\n<</URI (http://a.example)>>"), []byte("7z\xbc\xaf\x27\x1c" + strings.Repeat("\x01", 40)),
		[]byte(`{\rtf1{\*\template http`), []byte("<script>atob(eval(")} {
		f.Add("a.html", b)
	}
	f.Add("a.iso", isoFile("A.EXE")[:0x8100])
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		in, links := Inspect(name, "", b)
		if len(links) > maxLinks {
			t.Fatalf("%d links", len(links))
		}
		if in != nil {
			keepsCaps(t, in)
		}
	})
}
