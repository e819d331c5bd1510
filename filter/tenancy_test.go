package filter

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"rempart/message"
	"rempart/message/email"
)

// letter is a newsletter of one of many senders: each has its own domain, list, words and links, and every issue another text.
func letter(sender, issue int) *message.Message {
	rng := rand.New(rand.NewPCG(uint64(sender), uint64(issue)))
	own := rand.New(rand.NewPCG(uint64(sender), 0))
	words := func(rng *rand.Rand, n int) string {
		var b strings.Builder
		for range n {
			fmt.Fprintf(&b, "%s%d ", [...]string{"garden", "recipe", "price", "ticket", "story", "week", "offer", "club"}[rng.IntN(8)], rng.IntN(400))
		}
		return b.String()
	}
	m := email.ParseBytes(fmt.Appendf(nil, `From: Letter %[1]d <news@letter%[1]d.example>
To: reader@home.example
Subject: %[2]s
Date: Mon, 2 Nov 2026 10:00:00 +0000
Message-ID: <%[1]d.%[3]d@letter%[1]d.example>
List-Id: <news.letter%[1]d.example>
List-Unsubscribe: <https://letter%[1]d.example/off>
Content-Type: text/plain; charset=utf-8

%[4]s
https://letter%[1]d.example/%[3]d
%[5]s
`, sender, words(rng, 5), issue, words(own, 40), words(rng, 60)))
	m.Direction, m.MailFrom = message.In, fmt.Sprintf("bounce@letter%d.example", sender)
	return m
}

func recipient(user int) message.Recipient {
	return message.Recipient{Address: fmt.Sprintf("user%d@home.example", user)}
}

func scopeOf(user int) message.Scope { return message.Scope{User: recipient(user).Address} }

// One user's newsletter is another's spam: the one who says so sees it as spam from the next issue on, and nobody else's
// verdict moves by more than one half of log-odds in the hour, whatever is taught.
func TestOneUserMovesNobodyElse(t *testing.T) {
	const letters = 1000
	for _, c := range []struct {
		honest int // of the operator's lessons before
		sure   float64
	}{{0, 0.8}, {60, 0.3}} {
		honest := c.honest
		f := New(Options{})
		begun := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
		for i := range honest {
			f.Apply(f.Lesson(t.Context(), letter(i, 1), message.Label(1+i%2), message.Scope{}, "postmaster"))
		}
		both := []message.Recipient{recipient(1), recipient(2)}
		judge := func(sender, issue int) []*message.Verdict {
			return f.Judge(t.Context(), letter(sender, issue), both).Verdicts
		}
		before := make([]message.LogOdds, letters)
		for i := range letters {
			before[i] = judge(i, 2)[1].Score
		}
		for i := range letters {
			l := f.Lesson(t.Context(), letter(i, 2), message.Spam, scopeOf(1), "user1")
			l.Time = begun.Add(time.Duration(i) * 3600 * time.Second / letters)
			f.Apply(l)
			if next := judge(i, 3)[0]; i >= honest && next.Probability < c.sure {
				t.Errorf("letter %d: its next issue has probability %.2f for the user who called it spam", i, next.Probability)
			}
		}
		for i := range letters {
			if moved := judge(i, 2)[1].Score - before[i]; moved > message.One/2 || moved < -message.One/2 {
				t.Errorf("after %d lessons of one user, letter %d moved by %.3f for another", letters, i, moved.Float())
			}
		}
	}
}

// What a user's lessons moved over days comes back for all others no faster than it went.
func TestTakingBackMovesNobodyElse(t *testing.T) {
	f := New(Options{})
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	teach := func(issue int, label message.Label) {
		l := f.Lesson(t.Context(), letter(1, issue), label, scopeOf(1), "user1")
		l.Time = at
		f.Apply(l)
	}
	other := func() message.LogOdds {
		return f.Judge(t.Context(), letter(1, 1), []message.Recipient{recipient(2)}).Verdicts[0].Score
	}
	untaught := other()
	for day := range 60 {
		teach(day, message.Spam)
		at = at.Add(24 * time.Hour)
	}
	taught := other()
	if taught <= untaught {
		t.Fatalf("60 days of lessons moved the others' verdict from %v to %v", untaught, taught)
	}
	for day := range 60 {
		teach(day, message.Ham)
	}
	if moved := other() - taught; moved < -message.One/2 || moved >= 0 {
		t.Errorf("taking 60 lessons back within the hour moved the others' verdict by %.3f", moved.Float())
	}
	mine := f.Judge(t.Context(), letter(1, 61), []message.Recipient{recipient(1)}).Verdicts[0]
	if mine.Probability > 0.5 {
		t.Errorf("probability %.2f for the user who took it all back", mine.Probability)
	}
}

