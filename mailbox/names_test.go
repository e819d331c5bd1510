package mailbox

import "testing"

// A letter of the delimiter that names have, too, cuts no name that a table has as a whole, none that a table leads to in another
// domain but for the extension it took over, and no account's.
func TestDelimiterInNames(t *testing.T) {
	all := tables(t, "+-", `
ann@b.example          ann@b.example
ann-marie@b.example    ann-marie@b.example
eva-maria@b.example    ann@b.example, ann-marie@b.example
boss@b.example         jean-luc@else.example
own-luc@b.example      jean-luc@else.example
web@b.example          www-data
all@b.example          jean-luc+all@b.example
loop-1@b.example       loop-2@b.example
loop-2@b.example       loop-1@b.example
@c.example             @else.example
`)
	for _, tt := range []struct {
		address, want string
		known         bool
	}{
		{"ann@b.example", "ann@b.example", true},
		{"Ann-Marie@b.example", "ann-marie@b.example", true},
		{"ann-shop@b.example", "ann@b.example", true},
		{"ann+a-b@b.example", "ann@b.example", true},
		{"eva-maria@b.example", "eva-maria@b.example", true},
		{"boss@b.example", "jean-luc@else.example", true},
		{"boss+x@b.example", "jean-luc@else.example", true},
		{"boss-luc@b.example", "jean-luc@else.example", true},
		{"own-luc@b.example", "jean-luc@else.example", true},
		{"web@b.example", "www-data", true},
		{"all@b.example", "jean@b.example", true},
		{"loop-1@b.example", "loop-1@b.example", true},
		{"kim+x@c.example", "kim@else.example", true},
		{"no-body@b.example", "no@b.example", false},
		{"jean-luc@else.example", "jean@else.example", false},
	} {
		if got, known, err := all.Mailbox(t.Context(), tt.address); err != nil || got != tt.want || known != tt.known {
			t.Errorf("%s: %q, known %v, %v, want %q, %v", tt.address, got, known, err, tt.want, tt.known)
		}
	}
	none, err := New(Config{Delimiter: "+"}, discard())
	if err != nil {
		t.Fatal(err)
	}
	if got, known, err := none.Mailbox(t.Context(), "ann+x@b.example"); err != nil || got != "ann@b.example" || !known {
		t.Errorf("without tables: %q, known %v, %v", got, known, err)
	}
}
