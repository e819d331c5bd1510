package message

// Incumbent is what another filter said of a mail that went by it before it came to the front door. It is kept to be compared with
// our verdict, and is no part of it.
type Incumbent struct {
	Filter string  // "rspamd" or "spamassassin", as configured; empty: the mail went by none
	Label  Label   // Forget: it left no verdict
	Score  float64 // on its own scale, whose thresholds are its operator's; 0 if it left none
}

// Agreement is how the verdict of the filter before stands to ours. Stored as its number.
type Agreement uint8

// Agreements.
const (
	NotCompared   Agreement = iota
	BothHonest              // neither takes the mail for spam
	OnlyIncumbent           // the filter before alone does
	OnlyHere                // we alone do
	BothSpam
)

var agreementNames = names{"", "both_honest", "only_incumbent", "only_here", "both_spam"}

func (a Agreement) String() string               { return agreementNames.of(uint8(a)) }
func (a Agreement) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
func (a *Agreement) UnmarshalText(b []byte) error {
	return agreementNames.parse("agreement", b, (*uint8)(a))
}

// Agreements are those of mail that was compared.
var Agreements = [...]Agreement{BothHonest, OnlyIncumbent, OnlyHere, BothSpam}

// Agreement compares the two verdicts. We take a mail for spam if more is asked for than to accept or to greylist it, for the
// recipient whose verdict is worst; whether that is carried out does not matter.
func (e *Event) Agreement() Agreement {
	o := e.Worst()
	if o == nil || e.Incumbent.Label == Forget {
		return NotCompared
	}
	here := o.Decision.Action != Accept && o.Decision.Action != Greylist
	switch {
	case here && e.Incumbent.Label == Spam:
		return BothSpam
	case here:
		return OnlyHere
	case e.Incumbent.Label == Spam:
		return OnlyIncumbent
	}
	return BothHonest
}
