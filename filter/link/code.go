package link

import "rempart/message"

// Code speaks against a link that stands in a picture as a code for a camera (QR, ISO/IEC 18004): it leads the reader to the
// telephone, away from what guards the mail. Value: 1. Argument: the host.
func Code(m *message.Message) message.Result {
	for i := range m.Links {
		if m.Links[i].Kind == message.LinkCode {
			return message.Present(1, quote(m.Links[i].Host))
		}
	}
	return message.Absent
}
