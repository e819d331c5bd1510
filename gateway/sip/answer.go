package sip

import (
	"rempart/message"
)

// An answer is how an action is carried out.
type answer struct {
	action message.Action
	pass   bool // it goes on, as on_accept says
	label  bool // with the two header fields
	call   int  // status of an INVITE that does not go on; 0: reject_code
	text   int  // of a MESSAGE
}

// answers is what docs/frontdoor-sip.md prints. There is no store for held messages, and none for calls: what asks for
// one goes on with a label. A call that is to come again is answered 480 and not 503, which would say that this front
// door is down (RFC 3261 section 21.5.4) and have the switch leave it aside for all calls.
var answers = []answer{
	{action: message.Accept, pass: true},
	{action: message.Tag, pass: true, label: true},
	{action: message.Rewrite, pass: true, label: true},
	{action: message.Redirect, pass: true, label: true},
	{action: message.Hold, pass: true, label: true},
	{action: message.Quarantine, pass: true, label: true},
	{action: message.Challenge, pass: true, label: true},
	{action: message.Greylist, call: 480, text: 480},
	{action: message.Tempfail, call: 480, text: 480},
	{action: message.Throttle, call: 480, text: 480},
	{action: message.Reject},
	{action: message.Remove},
	{action: message.Discard, text: 202}, // a call without an answer would come again and again
}

// answerTo finds the row; an action of a newer build goes on.
func answerTo(a message.Action) answer {
	for _, row := range answers {
		if row.action == a {
			return row
		}
	}
	return answer{action: a, pass: true}
}

// Fields that label what goes on; those that a stranger put there are taken off.
const (
	headerAction      = "X-Rempart-Action"      // what is done: tag, quarantine ...
	headerProbability = "X-Rempart-Probability" // that it is spam, 0 to 1
)

// reasons are the phrases of the statuses that we answer (RFC 3261 section 21).
var reasons = map[int]string{
	100: "Trying", 200: "OK", 202: "Accepted", 302: "Moved Temporarily", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
	416: "Unsupported URI Scheme", 420: "Bad Extension", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
	483: "Too Many Hops", 487: "Request Terminated", 505: "Version Not Supported", 603: "Decline", 607: "Unwanted", 608: "Rejected",
}
