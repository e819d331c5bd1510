package filter

import (
	"fmt"
	"os"
	"testing"

	"rempart/message"
	"rempart/message/email"
)

// letter judges a letter of filter/language to one or more; probability is what is made of it for later ones.
func (s *submission) letter(t *testing.T, code string, probability float64, to ...string) *message.Verdict {
	t.Helper()
	b, err := os.ReadFile("language/testdata/" + code + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	s.n++
	m := email.ParseBytes(fmt.Appendf(nil, "From: Harbour Office <office@harbour.example>\r\nTo: <ben@home.example>\r\nMessage-ID: <%d@harbour.example>\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s", s.n, b))
	m.Direction, m.Tenant, m.Arrived = message.In, s.tenant, s.now
	j := message.Judgement{}
	for _, a := range to {
		m.Recipients = append(m.Recipients, message.Recipient{Address: a, Tenant: s.tenant, Domain: "home.example"})
		j.Verdicts = append(j.Verdicts, &message.Verdict{Probability: probability})
	}
	v := s.Judge(t.Context(), m, m.Recipients).Worst()
	s.Judged(m, j)
	return v
}

func TestUnusualLanguage(t *testing.T) {
	const ben, ann, honest, spam = "ben@home.example", "ann@home.example", 0.1, 0.9
	s := newSubmission()
	unusual := func(code string, probability float64, to ...string) bool {
		return present(s.letter(t, code, probability, to...), "language_unusual")
	}
	for i := range 20 {
		if unusual("tr", spam, ben) {
			t.Fatalf("after %d mails there is a habit", i)
		}
		unusual("de", honest, ben)
	}
	for _, tt := range []struct {
		code string
		to   []string
		want bool
	}{
		{"de", []string{ben}, false},
		{"tr", []string{ben}, true},
		{"ja", []string{"Ben@Home.example"}, true},
		{"tr", []string{ann}, false},     // has no habit
		{"tr", []string{ann, ben}, true}, // one of them has
		{"tr", nil, false},
	} {
		if got := unusual(tt.code, spam, tt.to...); got != tt.want {
			t.Errorf("%s to %v: %v", tt.code, tt.to, got)
		}
	}

	for range 20 {
		unusual("tr", honest, ann)
	}
	if unusual("tr", spam, ann, ben) || !unusual("ru", spam, ann, ben) {
		t.Error("what is usual for one of the recipients is not unusual")
	}
	unusual("fr", honest, ben)
	if !unusual("fr", honest, ben) || unusual("fr", spam, ben) {
		t.Error("one honest mail makes a language usual, or two do not")
	}

	s.tenant = "south"
	if unusual("ru", spam, ben) {
		t.Error("another tenant's mailbox of the same address has the habit")
	}
	s.tenant = ""
	s.Forget(func(string) bool { return false })
	if unusual("ru", spam, ben) {
		t.Error("a habit after all was forgotten")
	}
}
