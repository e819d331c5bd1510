package message

import (
	"net/netip"
	"time"
)

// Facts is what had to be asked elsewhere before the signals could be read: DNS, reputation, what was taught. The filter
// gathers them within its budget; what could not be had in time is unknown, never absent.
type Facts struct {
	Auth       Authentication
	Listings   []Listing
	Scan       Scan
	Reputation Reputation
	Campaign   Near
	Digest     []byte // near-copy digest; empty if there is too little text
	Base       Base   // of mail

	From, To        Number  // of texts and calls, as the numbering plan reads them
	Emergency       bool    // the called number is one for emergencies: it always passes
	NeverOriginates bool    // the operator knows that the number in From makes no calls
	Calling         Calling // of calls: what the caller did before

	Sending Sending // of mail going out: what the account did before

	KnownSender string // of mail coming in: the verified author or list, if all recipients know it; else empty
	AnswersOurs bool   // a verified author answers a mail that a recipient sent from here
	Arriving    Arriving
	Greylist    Greylisting
	Newcomers   Newcomers

	Language        Language // of mail coming in to few recipients
	LanguageUnusual bool     // none of its recipients usually gets honest mail in it, and one has a habit

	Namesake Namesake // of mail coming in: whose name its author shows

	Guise Guise // what the message shows of itself
}

// Namesake says that an author shows the name of somebody of the recipients' own, and does not write from an address of theirs.
type Namesake uint8

// Whose name it is.
const (
	NamesakeNone      Namesake = iota
	NamesakeAccount            // somebody whose mail goes out from here
	NamesakeExecutive          // somebody on the operator's list
)

// Guise is what the message shows of its author and of where it leads. Nothing of it was asked elsewhere: it is gathered once
// because many signals read it.
type Guise struct {
	Name   string       // the words of From's display name as a reader sees them: folded, one space between them
	Author string       // registered domain of From
	Own    []string     // registered domains of the recipients' organisations
	Hosts  []LinkedHost // hosts that links lead the reader to, each once, in their order
}

// LinkedHost is one host that links lead to.
type LinkedHost struct {
	Name   string // as in [Link]
	Domain string // registered domain; the host itself where it has none
	Links  int
}

// Sending is what the account that sends a mail did before, as far as the node judged it; this mail is counted.
type Sending struct {
	Known      bool   // false: nobody counts
	Hour       uint32 // recipients within the last hour
	Strangers  uint32 // about how many of those it never wrote to before; 0 in its first days
	Usual      uint32 // recipients of its busiest hour of a day, as a habit
	Day        uint32 // recipients within the last day
	Returned   uint32 // mails that came back within the last day
	Complained uint32 // proven complaints about its mails that came in within the last day
	Authors    uint32 // about how many unlike authors it named today
	NewNetwork bool   // it sends from a network that is new to it since a day at most
	NewCountry bool   // the same of the country
}

// Arriving is how much mail the node took within the last hour from where a mail coming in is from, and into its recipients'
// mailboxes, in the tenant that it is for. This mail is not counted.
type Arriving struct {
	Network   Flow   // of the network that hands it over: /24 of IPv4, /48 of IPv6
	Sender    Flow   // of the registered domain of its sender
	Mailboxes []Flow // by recipient, of the first few
}

// Flow is the mail of one source or into one mailbox.
type Flow struct {
	Name    string // the network or domain; empty for a mailbox, or if it is not known
	Hour    uint32 // mails within the last hour
	Usual   uint32 // mails of its busiest hour of a day, as a habit
	Senders uint32 // about how many unlike domains sent them; of a mailbox
	Settled bool   // the tenant's mail is watched long enough for a habit to show
}

// Greylisting is what is known of whether the host that hands over a mail coming in comes again when it is put off (RFC 6647).
type Greylisting struct {
	Passed bool            // it came again within the last weeks
	Waited []time.Duration // by recipient, of the first hundred: since the first attempt; 0: this is it. Nil: nobody remembers
}

