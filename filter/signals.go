package filter

import (
	"rempart/filter/auth"
	"rempart/filter/behaviour"
	"rempart/filter/content"
	"rempart/filter/guise"
	"rempart/filter/link"
	"rempart/filter/reputation"
	"rempart/message"
)

// signal is one row: a fact about a message that speaks for or against spam. Names are public: rules, tallies and the
// catalogue of sentences use them. Prior is the log-odds for a value of 1 before anything was taught. Category is what
// a spam with this signal is likely for; CategoryNone where it says nothing of the purpose.
type signal struct {
	name     string
	prior    float64
	method   message.Method
	category message.Category
	read     func(*message.Message) message.Result
}

// signalTables are the tables in force, one for each channel and direction, each in the order it runs: cheap first.
var signalTables = []struct {
	channel    message.Channel
	directions []message.Direction
	rows       []signal
}{
	{message.Email, []message.Direction{message.In, message.Out, message.Internal}, emailSignals},
	{message.SMS, []message.Direction{message.In, message.Out, message.Internal}, smsSignals},
	{message.Call, []message.Direction{message.In, message.Out, message.Internal}, callSignals},
	{message.IM, []message.Direction{message.In, message.Out, message.Internal}, imSignals},
}

var emailSignals = []signal{
	{"spf_fail", +1.0, message.SourceAnalysis, message.CategoryNone, auth.SPFFail},
	{"spf_softfail", +0.5, message.SourceAnalysis, message.CategoryNone, auth.SPFSoftfail},
	{"spf_pass", -0.2, message.SourceAnalysis, message.CategoryNone, auth.SPFPass},
	{"dkim_pass", -0.3, message.SourceAnalysis, message.CategoryNone, auth.DKIMPass},
	{"dkim_broken", +0.2, message.SourceAnalysis, message.CategoryNone, auth.DKIMBroken},
	{"arc_trusted", -1.0, message.SourceAnalysis, message.CategoryNone, auth.ARCTrusted},
	{"arc_broken", +0.2, message.SourceAnalysis, message.CategoryNone, auth.ARCBroken},
	{"dmarc_fail", +0.7, message.SourceAnalysis, message.Phishing, auth.DMARCFail},
	{"dmarc_pass", -0.5, message.SourceAnalysis, message.CategoryNone, auth.DMARCPass},
	{"reverse_missing", +0.8, message.SourceAnalysis, message.CategoryNone, auth.ReverseMissing},
	{"listed", +2.5, message.SourceAnalysis, message.CategoryNone, auth.Listed},
	{"listed_good", -2.0, message.SourceAnalysis, message.CategoryNone, auth.ListedGood},
	{"source_spam", +0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceSpam},
	{"source_ham", -0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceHam},
	{nearSpamName, +5.0, message.Content, message.CategoryNone, nearSpam},
	{"near_ham", -5.0, message.Content, message.CategoryNone, nearHam},
	{"date_ahead", +1.2, message.Characteristic, message.CategoryNone, content.DateAhead},
	{"date_behind", +0.5, message.Characteristic, message.CategoryNone, content.DateBehind},
	{"date_missing", +0.8, message.Characteristic, message.CategoryNone, content.DateMissing},
	{"date_unreadable", +0.9, message.Characteristic, message.CategoryNone, content.DateUnreadable},
	{"message_id_missing", +0.8, message.Characteristic, message.CategoryNone, content.MessageIDMissing},
	{"message_id_malformed", +0.7, message.Characteristic, message.CategoryNone, content.MessageIDMalformed},
	{"from_missing", +1, message.Characteristic, message.CategoryNone, content.FromMissing},
	{"from_multiple", +1.5, message.Characteristic, message.Phishing, content.FromMultiple},
	{"duplicate_field", +0.6, message.Characteristic, message.CategoryNone, content.DuplicateField},
	{"to_missing", +0.6, message.Characteristic, message.CategoryNone, content.ToMissing},
	{"to_undisclosed", +0.4, message.Characteristic, message.CategoryNone, content.ToUndisclosed},
	{"to_self", +0.5, message.Characteristic, message.CategoryNone, content.ToSelf},
	{"received_absent", +0.4, message.Characteristic, message.CategoryNone, content.ReceivedAbsent},
	{"received_forged", +0.8, message.Characteristic, message.CategoryNone, content.ReceivedForged},
	{"replies", -0.8, message.Characteristic, message.CategoryNone, content.Replies},
	{"list_unsubscribe", -0.3, message.Characteristic, message.CategoryNone, content.ListUnsubscribe},
	{"mailing_list", -0.8, message.Characteristic, message.CategoryNone, content.MailingList},
	{"subject_capitals", +0.7, message.Characteristic, message.CategoryNone, content.SubjectCapitals},
	{"subject_exclaims", +0.4, message.Characteristic, message.CategoryNone, content.SubjectExclaims},
	{"subject_fake_reply", +0.7, message.Characteristic, message.Scam, content.SubjectFakeReply},
	{"encoded_plain", +0.8, message.Characteristic, message.CategoryNone, content.EncodedPlain},
	{"reply_elsewhere", +0.5, message.Characteristic, message.Scam, content.ReplyElsewhere},
	{"name_address", +1.2, message.Characteristic, message.Phishing, content.NameAddress},
	{"sender_is_recipient", +0.5, message.SourceAnalysis, message.CategoryNone, behaviour.SenderIsRecipient},
	{"brand_name", +2.0, message.Content, message.Phishing, guise.BrandName},
	{"brand_domain", +1.5, message.SourceAnalysis, message.Phishing, guise.BrandDomain},
	{"brand_subject", +0.6, message.Content, message.Phishing, guise.BrandSubject},
	{"brand_text", +0.6, message.Content, message.Phishing, guise.BrandText},
	{"brand_link", +1.0, message.Content, message.Phishing, guise.BrandLink},
	{"own_lookalike", +2.0, message.SourceAnalysis, message.Phishing, guise.OwnLookalike},
	{"reply_lookalike", +2.5, message.Characteristic, message.Scam, guise.ReplyLookalike},
	{"name_domain", +0.6, message.Characteristic, message.Phishing, guise.NameDomain},
	{"name_own", +1.5, message.Characteristic, message.Phishing, guise.NameOwn},
	{"name_postmaster", +1.0, message.Characteristic, message.Phishing, guise.NamePostmaster},
	{"from_impossible", +1.2, message.SourceAnalysis, message.CategoryNone, guise.FromImpossible},
	{"from_random", +0.8, message.SourceAnalysis, message.CategoryNone, guise.FromRandom},
	{"from_cheap", +0.6, message.SourceAnalysis, message.CategoryNone, link.CheapAuthor},
	{"subject_recipient", +0.8, message.Content, message.Phishing, guise.SubjectRecipient},
	{"freemail_office", +0.6, message.SourceAnalysis, message.Scam, guise.FreemailOffice},
	{"freemail_reply", +0.8, message.Characteristic, message.Scam, guise.FreemailReply},
	{"disposable", +1.5, message.SourceAnalysis, message.CategoryNone, guise.Disposable},
	{"broken_header", +0.8, message.Characteristic, message.CategoryNone, content.BrokenHeader},
	{"header_8bit", +0.5, message.Characteristic, message.CategoryNone, content.Header8Bit},
	{"broken_word", +0.4, message.Characteristic, message.CategoryNone, content.BrokenWord},
	{"charset_lie", +0.5, message.Characteristic, message.CategoryNone, content.CharsetLie},
	{"charset_broken", +0.2, message.Characteristic, message.CategoryNone, content.CharsetBroken},
	{"broken_mime", +0.5, message.Characteristic, message.CategoryNone, content.BrokenMIME},
	{"broken_transfer", +0.4, message.Characteristic, message.CategoryNone, content.BrokenTransfer},
	{"control_bytes", +0.8, message.Characteristic, message.CategoryNone, content.ControlBytes},
	{"oversized", +0, message.Characteristic, message.CategoryNone, content.Oversized},
	{"double_extension", +3, message.Content, message.Malware, content.DoubleExtension},
	{"executable", +2.2, message.Content, message.Malware, content.Executable},
	{"type_lie", +1.5, message.Content, message.Malware, content.TypeLie},
	{"html_attachment", +1, message.Content, message.Phishing, content.HTMLAttachment},
	{"macros", +1.8, message.Content, message.Malware, content.Macros},
	{"embedded_object", +1.2, message.Content, message.Malware, content.EmbeddedObject},
	{"remote_template", +2.5, message.Content, message.Malware, content.RemoteTemplate},
	{"pdf_action", +0.8, message.Content, message.Malware, content.PDFAction},
	{"file_links", +0.1, message.Content, message.CategoryNone, content.FileLinks},
	{"smuggling", +2.5, message.Content, message.Malware, content.Smuggling},
	{"page_asks_password", +2.5, message.Content, message.Phishing, content.PageAsksPassword},
	{"archive_program", +2.0, message.Content, message.Malware, content.ArchiveProgram},
	{"locked", +0.5, message.Content, message.Malware, content.Locked},
	{"locked_password", +1.5, message.Content, message.Malware, content.LockedPassword},
	{"hidden_text", +0.8, message.Content, message.CategoryNone, content.HiddenText},
	{"html_only", +0.3, message.Content, message.CategoryNone, content.HTMLOnly},
	{"image_only", +0.8, message.Content, message.CategoryNone, content.ImageOnly},
	{"form", +1.2, message.Content, message.Phishing, content.Form},
	{"mixed_scripts", +0.9, message.Content, message.Phishing, content.MixedScripts},
	{"styled_letters", +1.0, message.Content, message.CategoryNone, content.StyledLetters},
	{"zero_width", +0.8, message.Content, message.CategoryNone, content.ZeroWidthInside},
	{"direction_override", +1.2, message.Content, message.Malware, content.DirectionOverride},
	{"spaced_letters", +0.8, message.Content, message.CategoryNone, content.SpacedLetters},
	{"leet_words", +0.6, message.Content, message.CategoryNone, content.LeetWords},
	{"money_amounts", +0.2, message.Content, message.CategoryNone, content.MoneyAmounts},
	{"link_address", +1.4, message.Content, message.Phishing, link.RawAddress},
	{"link_lookalike", +2.2, message.Content, message.Phishing, link.LookalikeHost},
	{"link_other_host", +0.5, message.Content, message.Phishing, link.OtherHost},
	{"link_shortener", +0.7, message.Content, message.CategoryNone, link.Shortener},
	{"link_user_info", +2, message.Content, message.Phishing, link.UserInfo},
	{"link_script", +1.8, message.Content, message.Phishing, link.ScriptLink},
	{"link_redirect", +0.2, message.Content, message.CategoryNone, link.Redirect},
	{"link_port", +1, message.Content, message.CategoryNone, link.UnusualPort},
	{"link_deep_host", +0.8, message.Content, message.Phishing, link.DeepHost},
	{"link_brand_inside", +1.5, message.Content, message.Phishing, link.BrandInside},
	{"link_code", +1.2, message.Content, message.Phishing, link.Code},
	{"link_free_site", +0.6, message.Content, message.Phishing, link.FreeSite},
	{"link_form_service", +0.6, message.Content, message.Phishing, link.FormService},
	{"link_redirector", +0.6, message.Content, message.CategoryNone, link.Redirector},
	{"link_credential_path", +0.3, message.Content, message.Phishing, link.CredentialPath},
	{"link_intruded", +1.2, message.Content, message.Phishing, link.Intruded},
	{"link_recipient", +0.4, message.Content, message.Phishing, link.RecipientInside},
	{"link_random_host", +0.6, message.Content, message.CategoryNone, link.RandomHost},
	{"link_punycode", +0.6, message.Content, message.CategoryNone, link.Punycode},
	{"link_many_domains", +0.05, message.Content, message.CategoryNone, link.ManyDomains},
	{"link_one_elsewhere", +0.3, message.Content, message.CategoryNone, link.OneElsewhere},
	{"link_cheap_host", +0.5, message.Content, message.CategoryNone, link.CheapHost},
	{"links", +0.05, message.Content, message.CategoryNone, link.Links},
}

