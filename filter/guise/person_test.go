package guise

import (
	"strings"
	"testing"

	"rempart/message"
)

func TestPerson(t *testing.T) {
	jane, _ := Person("Jane Roe")
	for _, same := range []string{"ROE, Jane", "Dr. Jane A. Roe", "jane  roe (CEO)", "J\u0430ne Roe", "Jané Röe", "Mrs. Jane Roe, President & CEO", "Jane R0e", "'Jane Roe'", "Jane Roe, Geschäftsführerin", "Présidente Jane Roe",
		"Доктор Jane Roe"} {
		if got, alone := Person(same); got != jane || !alone {
			t.Errorf("%q: %q, %v, want %q", same, got, alone, jane)
		}
	}
	for _, beside := range []string{"Jane Roe, Billing Department", "Jane Roe Sécurité", "Jane Roe Ltd", "Служба безопасности: Jane Roe"} {
		if got, alone := Person(beside); got != jane || alone {
			t.Errorf("%q: %q, %v", beside, got, alone)
		}
	}
	for _, other := range []string{"Jane Roe via Sailors", "Jane Row", "Jane Mary Roe", "John Roe"} {
		if got, _ := Person(other); got == jane {
			t.Errorf("%q is taken for her", other)
		}
	}
	for _, nobody := range []string{"", "Jane", "J. Roe", "Customer Service", "Dr. CEO", "The Chief Executive Officer", strings.Repeat("word more ", 20)} {
		if got, _ := Person(nobody); got != "" && !strings.HasPrefix(nobody, "The") {
			t.Errorf("%q: %q", nobody, got)
		}
	}
	for _, unspaced := range []string{"田中太郎", "김철수"} {
		if got, _ := Person(unspaced); got == "" {
			t.Errorf("%q is a name", unspaced)
		}
	}
	if a, b := first(Person("Müller, Jürgen")), first(Person("Jurgen Muller")); a != b || a == "" {
		t.Errorf("%q, %q", a, b)
	}
}

func first(s string, _ bool) string { return s }

func FuzzPerson(f *testing.F) {
	for _, s := range []string{"Dr. Jane A. Roe", "ROE, Jane (CEO)", "田中太郎", "Jane \u202eRoe", "㏄ ㋿ ﷺ", "rn vv 0 1 |"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		person, _ := Person(name)
		if len(person) > 20*maxName || strings.Count(person, " ") >= maxWords {
			t.Fatalf("%q: %q", name, person)
		}
	})
}

func BenchmarkPerson(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Person("Dr. Jane A. Roe (CEO)")
	}
}

func TestRoll(t *testing.T) {
	r, err := NewRoll([]Executives{
		{Tenant: "South", People: []string{"Jane Roe <jane@harbour.example>", "Jane Roe <jane.roe@home.example>"}},
		{Domain: "marina.example", People: []string{"\"Doe, John\" <john@marina.example>"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		from, name, tenant, domain string
		named, theirs              bool
	}{
		{"x@else.example", "Jane Roe", "south", "harbour.example", true, false},
		{"Jane.Roe@home.example", "Jane Roe", "south", "harbour.example", true, true},
		{"x@else.example", "Jane Roe", "north", "harbour.example", false, false},
		{"x@else.example", "John Doe", "north", "marina.example", true, false},
		{"x@else.example", "John Doe", "north", "harbour.example", false, false},
	} {
		local, domain, _ := strings.Cut(tt.from, "@")
		m := &message.Message{Channel: message.Email, Direction: message.In, From: message.Address{Name: tt.name, Local: local, Domain: domain},
			Recipients: []message.Recipient{{Address: "ben@" + tt.domain, Tenant: tt.tenant, Domain: tt.domain}}}
		person, _ := Person(tt.name)
		if named, theirs := r.Namesake(m, person); named != tt.named || theirs != tt.theirs {
			t.Errorf("%+v: %v, %v", tt, named, theirs)
		}
	}
	for _, wrong := range []string{"Jane <jane@harbour.example>", "Jane Roe", "jane@harbour.example", "Roe, Jane <jane@harbour.example>"} {
		_, err := NewRoll([]Executives{{}, {People: []string{wrong}}})
		if err == nil || !strings.HasPrefix(err.Error(), "executives[1].people[0] = ") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if r, err := NewRoll(nil); r != nil || err != nil {
		t.Error(r, err)
	}
}
