package foreign

import (
	"io"
	"strings"
)

// directive says what an option of SpamAssassin is here (Mail::SpamAssassin::Conf). Options without a row are no lists.
type directive struct {
	names  string // "welcomelist" and "blocklist" stand for "whitelist" and "blacklist" too, "def_" may stand before them
	deny   bool
	proof  by
	warn   string // for each entry that is taken
	reject string // why none is taken
	signer bool   // a second word is the domain that signs
}

var directives = []directive{
	{names: "welcomelist_auth", proof: by{dkim: true, spf: true}},
	{names: "welcomelist_from_dkim", proof: by{dkim: true}, signer: true},
	{names: "welcomelist_from_dk", proof: by{dkim: true}, signer: true},
	{names: "welcomelist_from_spf", proof: by{spf: true}},
	{names: "welcomelist_from", proof: by{dkim: true, spf: true}, warn: whyClaimed},
	{names: "welcomelist_from_rcvd", reject: whyRelay},
	{names: "welcomelist_allow_relays", reject: whyRelay},
	{names: "blocklist_from", deny: true, proof: by{dkim: true, spf: true}, warn: whyClaimed},
	{names: "welcomelist_to blocklist_to more_spam_to all_spam_to", reject: whyTo},
	{names: "unwelcomelist_auth unwelcomelist_from unwelcomelist_from_rcvd unwelcomelist_from_dkim unwelcomelist_from_spf unblocklist_from", reject: whyTakeBack},
}

// ReadSpamAssassin adds the lists of a configuration of SpamAssassin (local.cf, user_prefs). found is how many lines were of
// lists.
func (l *Lists) ReadSpamAssassin(file string, r io.Reader) (found int, err error) {
	err = l.eachLine(file, r, func(at *reader, line string) error {
		words := strings.Fields(line)
		d := directiveOf(strings.ToLower(words[0]))
		if d == nil || len(words) < 2 {
			return nil
		}
		found++
		if d.reject != "" {
			at.warn(d.reject, line)
			return nil
		}
		at.deny = d.deny
		addresses, signer := words[1:], ""
		if d.signer && len(addresses) == 2 && !strings.Contains(addresses[1], "@") {
			addresses, signer = addresses[:1], strings.ToLower(addresses[1])
		}
		for _, a := range addresses {
			if at.sender(a, signer, d.proof) && d.warn != "" {
				at.warn(d.warn, line)
			}
		}
		return nil
	})
	return found, err
}

func directiveOf(word string) *directive {
	word = strings.TrimPrefix(word, "def_")
	word = strings.NewReplacer("whitelist", "welcomelist", "blacklist", "blocklist").Replace(word)
	for i := range directives {
		for name := range strings.FieldsSeq(directives[i].names) {
			if name == word {
				return &directives[i]
			}
		}
	}
	return nil
}