var smsSignals = append([]signal{
	{"source_spam", +0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceSpam},
	{"source_ham", -0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceHam},
	{nearSpamName, +5.0, message.Content, message.CategoryNone, nearSpam},
	{"near_ham", -5.0, message.Content, message.CategoryNone, nearHam},
	{"sender_missing", +0.6, message.SourceAnalysis, message.CategoryNone, behaviour.SenderMissing},
	{"sender_mixed", +1.2, message.SourceAnalysis, message.Phishing, behaviour.SenderMixed},
	{"sender_lookalike", +2, message.SourceAnalysis, message.Phishing, behaviour.SenderLookalike},
	{"sender_alphanumeric", +0.1, message.SourceAnalysis, message.CategoryNone, behaviour.SenderAlphanumeric},
	{"sender_short_code", -0.3, message.SourceAnalysis, message.CategoryNone, behaviour.SenderShortCode},
	{"sender_is_recipient", +0.5, message.SourceAnalysis, message.CategoryNone, behaviour.SenderIsRecipient},
	{"number_impossible", +1.2, message.SourceAnalysis, message.CategoryNone, behaviour.NumberImpossible},
	{"country_code_unknown", +1.5, message.SourceAnalysis, message.CategoryNone, behaviour.CountryCodeUnknown},
	{"number_unassigned", +1.0, message.SourceAnalysis, message.CategoryNone, behaviour.NumberUnassigned},
	{"ucs2_for_gsm", +0.8, message.Characteristic, message.CategoryNone, content.UCS2ForGSM},
	{"broken_user_data", +1, message.Characteristic, message.CategoryNone, content.BrokenUserData},
	{"unreadable_coding", +0.8, message.Characteristic, message.CategoryNone, content.UnreadableCoding},
	{"port_addressed", +0.5, message.Characteristic, message.Malware, content.PortAddressed},
	{"flash", +0.6, message.Characteristic, message.CategoryNone, content.Flash},
}, textSignals...)

