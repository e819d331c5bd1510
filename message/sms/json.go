package sms

import (
	"encoding/json"
	"fmt"
	"time"

	"rempart/message"
)

// JSON is a text as the API and files carry it. Only Text is needed.
type JSON struct {
	ID        string    `json:"id,omitempty"`
	From      string    `json:"from,omitempty"`
	To        string    `json:"to,omitempty"`
	Text      string    `json:"text"`
	Time      time.Time `json:"time,omitzero"`
	SystemID  string    `json:"system_id,omitempty"`
	Reference uint16    `json:"reference,omitempty"` // of a concatenated text
	Part      uint8     `json:"part,omitempty"`
	Total     uint8     `json:"total,omitempty"`
}

// ParseJSON reads one object of [JSON]; members it does not know are passed over. The error says what is wrong with b.
func ParseJSON(b []byte) (*message.Message, error) {
	var j struct {
		JSON
		Text *string `json:"text"`
	}
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, fmt.Errorf("read text message: %w", err)
	}
	if j.Text == nil {
		return nil, fmt.Errorf(`read text message: no member "text"`)
	}
	j.JSON.Text = *j.Text
	return j.JSON.Message(), nil
}

// Message makes the message of j.
func (j JSON) Message() *message.Message {
	m := New(j.From, j.To, j.Text)
	m.ID, m.Arrived, m.SMS.SystemID = j.ID, j.Time, j.SystemID
	number(m, header{}, Input{Reference: j.Reference, Part: j.Part, Total: j.Total})
	return m
}
