package corpus

import (
	"fmt"
	"io"

	"rempart/message"
	"rempart/message/call"
	"rempart/message/im"
	"rempart/message/sip"
)

// readSIP reads a file that is one SIP request: a call or an instant message. Who handed it over is what its topmost Via
// says.
func readSIP(path string, r io.Reader, visit func(Item) error) error {
	raw, err := io.ReadAll(io.LimitReader(r, sip.MaxBytes))
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	var request sip.Message
	if err := request.Read(string(raw)); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	var m *message.Message
	switch request.Method {
	case "INVITE":
		m = call.Parse(&request)
	case "MESSAGE":
		m = im.Parse(&request)
	default:
		return fmt.Errorf("read %s: neither an INVITE nor a MESSAGE", path)
	}
	sip.Hop{Peer: request.Top.Received()}.Trace(m, &request)
	m.Direction = message.In
	return visit(Item{Path: path, Message: m})
}
