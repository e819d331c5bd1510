package maildir

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"
)

// nature is what it says of a mail to lie in a folder.
type nature uint8

const (
	inbox   nature = iota // depends on what was done with it
	junk                  // it is spam
	filed                 // someone kept it: it is honest
	nothing               // trash, drafts, sent mail, and views of all folders
)

// natures are names of folders as mail programs and services make them, by the special use that they stand for (RFC 6154:
// \Junk, \Trash, \Drafts, \Sent, \All), folded as by foldName. What has another name was made by its owner, and what lies there
// was filed. A name that means Junk in one program and Trash in another says nothing.
var natures = makeNatures(map[nature]string{
	junk: `junk|junk e-mail|junk email|junk mail|junkmail|spam|spam mail|spamverdacht|spam-verdacht|bulk|bulk mail|unsolicited|quarantine|probably-spam
		indésirables|indésirable|courrier indésirable|courriers indésirables|pourriel|pourriels|spams
		correo no deseado|no deseado|no deseados|correo basura
		спам|нежелательная почта|нежелательные|нежелательные письма|небажана пошта
		垃圾邮件|垃圾郵件|广告邮件|廣告郵件
		البريد العشوائي|بريد عشوائي|البريد غير المرغوب فيه|بريد غير مرغوب فيه|رسائل غير مرغوب فيها|البريد غير الهام|البريد المزعج|سبام
		junk-e-mail|unerwünscht|unerwünschte werbung|werbemüll|posta indesiderata|indesiderata|lixo eletrônico|lixo eletrónico|lixo electrónico
		ongewenste e-mail|ongewenst|reclame|niechciane|wiadomości-śmieci|skräppost|uønsket e-post|søppelpost|uønsket mail|roskaposti
		istenmeyen|gereksiz|gereksiz e-posta|nevyžádaná pošta|nevyžádané|levélszemét|迷惑メール|스팸|스팸메일함|스팸함|정크 메일|ανεπιθύμητα|ανεπιθύμητη αλληλογραφία|thư rác|דואר זבל|ספאם`,
	nothing: `trash|deleted|deleted items|deleted messages|bin|rubbish|recycle bin|drafts|draft|sent|sent items|sent mail|sent messages|sent-mail|outbox|templates|chats|notes|all mail|all
		corbeille|éléments supprimés|messages supprimés|brouillons|brouillon|envoyés|éléments envoyés|messages envoyés|courrier envoyé|boîte d'envoi|modèles|tous les messages
		papelera|papelera de reciclaje|elementos eliminados|eliminados|basura|borradores|borrador|enviados|elementos enviados|mensajes enviados|bandeja de salida|plantillas|todos
		корзина|удаленные|удалённые|удаленные элементы|черновики|отправленные|исходящие|шаблоны|вся почта
		已删除|已删除邮件|已刪除的郵件|废件箱|垃圾箱|垃圾桶|回收站|草稿|草稿箱|草稿匣|已发送|已发送邮件|已发邮件|寄件備份|寄件匣|发件箱|所有邮件
		المهملات|سلة المهملات|المحذوفات|العناصر المحذوفة|المسودات|مسودات|المرسلة|المرسل|العناصر المرسلة|البريد المرسل|صندوق الصادر|كل البريد
		papierkorb|gelöschte elemente|gelöscht|entwürfe|entwurf|gesendet|gesendete elemente|gesendete objekte|postausgang|vorlagen|alle nachrichten
		cestino|posta eliminata|bozze|posta inviata|inviati|lixeira|itens excluídos|rascunhos|enviadas|itens enviados|lixo|prullenbak|concepten|verzonden|verzonden items
		kosz|kopie robocze|szkice|wysłane|elementy wysłane|papperskorgen|utkast|skickat|papirkurv|kladder|sendt|roskakori|luonnokset|lähetetyt|çöp kutusu|taslaklar|gönderilmiş
		koš|koncepty|odeslané|kuka|piszkozatok|elküldött|ゴミ箱|下書き|送信済み|휴지통|임시보관함|보낸편지함|보낸메일함|κάδος|πρόχειρα|απεσταλμένα`,
})

func makeNatures(lists map[nature]string) map[string]nature {
	all := map[string]nature{}
	for n, list := range lists {
		for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == '|' || r == '\n' }) {
			all[foldName(name)] = n
		}
	}
	return all
}

// natureOf is that of a folder by the first part of its name that says something: ".Junk.2023" is junk. Extra are further
// names of junk.
func natureOf(name []string, extra map[string]bool) nature {
	if extra[foldName(strings.Join(name, "/"))] {
		return junk
	}
	for _, part := range name {
		folded := foldName(part)
		if extra[folded] {
			return junk
		}
		if n, known := natures[folded]; known {
			return n
		}
	}
	return filed
}

// parts are the parts of the name of a directory: a name of Maildir++ begins with a dot and has one between parts. "INBOX" in
// front says nothing.
func parts(dir string) []string {
	names := []string{dir}
	if rest, plus := strings.CutPrefix(dir, "."); plus {
		names = strings.Split(rest, ".")
	}
	if len(names) > 1 && strings.EqualFold(names[0], "INBOX") {
		names = names[1:]
	}
	for i := range names {
		names[i] = decodeName(names[i])
	}
	return names
}

// foldName makes spellings of one name alike: case, composed letters, "[Gmail]", and the year or number behind it.
func foldName(s string) string {
	s = strings.ToLower(norm.NFKC.String(s))
	s = strings.TrimPrefix(s, "[gmail]")
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsDigit(r) || strings.ContainsRune("/-_()[].", r)
	})
}

// decodeName decodes the modified UTF-7 of names of mailboxes (RFC 3501 section 5.1.3). What is none, as names in UTF-8 are,
// stays as it is.
func decodeName(s string) string {
	var out strings.Builder
	for rest := s; rest != ""; {
		plain, coded, more := strings.Cut(rest, "&")
		out.WriteString(plain)
		if !more {
			break
		}
		coded, after, ended := strings.Cut(coded, "-")
		if !ended {
			return s
		}
		if rest = after; coded == "" {
			out.WriteByte('&')
			continue
		}
		b, err := utf7.DecodeString(coded)
		if err != nil || len(b)%2 != 0 {
			return s
		}
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
		}
		out.WriteString(string(utf16.Decode(units)))
	}
	return out.String()
}

var utf7 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)
