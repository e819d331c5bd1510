package world_test

import (
	"strings"
	"testing"
	"time"

	"rempart/filter/content"
	"rempart/message"
	"rempart/message/email"
	"rempart/world"
)

// Honest mail is what its program writes: nothing in it says that somebody else claims to be that program, as some bots do.
func TestProgramsWriteTheirOwn(t *testing.T) {
	w, err := world.New(world.Config{Seed: 7, Start: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Rate: 20})
	if err != nil {
		t.Fatal(err)
	}
	claimed, forged := map[string]int{}, map[message.Label]int{}
	for range 4000 {
		s := w.Next()
		if s.Mail == nil {
			continue
		}
		m := email.ParseBytes(s.Mail.Raw)
		claim := m.Header.Get("X-Mailer") + m.Header.Get("User-Agent")
		if s.Truth.Label == message.Ham && claim != "" {
			claimed[strings.Fields(claim)[0]]++
		}
		if r := content.MailerForged(m); r.State == message.StatePresent {
			if forged[s.Truth.Label]++; s.Truth.Label == message.Ham {
				t.Errorf("%s: %q", claim, m.MessageID)
			}
		}
	}
	if len(claimed) != 5 || forged[message.Spam] == 0 {
		t.Errorf("honest mail by %v, forged %v", claimed, forged)
	}
}
