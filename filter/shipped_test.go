package filter

import (
	"fmt"
	"strings"
	"testing"

	"rempart/message"
	"rempart/message/email"
)

// offer is a mail that looks like spam that everybody gets; n makes each another.
func offer(n int) *message.Message {
	words := strings.Fields("amber birch cedar delta ember fjord grove hazel inlet jetty knoll larch maple north ocean pearl quartz river stone thorn")
	more := ""
	for i := range 12 {
		more += words[(n*7+i*i)%len(words)] + " "
	}
	return mail("\"Mega Casino\" <bonus@spin-"+words[n%len(words)]+".example>", fmt.Sprintf("%d free spins and a welcome bonus", 100+n),
		"Play now and claim your bonus of $1000, no deposit required. Hurry, limited offer! https://x0k9.example.net/claim/"+words[n%20]+"\n\n"+more)
}

// note is a mail between people.
func note(n int) *message.Message {
	return mail("Ann Lee <ann@a.example>", fmt.Sprintf("minutes of meeting %d", n),
		fmt.Sprintf("Hello Tom,\n\nhere are the minutes of meeting %d as promised. The parser has a new test now, see the patch.\n\nAnn\n", n))
}

func mail(from, subject, text string) *message.Message {
	m := email.ParseBytes([]byte("From: " + from + "\r\nTo: tom@b.example\r\nSubject: " + subject +
		"\r\nDate: Mon, 3 Aug 2026 10:00:00 +0000\r\nMessage-ID: <1@a.example>\r\n\r\n" + text))
	m.Direction, m.Arrived = message.In, m.Date
	return m
}

func TestFirstMailIsFiltered(t *testing.T) {
	f := New(Options{})
	spam, ham := f.Judge(t.Context(), offer(1), nil).Verdicts[0], f.Judge(t.Context(), note(1), nil).Verdicts[0]
	if spam.Probability < 0.9 || ham.Probability > 0.1 {
		t.Errorf("spam %.3f, honest %.3f", spam.Probability, ham.Probability)
	}
	if spam.Sum() != spam.Score || baseShare(spam) <= 0 || baseShare(ham) >= 0 {
		t.Errorf("contributions sum to %v, score %v, the base says %v and %v", spam.Sum(), spam.Score, baseShare(spam), baseShare(ham))
	}
	if !strings.HasSuffix(spam.Model, "/"+f.baseID()) {
		t.Errorf("model %q does not name the weights", spam.Model)
	}
	if l := f.Draft(offer(1)); l.Base != f.baseID() {
		t.Errorf("a lesson names the weights %q", l.Base)
	}
}

func TestScratchHasNoBase(t *testing.T) {
	f := New(Options{Scratch: true})
	for i := range 20 {
		f.Apply(f.Lesson(t.Context(), offer(i), message.Spam, message.Scope{}, "eval"))
		f.Apply(f.Lesson(t.Context(), note(i), message.Ham, message.Scope{}, "eval"))
	}
	v := f.Judge(t.Context(), offer(21), nil).Verdicts[0]
	for _, c := range v.Contributions {
		if strings.HasPrefix(c.Name, basePrefix) {
			t.Errorf("%s stands in a verdict from scratch", c.Name)
		}
	}
	if untaught := New(Options{Scratch: true}).Judge(t.Context(), offer(1), nil).Verdicts[0]; untaught.Score != 0 {
		t.Errorf("untaught, from scratch, a mail scores %v", untaught.Score)
	}
}

// An operator whose honest mail is what everybody else takes for spam is soon understood, and what is left of the shipped
// weights shrinks with each pair of lessons.
func TestLessonsOutweighTheBase(t *testing.T) {
	f := New(Options{})
	before := f.Judge(t.Context(), offer(40), nil).Verdicts[0]
	for i := range 10 {
		f.Apply(f.Lesson(t.Context(), offer(i), message.Ham, message.Scope{}, "postmaster"))
	}
	after := f.Judge(t.Context(), offer(40), nil).Verdicts[0]
	if before.Probability < 0.9 || after.Probability > 0.5 {
		t.Errorf("probability %.3f before, %.3f after ten lessons", before.Probability, after.Probability)
	}
	for i := range 100 {
		f.Apply(f.Lesson(t.Context(), offer(10+i), message.Ham, message.Scope{}, "postmaster"))
		f.Apply(f.Lesson(t.Context(), note(i), message.Spam, message.Scope{}, "postmaster"))
	}
	last := f.Judge(t.Context(), offer(40), nil).Verdicts[0]
	if was, is := baseShare(before), baseShare(last); is > was/2 {
		t.Errorf("the base says %v before, and %v after two hundred lessons", was, is)
	}
	restored := New(Options{})
	if err := restored.Restore(f.Snapshot()); err != nil {
		t.Fatal(err)
	}
	if v := restored.Judge(t.Context(), offer(40), nil).Verdicts[0]; v.Score != last.Score {
		t.Errorf("restored from a snapshot: score %v, was %v", v.Score, last.Score)
	}
}

func baseShare(v *message.Verdict) (sum message.LogOdds) {
	for _, c := range v.Contributions {
		if strings.HasPrefix(c.Name, basePrefix) {
			sum += c.Weight()
		}
	}
	return sum
}
