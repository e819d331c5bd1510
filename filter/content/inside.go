package content

import (
	"strings"

	"rempart/message"
)

// inside is present if one of the attachments was found to be so; its argument is the file name.
func inside(m *message.Message, so func(*message.Inside) bool) message.Result {
	for i := range m.Attachments {
		if a := &m.Attachments[i]; a.Inside != nil && so(a.Inside) {
			return message.Present(1, quote(a.Name))
		}
	}
	return message.Absent
}

// Macros speaks against a document with macros (VBA, [MS-OVBA]), which run when a reader is talked into it. Value: 1. Argument:
// the file name.
func Macros(m *message.Message) message.Result {
	return inside(m, func(f *message.Inside) bool { return f.Macros })
}

// EmbeddedObject speaks against a document that holds another file or a formula of the old editor, which run when clicked or by
// themselves. Value: 1. Argument: the file name.
func EmbeddedObject(m *message.Message) message.Result {
	return inside(m, func(f *message.Inside) bool { return f.Object })
}

// RemoteTemplate speaks against a document that loads its template from the web when it is opened. Value: 1. Arguments: the file
// name, the host.
func RemoteTemplate(m *message.Message) message.Result {
	for i := range m.Attachments {
		if a := &m.Attachments[i]; a.Inside != nil && a.Inside.Template != "" {
			return message.Present(1, quote(a.Name), quote(a.Inside.Template))
		}
	}
	return message.Absent
}

// PDFAction speaks against a PDF that runs a program or script when it is opened (ISO 32000-1 section 12.6.4). Forms have
// scripts honestly. Value: 1 for a script, 2 for a program. Arguments: the file name, the action.
func PDFAction(m *message.Message) message.Result {
	for i := range m.Attachments {
		a := &m.Attachments[i]
		if a.Inside == nil || a.Inside.Action == "" {
			continue
		}
		value := 1.0
		if a.Inside.Action == "Launch" {
			value = 2
		}
		return message.Present(value, quote(a.Name), a.Inside.Action)
	}
	return message.Absent
}

// FileLinks says that an attached file, not the text, holds links: a document, page or invitation past every look at the mail.
// Value: log2 of their number, 1 to 4. Arguments: the file name, their number.
func FileLinks(m *message.Message) message.Result {
	for i := range m.Attachments {
		if a := &m.Attachments[i]; a.Inside != nil && a.Inside.Links > 0 {
			return message.Present(count(a.Inside.Links), quote(a.Name), a.Inside.Links)
		}
	}
	return message.Absent
}

// Smuggling speaks against an attached page whose script builds the file or page that the reader gets, so that no filter sees
// it on its way. Value: 1. Argument: the file name.
func Smuggling(m *message.Message) message.Result {
	return inside(m, func(f *message.Inside) bool { return f.Smuggles })
}

// PageAsksPassword speaks against an attached page with a field for a password. Value: 1. Argument: the file name.
func PageAsksPassword(m *message.Message) message.Result {
	return inside(m, func(f *message.Inside) bool { return f.AsksPassword })
}

// ArchiveProgram speaks against a program in an archive. Value: 1, or 2 if it is named like a document. Arguments: the archive,
// the file in it.
func ArchiveProgram(m *message.Message) message.Result {
	for i := range m.Attachments {
		a := &m.Attachments[i]
		if a.Inside == nil {
			continue
		}
		for _, name := range a.Inside.Files {
			rest, outer := extension(name)
			if !programs[outer] || outer == "js" && strings.Contains(name, "node_modules/") {
				continue
			}
			value := 1.0
			if _, inner := extension(strings.TrimRight(rest, " _-")); documents[inner] {
				value = 2
			}
			return message.Present(value, quote(a.Name), quote(name))
		}
	}
	return message.Absent
}

// Locked says that an attached archive or document opens by a password only. Value: 1. Argument: the file name.
func Locked(m *message.Message) message.Result {
	return inside(m, func(f *message.Inside) bool { return f.Encrypted })
}

// passwords are the words before a password.
var passwords = [...]string{"password", "passcode", "pass code", "passwort", "kennwort", "mot de passe", "contraseña", "senha", "пароль",
	"密码", "密碼", "パスワード", "كلمة المرور", "كلمة السر", "parola", "wachtwoord", "hasło", "heslo", "şifre", "비밀번호", "mật khẩu", "pwd:", "pw:"}

// LockedPassword speaks against an attached archive or document that opens by a password which the same mail tells: it keeps out
// filters, and nobody else. Value: 1. Argument: the file name.
func LockedPassword(m *message.Message) message.Result {
	r := Locked(m)
	if r.State != message.StatePresent {
		return r
	}
	body := m.VisibleText()
	text := strings.ToLower(m.Subject + "\n" + body[:min(len(body), 8<<10)])
	for _, w := range passwords {
		if strings.Contains(text, w) {
			return r
		}
	}
	return message.Absent
}