// Newcomers are the domains of a mail coming in that are new to its tenant: the newest of those that it comes from, and of those that
// its links lead to.
type Newcomers struct{ Sender, Link Newcomer }

// Newcomer is one registered domain.
type Newcomer struct {
	State  State  // unknown: not enough was seen to say
	Domain string // if present
	Hours  uint32 // since it was first seen; 0 with this mail
}

// Authentication is who the message provably comes from. Statuses are the words of RFC 8601 section 2.7 ("pass", "fail",
// "softfail", "neutral", "none", "policy", "temperror", "permerror"); empty means not asked. Where a trusted sealer vouches
// for the message (ARC.Trusted), SPF, DKIM and DMARC are what it saw.
type Authentication struct {
	Source        netip.Addr // who was asked about: the source, or who stood before the trusted forwarders
	SPF           string
	SPFDomain     string
	DKIM          []DKIM
	ARC           ARC
	DMARC         string
	DMARCPolicy   string // none, quarantine, reject: what the author domain asks for
	DMARCOverride string // why a failure does not count in full, a word of RFC 9990; empty: it does
	ReverseName   string // forward-confirmed host name of the source
	IPRev         string // RFC 8601 section 2.7.3

	Here *Authentication // what was found here, if the word of a trusted sealer stands in its place above; else nil

	Record *DMARCRecord // that applied; nil if it asks for no reports, or none are made here
}

// DMARCRecord is what a report needs of a DMARC policy record (RFC 9989 section 4.7), and whether what passed was aligned.
type DMARCRecord struct {
	Domain                      string // where the record stands: the Policy Domain
	Reports                     string // rua, as published
	Policy, Subdomains, Missing string // p, sp, np: none, quarantine, reject; sp and np are empty if they are not there
	Asked                       string // the one of them that is for this mail, whether it is tried out or not
	Failures                    string // fo, as published
	StrictSPF, StrictDKIM       bool   // aspf, adkim
	Testing                     bool   // t
	SPFAligned, DKIMAligned     bool   // it passed for a domain aligned with the author's
}

// DKIM is the result of one signature (RFC 6376).
type DKIM struct {
	Status   string // "neutral" if it could not be verified, "policy" if it leaves out a part of the body
	Domain   string // d=
	Selector string // s=
}

// ARC is the result of the chain of seals by those who handed the message on (RFC 8617).
type ARC struct {
	Status     string // "none", "pass", "fail"; "temperror" or "neutral" if it could not be verified
	Sealer     string // domain of the trusted sealer, or else of the last one
	Instance   int    // of that sealer, from 1
	OldestPass int    // the message was not changed since this instance; only if the chain passed
	Trusted    bool   // the sealer is on the operator's list, and nobody unlisted could change the message after it
}

// Listing is what one DNS list said of one name (RFC 5782).
type Listing struct {
	List  string // as configured
	Name  string // what was asked: an address or a domain
	Codes []string
	Allow bool  // the list names good senders
	State State // unknown: no answer in time, or the list is switched off
}

// Scan is what a virus scanner said of a mail.
type Scan struct {
	State State  // absent: it found nothing, or none is asked; unknown: no answer in time, or it did not see all
	Name  string // of what it found
	Guess bool   // found by a rule of thumb, not as a known program
}

// Reputation is what was taught of this source before.
type Reputation struct {
	Known     bool // false: no store was asked
	Spam, Ham uint32
}

// Base is what the shipped weights make of a mail, in log-odds: of what it says, and of how it is made.
type Base struct {
	Words, Form LogOdds
	Telling     [2]string // the words that say most for the sign of Words
}

// Near is the nearest taught message that this one is a near copy of.
type Near struct {
	State    State
	Label    Label
	Category Category // that it was taught with; none if the teacher did not say
	Distance int      // bits of the digest that differ, 0 to 256
	Campaign string
}
