package link

import "rempart/message"

// Find returns the addresses in text that a reader can follow, at most most; more reports that there are others.
func Find(text string, most int) (found []message.Link, more bool) {
	s := NewScanner(text)
	for {
		start, end, scheme, host, ok := s.Next()
		if !ok {
			return found, false
		}
		if len(found) >= most {
			return found, true
		}
		found = append(found, message.Link{URL: text[start:end], Scheme: scheme, Host: host, Kind: message.LinkText})
	}
}