// callSignals come mostly from who calls and how (X.1246): before a call is answered there is nothing to hear.
var callSignals = []signal{
	{"source_spam", +0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceSpam},
	{"source_ham", -0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceHam},
	{"caller_hidden", +0.3, message.SourceAnalysis, message.CategoryNone, behaviour.CallerHidden},
	{"sender_is_recipient", +2.0, message.SourceAnalysis, message.Phishing, behaviour.SenderIsRecipient},
	{"number_impossible", +2.5, message.SourceAnalysis, message.CategoryNone, behaviour.NumberImpossible},
	{"country_code_unknown", +2.5, message.SourceAnalysis, message.CategoryNone, behaviour.CountryCodeUnknown},
	{"number_unassigned", +2.0, message.SourceAnalysis, message.CategoryNone, behaviour.NumberUnassigned},
	{"never_originates", +5.0, message.SourceAnalysis, message.Phishing, behaviour.NeverOriginates},
	{"caller_premium", +2.5, message.SourceAnalysis, message.Scam, behaviour.PremiumCaller},
	{"neighbour_number", +0.5, message.SourceAnalysis, message.Phishing, behaviour.NeighbourNumber},
	{"asserted_other", +0.4, message.SourceAnalysis, message.CategoryNone, behaviour.AssertedOther},
	{"passport_other", +1.5, message.SourceAnalysis, message.Phishing, behaviour.PassportOther},
	{"agent_scanner", +3.5, message.SourceAnalysis, message.Scam, behaviour.ScannerAgent},
	{"call_rate", +0.8, message.Characteristic, message.CategoryNone, behaviour.CallRate},
	{"many_callees", +0.5, message.Characteristic, message.Commercial, behaviour.ManyCallees},
	{"few_answers", +2.0, message.Characteristic, message.Scam, behaviour.FewAnswers},
	{"short_calls", +1.5, message.Characteristic, message.CategoryNone, behaviour.ShortCalls},
	{"callees_hang_up", +1.2, message.Characteristic, message.Commercial, behaviour.CalleesHangUp},
	{"talks_long", -1.5, message.Characteristic, message.CategoryNone, behaviour.TalksLong},
	{"broken_signalling", +0.8, message.Characteristic, message.CategoryNone, behaviour.BrokenSignalling},
}

