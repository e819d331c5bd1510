package spamd

import "fmt"

// status is the code of an answer: 0, or an exit code of sysexits.h. spamc takes them all for one and ends with EX_IOERR.
type status int

// Codes that are answered, with spamd's own for a timeout.
const (
	statusOK          status = 0
	statusData        status = 65 // EX_DATAERR
	statusUnavailable status = 69 // EX_UNAVAILABLE
	statusSoftware    status = 70 // EX_SOFTWARE
	statusIO          status = 74 // EX_IOERR
	statusTempfail    status = 75 // EX_TEMPFAIL
	statusProtocol    status = 76 // EX_PROTOCOL
	statusTimeout     status = 79 // EX_TIMEOUT, not in sysexits.h
)

// statusWords stand before the text of an answer; the first four are spamd's.
var statusWords = map[status]string{
	statusOK: "EX_OK", statusProtocol: "Bad header line", statusUnavailable: "Service Unavailable", statusTimeout: "Timeout",
	statusData: "Data Error", statusSoftware: "Internal Error", statusIO: "Input/Output Error", statusTempfail: "Temporary Failure",
}

// refusal is why a request got no answer of its own.
type refusal struct {
	status status
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s: %s", statusWords[r.status], r.text) }

func refuse(s status, format string, args ...any) error {
	return &refusal{s, fmt.Sprintf(format, args...)}
}