// The near copy of another sender follows for the user who taught the first.
func TestNearCopyFollowsForTheUser(t *testing.T) {
	f := New(Options{})
	copied := letter(1, 1)
	copied.From.Local, copied.From.Domain, copied.MailFrom = "x", "elsewhere.example", "x@elsewhere.example"
	before := f.Judge(t.Context(), copied, []message.Recipient{recipient(1)}).Verdicts[0]
	f.Apply(f.Lesson(t.Context(), letter(1, 1), message.Spam, scopeOf(1), "user1"))
	after := f.Judge(t.Context(), copied, []message.Recipient{recipient(1)}).Verdicts[0]
	if before.Probability > 0.5 || after.Probability < 0.8 {
		t.Errorf("probability %.2f before, %.2f after", before.Probability, after.Probability)
	}
}

// A domain's lessons count for its users and nobody else's.
func TestDomainLessons(t *testing.T) {
	f := New(Options{})
	f.Apply(f.Lesson(t.Context(), letter(1, 1), message.Spam, message.Scope{Domain: "home.example"}, "owner"))
	v := f.Judge(t.Context(), letter(1, 2), []message.Recipient{recipient(7), {Address: "x@other.example"}}).Verdicts
	if v[0].Probability < 0.9 || v[1].Probability > 0.5 {
		t.Errorf("probability %.2f in the domain, %.2f outside", v[0].Probability, v[1].Probability)
	}
}

// A tenant's name counts in any case, as in policy.
func TestTenantsNameInAnyCase(t *testing.T) {
	f := New(Options{})
	to := func(tenant string) []message.Recipient {
		r := recipient(1)
		r.Tenant = tenant
		return []message.Recipient{r}
	}
	for _, scope := range []message.Scope{{Tenant: "Acme"}, {Tenant: "Beta", User: recipient(1).Address}} {
		taught := letter(len(scope.Tenant+scope.User), 1)
		l := f.Lesson(t.Context(), taught, message.Spam, scope, "postmaster")
		before := f.Judge(t.Context(), taught, to("other")).Verdicts[0].Score
		f.Apply(l)
		for _, name := range []string{scope.Tenant, strings.ToLower(scope.Tenant)} {
			if v := f.Judge(t.Context(), taught, to(name)).Verdicts[0]; v.Score < before+message.One {
				t.Errorf("%+v was taught, and for tenant %q the score went from %v to %v", scope, name, before, v.Score)
			}
		}
	}
}

// BenchmarkTenancy judges for one tenant and, in turn, for a thousand with fifty thousand users who each taught twenty mails; MiB
// is all the memory that the process holds with both.
func BenchmarkTenancy(b *testing.B) {
	const mails, users, rounds = 400, 50, 3
	filters := map[int]*Filter{}
	for _, tenants := range []int{1, 1000} {
		filters[tenants] = manyTenants(b, tenants, users*tenants, mails)
	}
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	messages := make([]*message.Message, mails)
	for i := range messages {
		messages[i] = letter(i, 2)
	}
	for range rounds {
		for _, tenants := range []int{1, 1000} {
			b.Run(fmt.Sprint(tenants), func(b *testing.B) {
				user, mail := 0, 0
				for b.Loop() {
					user, mail = (user+7919)%(users*tenants), (mail+1)%mails
					to := recipient(user)
					to.Tenant = fmt.Sprint("tenant", user%tenants)
					filters[tenants].Judge(b.Context(), messages[mail], []message.Recipient{to})
				}
				b.ReportMetric(float64(mem.Sys-mem.HeapReleased)/(1<<20), "MiB")
			})
		}
	}
}

// manyTenants is a filter that so many users, evenly of all tenants, taught twenty of some letters each.
func manyTenants(b *testing.B, tenants, users, mails int) *Filter {
	f := New(Options{})
	lessons := make([]*message.Lesson, mails)
	for i := range lessons {
		lessons[i] = f.Lesson(b.Context(), letter(i, 1), message.Label(1+i%2), message.Scope{}, "user")
	}
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for user := range users {
		for n := range 20 {
			l := *lessons[(user*7+n*13)%mails]
			l.Message = fmt.Sprintf("%d/%d", user, n)
			l.Time, l.Scope = at.Add(time.Duration(user)*time.Second), scopeOf(user)
			l.Scope.Tenant = fmt.Sprint("tenant", user%tenants)
			f.Apply(&l)
		}
	}
	return f
}
