package filter

import (
	"rempart/filter/auth"
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
}

var emailSignals = []signal{
	{"spf_fail", +1.0, message.SourceAnalysis, message.CategoryNone, auth.SPFFail},
	{"spf_softfail", +0.5, message.SourceAnalysis, message.CategoryNone, auth.SPFSoftfail},
	{"spf_pass", -0.2, message.SourceAnalysis, message.CategoryNone, auth.SPFPass},
	{"dkim_pass", -0.3, message.SourceAnalysis, message.CategoryNone, auth.DKIMPass},
	{"dkim_broken", +0.2, message.SourceAnalysis, message.CategoryNone, auth.DKIMBroken},
	{"dmarc_fail", +0.7, message.SourceAnalysis, message.Phishing, auth.DMARCFail},
	{"dmarc_pass", -0.5, message.SourceAnalysis, message.CategoryNone, auth.DMARCPass},
	{"reverse_missing", +0.8, message.SourceAnalysis, message.CategoryNone, auth.ReverseMissing},
	{"listed", +2.5, message.SourceAnalysis, message.CategoryNone, auth.Listed},
	{"listed_good", -2.0, message.SourceAnalysis, message.CategoryNone, auth.ListedGood},
	{"source_spam", +0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceSpam},
	{"source_ham", -0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceHam},
	{"near_spam", +5.0, message.Content, message.CategoryNone, nearSpam},
	{"near_ham", -5.0, message.Content, message.CategoryNone, nearHam},
}

var smsSignals = []signal{
	{"source_spam", +0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceSpam},
	{"source_ham", -0.6, message.SourceAnalysis, message.CategoryNone, reputation.SourceHam},
	{"near_spam", +5.0, message.Content, message.CategoryNone, nearSpam},
	{"near_ham", -5.0, message.Content, message.CategoryNone, nearHam},
}
