package filter

import (
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
	{"near_spam", +5.0, message.Content, message.CategoryNone, nearSpam},
	{"near_ham", -5.0, message.Content, message.CategoryNone, nearHam},
}

var smsSignals = []signal{
	{"near_spam", +5.0, message.Content, message.CategoryNone, nearSpam},
	{"near_ham", -5.0, message.Content, message.CategoryNone, nearHam},
}
