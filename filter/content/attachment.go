package content

import (
	"strings"

	"rempart/message"
)

// programs are the file name extensions that Windows, macOS or Android run when opened: those that Outlook and Gmail
// block by their published lists, without documents and archives.
var programs = map[string]bool{
	"ade": true, "adp": true, "apk": true, "app": true, "appx": true, "bat": true, "chm": true, "cmd": true, "com": true,
	"cpl": true, "dll": true, "dmg": true, "exe": true, "hta": true, "inf": true, "ins": true, "iso": true, "isp": true,
	"img": true, "jar": true, "js": true, "jse": true, "lib": true, "lnk": true, "mde": true, "msc": true, "msi": true, "msp": true,
	"mst": true, "pif": true, "ps1": true, "reg": true, "scr": true, "sct": true, "shb": true, "sys": true, "vb": true,
	"vbe": true, "vbs": true, "vhd": true, "vhdx": true, "vxd": true, "one": true, "onepkg": true, "library-ms": true, "appinstaller": true, "msix": true, "wsc": true, "wsf": true, "wsh": true, "xll": true,
}

// documents are extensions that readers trust to be read only.
var documents = map[string]bool{
	"pdf": true, "doc": true, "docx": true, "xls": true, "xlsx": true, "ppt": true, "pptx": true, "txt": true, "rtf": true,
	"jpg": true, "jpeg": true, "png": true, "gif": true, "csv": true, "htm": true, "html": true, "mp3": true, "mp4": true,
}

func extension(name string) (rest, ext string) {
	name = strings.TrimRight(name, " .")
	i := strings.LastIndexByte(name, '.')
	if i < 0 || len(name)-i > 6 {
		return name, ""
	}
	return name[:i], strings.ToLower(name[i+1:])
}

// DoubleExtension speaks against a program that is named like a document ("invoice.pdf.exe"). Value: 1. Argument: the
// file name.
func DoubleExtension(m *message.Message) message.Result {
	for i := range m.Attachments {
		rest, outer := extension(m.Attachments[i].Name)
		_, inner := extension(strings.TrimRight(rest, " _-"))
		if programs[outer] && documents[inner] {
			return message.Present(1, quote(m.Attachments[i].Name))
		}
	}
	return message.Absent
}

// Executable speaks against an attached program, or image of a disk with one, by its name or its first bytes. Value: 1. Argument: the file name.
func Executable(m *message.Message) message.Result {
	for i := range m.Attachments {
		a := &m.Attachments[i]
		_, ext := extension(a.Name)
		switch a.Detected {
		case "application/vnd.microsoft.portable-executable", "application/x-elf", "application/x-executable",
			"application/x-mach-binary", "application/x-ms-shortcut", "application/x-msi", "application/java-archive",
			"application/vnd.android.package-archive":
			return message.Present(1, quote(a.Name))
		}
		if programs[ext] || a.Inside != nil && (a.Inside.Disk || a.Inside.Program) {
			return message.Present(1, quote(a.Name))
		}
	}
	return message.Absent
}

// TypeLie speaks against an attachment that is of another kind than it says: a picture or PDF by its declaration or
// name, and something else by its first bytes. Value: 1. Arguments: the file name, the true type.
func TypeLie(m *message.Message) message.Result {
	for i := range m.Attachments {
		a := &m.Attachments[i]
		_, ext := extension(a.Name)
		claims := kind(a.Declared)
		if claims == "" {
			claims = map[string]string{"pdf": "pdf", "jpg": "image", "jpeg": "image", "png": "image", "gif": "image"}[ext]
		}
		if claims == "" || a.Size < 16 || kind(a.Detected) == claims {
			continue
		}
		if a.Detected == "application/octet-stream" || strings.HasPrefix(a.Detected, "text/plain") {
			continue // not known, or cut
		}
		return message.Present(1, quote(a.Name), a.Detected)
	}
	return message.Absent
}

func kind(media string) string {
	switch {
	case strings.HasPrefix(media, "image/"):
		return "image"
	case strings.HasPrefix(media, "audio/"):
		return "audio"
	case media == "application/pdf":
		return "pdf"
	}
	return ""
}

// HTMLAttachment speaks against an attached HTML file: a page that phishes from the reader's own disk, past every link
// check. Value: 1. Argument: the file name.
func HTMLAttachment(m *message.Message) message.Result {
	for i := range m.Attachments {
		a := &m.Attachments[i]
		_, ext := extension(a.Name)
		if ext == "htm" || ext == "html" || ext == "shtml" || ext == "xhtml" || ext == "svg" && !a.Inline {
			return message.Present(1, quote(a.Name))
		}
	}
	return message.Absent
}
