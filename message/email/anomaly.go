package email

// Anomalies of an Internet message. The list is closed: rules, signals and the catalogue of sentences use these names.
const (
	// The caps.
	CutBytes       = "cut_bytes"       // the message is longer than what is read
	CutDepth       = "cut_depth"       // MIME is nested deeper than what is read
	CutParts       = "cut_parts"       // more MIME parts than are read
	CutFields      = "cut_fields"      // more header fields, or a longer one, than are read
	CutLinks       = "cut_links"       // more links than are kept
	CutAttachments = "cut_attachments" // more attachments than are kept
	CutFiles       = "cut_files"       // an attached file is larger, or all together are, than what is looked into
	CutText        = "cut_text"        // more decoded text than is kept
	CutAddresses   = "cut_addresses"   // more addresses, or hops, than are kept

	// Lines.
	BareCR        = "bare_cr"         // lines end in CR alone (RFC 5322 section 2.2)
	MixedLineEnds = "mixed_line_ends" // some lines end in CR LF, some in LF alone
	NULs          = "nul"             // a NUL byte (RFC 5322 section 4: obsolete, forbidden to send)

	// The header.
	MboxFrom        = "mbox_from"          // begins with an mbox "From " line
	LeadingFold     = "header_fold"        // the first line is a continuation
	NoColon         = "header_no_colon"    // a header line that is no field
	NoHeaderEnd     = "header_no_end"      // the body begins without an empty line before it
	NoHeader        = "header_none"        // no field at all: bare text
	SpaceColon      = "header_space_colon" // white space between field name and colon
	Header8Bit      = "header_8bit"        // bytes beyond ASCII in a field that are no UTF-8 (RFC 6532)
	WordBroken      = "word_broken"        // an encoded word (RFC 2047) that cannot be decoded
	WordSpace       = "word_space"         // an encoded word with a space inside (RFC 2047 section 2)
	ParameterBroken = "parameter_broken"   // a MIME parameter of RFC 2231 that cannot be put together
	DateBroken      = "date_broken"        // a Date field that cannot be read
	AddressBroken   = "address_broken"     // an address field without an address

	// MIME.
	NoBoundary       = "mime_no_boundary"       // multipart without a boundary parameter
	BoundaryMissing  = "mime_boundary_missing"  // the boundary named does not occur
	Unclosed         = "mime_unclosed"          // a multipart without its closing boundary
	EncodedMultipart = "mime_encoded_multipart" // base64 or quoted-printable multipart (RFC 2045 section 6.4)
	TransferUnknown  = "transfer_unknown"       // an unknown Content-Transfer-Encoding
	Base64Broken     = "base64_broken"
	QuotedBroken     = "quoted_printable_broken"

	// Charsets.
	CharsetUnknown    = "charset_unknown"    // a charset name that nobody knows
	CharsetUndeclared = "charset_undeclared" // bytes beyond ASCII and no charset, or us-ascii
	CharsetLie        = "charset_lie"        // the text is in another charset than declared
	CharsetBroken     = "charset_broken"     // some bytes mean nothing in the declared charset
	UTF7              = "charset_utf7"       // text in UTF-7, which programs no longer read
)

// Anomalies lists every name an e-mail can have, in the order of their description.
var Anomalies = []string{
	CutBytes, CutDepth, CutParts, CutFields, CutLinks, CutAttachments, CutFiles, CutText, CutAddresses,
	BareCR, MixedLineEnds, NULs,
	MboxFrom, LeadingFold, NoColon, NoHeaderEnd, NoHeader, SpaceColon, Header8Bit, WordBroken, WordSpace,
	ParameterBroken, DateBroken, AddressBroken,
	NoBoundary, BoundaryMissing, Unclosed, EncodedMultipart, TransferUnknown, Base64Broken, QuotedBroken,
	CharsetUnknown, CharsetUndeclared, CharsetLie, CharsetBroken, UTF7,
}