var imSignals = append([]signal{
	{"source_spam", +0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceSpam},
	{"source_ham", -0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceHam},
	{nearSpamName, +5.0, message.Content, message.CategoryNone, nearSpam},
	{"near_ham", -5.0, message.Content, message.CategoryNone, nearHam},
	{"sender_is_recipient", +0.5, message.SourceAnalysis, message.CategoryNone, behaviour.SenderIsRecipient},
	{"broken_signalling", +0.8, message.Characteristic, message.CategoryNone, behaviour.BrokenSignalling},
}, textSignals...)

// textSignals are what a short text says, whatever carries it.
var textSignals = []signal{
	{"mixed_scripts", +0.9, message.Content, message.Phishing, content.MixedScripts},
	{"styled_letters", +1.0, message.Content, message.CategoryNone, content.StyledLetters},
	{"zero_width", +0.8, message.Content, message.CategoryNone, content.ZeroWidthInside},
	{"direction_override", +1.2, message.Content, message.Malware, content.DirectionOverride},
	{"spaced_letters", +0.8, message.Content, message.CategoryNone, content.SpacedLetters},
	{"leet_words", +0.6, message.Content, message.CategoryNone, content.LeetWords},
	{"money_amounts", +0.6, message.Content, message.CategoryNone, content.MoneyAmounts},
	{"brand_text", +1.0, message.Content, message.Phishing, guise.BrandText},
	{"brand_link", +1.5, message.Content, message.Phishing, guise.BrandLink},
	{"phone_numbers", +0.9, message.Content, message.CategoryNone, content.PhoneNumbers},
	{"link_address", +1.4, message.Content, message.Phishing, link.RawAddress},
	{"link_lookalike", +2.2, message.Content, message.Phishing, link.LookalikeHost},
	{"link_shortener", +0.7, message.Content, message.CategoryNone, link.Shortener},
	{"link_user_info", +2, message.Content, message.Phishing, link.UserInfo},
	{"link_redirect", +0.2, message.Content, message.CategoryNone, link.Redirect},
	{"link_port", +1, message.Content, message.CategoryNone, link.UnusualPort},
	{"link_deep_host", +0.8, message.Content, message.Phishing, link.DeepHost},
	{"link_brand_inside", +1.5, message.Content, message.Phishing, link.BrandInside},
	{"link_free_site", +1.0, message.Content, message.Phishing, link.FreeSite},
	{"link_form_service", +0.8, message.Content, message.Phishing, link.FormService},
	{"link_credential_path", +0.6, message.Content, message.Phishing, link.CredentialPath},
	{"link_intruded", +1.2, message.Content, message.Phishing, link.Intruded},
	{"link_random_host", +0.8, message.Content, message.CategoryNone, link.RandomHost},
	{"link_cheap_host", +0.8, message.Content, message.CategoryNone, link.CheapHost},
	{"links", +0.4, message.Content, message.CategoryNone, link.Links},
	{"oversized", +0, message.Characteristic, message.CategoryNone, content.Oversized},
}
