package train

import (
	_ "embed"
	"fmt"
	"mime"
	"strings"
)

//go:embed primer.txt
var primerText string

// primer are the mails written for training. They are in no fold: nothing is measured on them.
func primer() (mails []Mail) {
	for text := range strings.SplitSeq(primerText, "\n%\n") {
		for strings.HasPrefix(text, "#") {
			_, text, _ = strings.Cut(text, "\n")
		}
		head, rest, _ := strings.Cut(text, "\n")
		label, author, ok := strings.Cut(head, " ")
		if !ok {
			continue
		}
		subject, body, _ := strings.Cut(rest, "\n")
		name, address, _ := strings.Cut(author, " <")
		address = strings.TrimSuffix(address, ">")
		_, domain, _ := strings.Cut(address, "@")
		raw := fmt.Sprintf("From: %s <%s>\nTo: recipient@recipient.example\nSubject: %s\nDate: Mon, 6 May 2024 10:00:00 +0000\nMessage-ID: <%d.a7@%s>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n%s\n",
			mime.QEncoding.Encode("utf-8", strings.Trim(name, `"`)), address, mime.QEncoding.Encode("utf-8", subject), 1000+len(mails), domain, body)
		mails = append(mails, Mail{Path: fmt.Sprintf("primer#%d", len(mails)+1), Raw: []byte(raw), Spam: label == "spam", Age: primerAge,
			group: -1, Fold: -1})
	}
	return mails
}

// primerAge marks the mails of the primer.
const primerAge = -1
