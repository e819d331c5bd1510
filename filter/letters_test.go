package filter

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"rempart/message"
	"rempart/message/email"
)

// Letters between people are honest mail that no public corpus has: the weights that come with the program must leave them alone.
func TestLetters(t *testing.T) {
	text, err := os.ReadFile("testdata/letters.txt")
	if err != nil {
		t.Fatal(err)
	}
	f := New(Options{})
	_, rest, _ := strings.Cut(string(text), "\n")
	letters := strings.Split(strings.TrimSuffix(rest, "%\n"), "%\n")
	if len(letters) != 40 {
		t.Fatalf("%d letters", len(letters))
	}
	for i, letter := range letters {
		parts := strings.SplitN(letter, "\n", 3)
		for host, most := range map[string]float64{"mail.gmail.com": 0.5, "mail.example.org": 0.6} { // of many a domain's mail; of who knows whom
			m := email.ParseBytes(fmt.Appendf(nil, `Received: from mail.y.example (mail.y.example [192.0.2.1]) by mx.z.example; Wed, 25 Nov 2026 01:00:00 +0000
From: %s
To: Ben Miller <ben@y.example>
Date: Wed, 25 Nov 2026 01:00:00 +0000
Message-ID: <CAF%d@%s>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Subject: %s

%s`, parts[0], i, host, parts[1], parts[2]))
			m.Direction = message.In
			if v := f.Judge(t.Context(), m, nil).Verdicts[0]; v.Probability >= most {
				t.Errorf("%q with an ID of %s has probability %.2f", parts[1], host, v.Probability)
			}
		}
	}
}
