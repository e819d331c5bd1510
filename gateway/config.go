package gateway

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"rempart/config"
	"rempart/message"
)

// Door is the settings that every front door has.
type Door struct {
	// Name of the front door in logs, metrics and events. It must be unique.
	Name string `toml:"name"`

	// Direction of what comes through it: "in" from the world to the operator's own, "out" from them, "internal" among
	// them. Default: in.
	Direction message.Direction `toml:"direction"`

	// Mode: "judge" answers and acts; "shadow" lets everything pass unchanged and records what would have been done;
	// "tap" is fed a copy and is not in the path. Default: judge; a new installation's configuration says shadow.
	Mode message.Mode `toml:"mode"`

	// Incumbent is the filter that mail goes by before it comes to this front door: "rspamd", or "spamassassin", which is also amavis.
	// Its verdict is read from the header fields that it writes, kept beside ours, and compared on the console; it is no part of our
	// verdict, and whatever such filters write is not looked at, nor kept of mail in quarantine. Of mail alone. Name one only where all mail goes by it: its fields
	// are believed. Default: none.
	Incumbent string `toml:"incumbent"`

	// OnError is the answer when no decision could be had: "tempfail" lets the sender try again, "accept" lets spam
	// through. In shadow and tap it is always accept. Default: tempfail; of calls accept, since an emergency number is
	// never blocked.
	OnError OnError `toml:"on_error"`

	// Listen is where to listen: "127.0.0.1:8891", "unix:/run/rempart/milter.sock", "systemd" or "systemd:NAME".
	Listen []string `toml:"listen"`

	// Budget is how long one judgement may take before on_error is the answer. Default: 5s.
	Budget config.Duration `toml:"budget"`

	// MaxConnections bounds the connections at one time; one more is closed at once. Default: 1000.
	MaxConnections int `toml:"max_connections"`

	// Drain is how long messages in hand may take to finish after the node was told to stop. Default: 30s.
	Drain config.Duration `toml:"drain"`
}

// Defaults of [Door].
const (
	defaultBudget         = 5 * time.Second // a tenth of what Postfix and most SMPP clients wait
	defaultMaxConnections = 1000            // ten times Postfix's process limit
	defaultDrain          = 30 * time.Second
)

// WithDefaults returns d with its unset fields filled.
func (d Door) WithDefaults() Door {
	if d.Direction == 0 {
		d.Direction = message.In
	}
	if d.Budget == 0 {
		d.Budget = config.Duration(defaultBudget)
	}
	if d.MaxConnections == 0 {
		d.MaxConnections = defaultMaxConnections
	}
	if d.Drain == 0 {
		d.Drain = config.Duration(defaultDrain)
	}
	switch {
	case d.Mode != message.ModeJudge:
		d.OnError = OnErrorAccept
	case d.OnError == OnErrorDefault:
		d.OnError = OnErrorTempfail
	}
	return d
}

// Check names the keys that are wrong; key is the table's path, as "gateway.milter[0]".
func (d Door) Check(key string) error {
	var errs []error
	bad := func(name string, value any, use string) {
		errs = append(errs, fmt.Errorf("%s.%s = %v: %s", key, name, value, use))
	}
	if d.Name == "" {
		bad("name", `""`, "give the front door a name")
	}
	if d.Direction > message.Internal {
		bad("direction", d.Direction, "use in, out or internal")
	}
	if d.Mode > message.ModeTap {
		bad("mode", d.Mode, "use judge, shadow or tap")
	}
	if d.Incumbent != "" && verdictFields[d.Incumbent] == nil {
		bad("incumbent", strconv.Quote(d.Incumbent), "use rspamd or spamassassin")
	}
	if len(d.Listen) == 0 {
		bad("listen", "[]", "name at least one address")
	}
	if d.Budget < 0 {
		bad("budget", d.Budget, "use a duration above 0")
	}
	if d.Drain < 0 {
		bad("drain", d.Drain, "use a duration above 0")
	}
	if d.MaxConnections < 0 {
		bad("max_connections", d.MaxConnections, "use a number above 0")
	}
	return errors.Join(errs...)
}

// OnError is what a front door answers when no decision could be had.
type OnError uint8

// Answers on error; the default is the front door's own.
const (
	OnErrorDefault OnError = iota
	OnErrorTempfail
	OnErrorAccept
)

func (e OnError) String() string {
	if e == OnErrorAccept {
		return "accept"
	}
	return "tempfail"
}

// MarshalText writes the word of the configuration.
func (e OnError) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads the word of the configuration.
func (e *OnError) UnmarshalText(b []byte) error {
	switch string(b) {
	case "tempfail":
		*e = OnErrorTempfail
	case "accept":
		*e = OnErrorAccept
	default:
		return fmt.Errorf("unknown on_error %q: use tempfail or accept", b)
	}
	return nil
}

// Action is the answer as an action.
func (e OnError) Action() message.Action {
	if e == OnErrorAccept {
		return message.Accept
	}
	return message.Tempfail
}
