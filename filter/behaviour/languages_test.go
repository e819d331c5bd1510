package behaviour

import (
	"strconv"
	"testing"

	"rempart/message"
)

func TestLanguagesAreBounded(t *testing.T) {
	if message.Languages > 64 {
		t.Fatalf("%d languages do not fit into a habit", message.Languages)
	}
	c := NewLanguages()
	busy := Mailbox{"south", "ben@home.example"}
	for range habitMails {
		c.Had(busy, message.German)
		c.Had(busy, message.LanguageUnknown)
	}
	for i := range HabitCapacity + habitGeneration {
		c.Had(Mailbox{"", strconv.Itoa(i) + "@home.example"}, message.French)
		if i%1000 == 0 {
			c.Had(busy, message.German)
		}
	}
	if n := len(c.young) + len(c.old); n > HabitCapacity {
		t.Errorf("%d mailboxes", n)
	}
	if habit, usual := c.Habit(busy, message.German); !habit || !usual {
		t.Error("who gets mail every day is forgotten")
	}
	if habit, _ := c.Habit(Mailbox{"", "0@home.example"}, message.French); habit {
		t.Error("one mail makes a habit")
	}
}
