package message

// Language is a language that a text can be told to be in, or several that are too alike to be told apart in a short text.
type Language uint8

// Languages. LanguageUnknown is too little text, several languages in one, or another language.
const (
	LanguageUnknown Language = iota
	English
	German
	Dutch
	Swedish
	Danish // or Norwegian
	French
	Spanish
	Catalan
	Portuguese
	Italian
	Romanian
	Polish
	Czech    // or Slovak
	Croatian // or Serbian, Bosnian, Slovene, in Latin letters
	Hungarian
	Finnish
	Estonian
	Latvian
	Lithuanian
	Turkish
	Vietnamese
	Indonesian // or Malay
	Swahili
	Russian
	Ukrainian // or Belarusian
	Bulgarian
	Serbian // or Macedonian, in Cyrillic letters
	Greek
	Arabic
	Persian
	Urdu
	Hebrew
	Hindi // or another language in Devanagari
	Bengali
	Tamil
	Thai
	Georgian
	Armenian
	Chinese
	Japanese
	Korean

	Languages // how many there are, with the unknown one
)

var languageNames = names{"", "en", "de", "nl", "sv", "da", "fr", "es", "ca", "pt", "it", "ro", "pl", "cs", "hr", "hu", "fi", "et", "lv", "lt",
	"tr", "vi", "id", "sw", "ru", "uk", "bg", "sr", "el", "ar", "fa", "ur", "he", "hi", "bn", "ta", "th", "ka", "hy", "zh", "ja", "ko"}

// String is the code of ISO 639-1; of several languages, the first one's.
func (l Language) String() string { return languageNames.of(uint8(l)) }
