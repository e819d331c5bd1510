package geo

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rempart/message"

	"github.com/nyaruka/phonenumbers"
)

func open(t testing.TB, c Config) *Places {
	t.Helper()
	p, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestNumber(t *testing.T) {
	for _, tt := range []struct {
		home, in string
		want     message.Number
	}{
		{"", "+49 30 901820", message.Number{E164: "+4930901820", Country: "DE", Line: message.FixedLine, Valid: true}},
		{"", "0049 (30) 90-18-20", message.Number{E164: "+4930901820", Country: "DE", Line: message.FixedLine, Valid: true}},
		{"DE", "030/901820", message.Number{E164: "+4930901820", Country: "DE", Line: message.FixedLine, Valid: true}},
		{"DE", "+49 (0)30 901820", message.Number{E164: "+4930901820", Country: "DE", Line: message.FixedLine, Valid: true}},
		{"US", "011 49 30 901820", message.Number{E164: "+4930901820", Country: "DE", Line: message.FixedLine, Valid: true}},
		{"", "030 901820", message.Number{}}, // whose?
		{"GB", "07400 123456", message.Number{E164: "+447400123456", Country: "GB", Line: message.Mobile, Valid: true}},
		{"FR", "0800 123 456", message.Number{E164: "+33800123456", Country: "FR", Line: message.TollFree, Valid: true}},
		{"FR", "+33 1 09 75 83 51", message.Number{E164: "+33109758351", Country: "FR", Line: message.FixedLine, Valid: true}},
		{"AR", "011 15 2345-6789", message.Number{E164: "+5491123456789", Country: "AR", Line: message.Mobile, Valid: true}},
		{"IT", "06 698 12345", message.Number{E164: "+390669812345", Country: "VA", Line: message.FixedLine, Valid: true}},
		{"", "+1 416 555 0123", message.Number{E164: "+14165550123", Country: "CA", Line: message.FixedOrMobile, Valid: true}},
		{"", "+800 1234 5678", message.Number{E164: "+80012345678", Line: message.TollFree, Valid: true}},
		{"", "+49 1", message.Number{}},                               // too short
		{"", "+210 123 4567", message.Number{}},                       // no calling code
		{"", "+1 212 155 0123", message.Number{E164: "+12121550123"}}, // no exchange begins with 1
		{"SA", "\u202A+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧\u202C", message.Number{E164: "+966501234567", Country: "SA", Line: message.Mobile, Valid: true}},
		{"GB", "7726", message.Number{}},
		{"DE", "7726", message.Number{}},
		{"DE", "112", message.Number{}},
		{"US", "911", message.Number{}},
		{"DE", "REMPART", message.Number{}},
		{"DE", "0170x", message.Number{}},
		{"DE", "", message.Number{}},
		{"DE", "+", message.Number{}},
		{"DE", "49+30901820", message.Number{}},
		{"DE", strings.Repeat("9", 40), message.Number{}},
		{"DE", strings.Repeat(" ", 200) + "030901820", message.Number{}},
	} {
		if got := open(t, Config{Home: tt.home}).Number(tt.in); got != tt.want {
			t.Errorf("%s %q: %+v, want %+v", tt.home, tt.in, got, tt.want)
		}
	}
}

// lines are libphonenumber's types.
var lines = map[phonenumbers.PhoneNumberType]message.LineType{
	phonenumbers.FIXED_LINE: message.FixedLine, phonenumbers.MOBILE: message.Mobile, phonenumbers.FIXED_LINE_OR_MOBILE: message.FixedOrMobile,
	phonenumbers.TOLL_FREE: message.TollFree, phonenumbers.PREMIUM_RATE: message.Premium, phonenumbers.SHARED_COST: message.SharedCost,
	phonenumbers.VOIP: message.VoIP, phonenumbers.PERSONAL_NUMBER: message.PersonalNumber, phonenumbers.PAGER: message.Pager,
	phonenumbers.UAN: message.UAN, phonenumbers.VOICEMAIL: message.Voicemail, phonenumbers.UNKNOWN: message.LineUnknown,
}

// library is what libphonenumber says of a number.
func library(s, home string) message.Number {
	n, err := phonenumbers.Parse(s, home)
	if err != nil {
		return message.Number{}
	}
	country := phonenumbers.GetRegionCodeForNumber(n)
	if country == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		country = ""
	}
	return message.Number{E164: phonenumbers.Format(n, phonenumbers.E164), Country: country,
		Line: lines[phonenumbers.GetNumberType(n)], Valid: phonenumbers.IsValidNumber(n)}
}

// TestNumberIsLibphonenumbers makes numbers of every region and type from the expressions of the metadata, right ones and
// ones with a digit wrong, missing or added; with +, with the calling code twice, and as dialled at home with the national
// prefix, the international prefix or none. Every answer is the library's, but for one rule of ours: what has six digits
// or fewer, no + and no assigned range is a short code and not a number.
func TestNumberIsLibphonenumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(164, 2010))
	metadata, err := phonenumbers.MetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	rounds := 3 // 80,000 numbers; with -race the library takes its time
	if testing.Short() {
		rounds = 1
	}
	asked, valid := 0, map[message.LineType]int{}
	for _, m := range metadata.GetMetadata() {
		home := m.GetId()
		if home == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
			home = ""
		}
		p := open(t, Config{Home: home})
		code := strconv.Itoa(int(m.GetCountryCode()))
		for _, national := range nationalNumbers(t, r, m, rounds) {
			forms := []string{"+" + code + national, "+" + code + generate(r, m.GetNationalPrefixForParsing()) + national}
			if home != "" {
				forms = append(forms, national, generate(r, m.GetNationalPrefixForParsing())+national, code+national,
					generate(r, m.GetInternationalPrefix())+code+national, "+"+national)
			}
			for _, s := range forms {
				want := library(s, home)
				if !want.Valid && s[0] != '+' && len(s) <= shortCode {
					want = message.Number{}
				}
				got := p.Number(s)
				if asked++; got != want {
					t.Errorf("home %q, %q: %+v, the library says %+v", home, s, got, want)
				}
				if got.Valid {
					valid[got.Line]++
				}
			}
		}
	}
	t.Logf("%d numbers, assigned of each type: %v", asked, valid)
	for line := message.FixedLine; line <= message.Voicemail; line++ {
		if valid[line] == 0 {
			t.Errorf("no number of type %s was made", line)
		}
	}
}

// nationalNumbers are made from every expression of a region.
func nationalNumbers(t *testing.T, r *rand.Rand, m *phonenumbers.PhoneMetadata, rounds int) (numbers []string) {
	t.Helper()
	for _, d := range []*phonenumbers.PhoneNumberDesc{m.GetGeneralDesc(), m.GetFixedLine(), m.GetMobile(), m.GetTollFree(),
		m.GetPremiumRate(), m.GetSharedCost(), m.GetVoip(), m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail()} {
		if d.GetNationalNumberPattern() == "" {
			continue
		}
		for range rounds {
			s := generate(r, d.GetNationalNumberPattern())
			at := r.IntN(len(s))
			numbers = append(numbers, s, s[:at]+strconv.Itoa(r.IntN(10))+s[at+1:])
			switch r.IntN(4) {
			case 0:
				numbers = append(numbers, s[:at]+s[at+1:])
			case 1:
				numbers = append(numbers, s+strconv.Itoa(r.IntN(10)))
			case 2:
				numbers = append(numbers, m.GetLeadingDigits()+s) // often no number at all
			}
		}
	}
	return slices.DeleteFunc(numbers, func(s string) bool { return strings.Trim(s, "0123456789") != "" || len(s) > 20 })
}

// generate makes a string that an expression matches.
func generate(r *rand.Rand, expr string) string {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	var write func(*syntax.Regexp)
	write = func(re *syntax.Regexp) {
		times := func(least, most int) {
			for range least + r.IntN(most-least+1) {
				write(re.Sub[0])
			}
		}
		switch re.Op {
		case syntax.OpLiteral:
			b.WriteString(string(re.Rune))
		case syntax.OpCharClass:
			pair := 2 * r.IntN(len(re.Rune)/2)
			b.WriteRune(re.Rune[pair] + rune(r.IntN(int(re.Rune[pair+1]-re.Rune[pair])+1)))
		case syntax.OpConcat:
			for _, sub := range re.Sub {
				write(sub)
			}
		case syntax.OpAlternate:
			write(re.Sub[r.IntN(len(re.Sub))])
		case syntax.OpCapture:
			write(re.Sub[0])
		case syntax.OpQuest:
			times(0, 1)
		case syntax.OpStar, syntax.OpPlus:
			times(1, 3)
		case syntax.OpRepeat:
			times(re.Min, re.Max)
		}
	}
	write(re)
	return b.String()
}

func TestOwnPlan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("prefix,country,type\n# an invented land\n+9990,XA,fixed\n+99907,XA,mobile\n+4930,DE,unknown\n+44,GB,voip\n")
	p := open(t, Config{Numbers: path, Home: "DE"})
	for _, tt := range []struct {
		in   string
		want message.Number
	}{
		{"+999 0 123 456", message.Number{E164: "+9990123456", Country: "XA", Line: message.FixedLine, Valid: true}},
		{"+999 07 23 456", message.Number{E164: "+9990723456", Country: "XA", Line: message.Mobile, Valid: true}},
		{"+999 1 123 456", message.Number{}},
		{"030 901820", message.Number{E164: "+4930901820", Country: "DE"}},
		{"+44 (0)20 0000 0000", message.Number{E164: "+442000000000", Country: "GB", Line: message.VoIP, Valid: true}},
		{"0170 1234567", message.Number{E164: "+491701234567", Country: "DE", Line: message.Mobile, Valid: true}},
	} {
		if got := p.Number(tt.in); got != tt.want {
			t.Errorf("%q: %+v, want %+v", tt.in, got, tt.want)
		}
	}
	for text, want := range map[string]error{
		"4930,DE,fixed\n":                 ErrPrefix,
		"+,DE,fixed\n":                    ErrPrefix,
		"+49 30,DE,fixed\n":               ErrPrefix,
		"+4930,de,fixed\n":                ErrCountry,
		"+4930,DE,landline\n":             ErrLineType,
		"+4930,DE,#77\n":                  ErrLineType,
		"+4930,DE,fixed\n+4930,DE,voip\n": ErrPrefixTwice,
	} {
		write(text)
		if _, err := Open(Config{Numbers: path}); !errors.Is(err, want) || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, tt := range []struct {
		config Config
		want   error
	}{
		{Config{Home: "DEU"}, ErrHome},
		{Config{Home: "de"}, ErrHome},
		{Config{IPv6: "/64"}, ErrIPv6},
		{Config{Numbers: filepath.Join(t.TempDir(), "none.csv")}, os.ErrNotExist},
	} {
		if _, err := Open(tt.config); !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v, want %v", tt.config, err, tt.want)
		}
	}
}

func TestEmergency(t *testing.T) {
	for _, tt := range []struct {
		home, in string
		want     bool
	}{
		{"", "112", true}, {"", "15", true}, {"", "1-1-0", true}, {"", "999", true}, {"", "7726", false}, {"", "", false},
		{"DE", "112", true}, {"DE", "110", true}, {"DE", "911", true}, {"DE", "15", false}, {"DE", "+112", false}, {"DE", "1120", false},
		{"FR", "15", true}, {"FR", "17", true}, {"GB", "999", true}, {"US", "112", true}, {"US", "999", false},
	} {
		if got := open(t, Config{Home: tt.home}).Emergency(tt.in); got != tt.want {
			t.Errorf("%s %q: %t", tt.home, tt.in, got)
		}
	}
}

// What has up to three digits, and some of four, is an emergency number where the library says so.
func TestEmergencyIsLibphonenumbers(t *testing.T) {
	somewhere := map[string]bool{}
	for region := range phonenumbers.GetSupportedRegions() {
		p := open(t, Config{Home: region})
		for n := range 1000 {
			for _, first := range []string{"", "1"} {
				s := first + strconv.Itoa(n)
				want := phonenumbers.IsEmergencyNumber(s, region)
				somewhere[s] = somewhere[s] || want
				if got := p.Emergency(s); got != (want || s == "112" || s == "911") {
					t.Errorf("%s %s: %t", region, s, got)
				}
			}
		}
	}
	p := open(t, Config{})
	for s, want := range somewhere {
		if got := p.Emergency(s); got != want {
			t.Errorf("%s: %t", s, got)
		}
	}
}

// Reading a number never panics, and what it reads reads as itself.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"+49 30 901820", "0049", "011 15 2345-6789", "+", "1", "\u202A+٩٦٦", "+800 1234 5678", "180020"} {
		f.Add(s, "DE")
		f.Add(s, "AR")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, s, home string) {
		p, err := Open(Config{Home: home})
		if err != nil {
			t.Skip()
		}
		n := p.Number(s)
		if n.E164 == "" && n != (message.Number{}) {
			t.Fatalf("%q: %+v without a number", s, n)
		}
		if n.Valid {
			if again := open(t, Config{}).Number(n.E164); again.E164 != n.E164 && library(n.E164, "").E164 == n.E164 {
				t.Fatalf("%q: %+v, read again %+v", s, n, again)
			}
		}
		p.Emergency(s)
	})
}

func TestLiteralsOfEditsFit(t *testing.T) {
	for i, e := range edits {
		if len(e.literal) > maxLiteral || e.to < e.from || strings.Trim(e.literal, "0123456789") != "" {
			t.Errorf("edit %d: %+v", i, e)
		}
	}
}

func BenchmarkNumber(b *testing.B) {
	for _, bb := range []struct{ name, home, number string }{
		{"international", "", "+49 30 901820"}, {"national", "DE", "030 901820"}, {"argentina", "AR", "011 15 2345-6789"}, {"unassigned", "US", "+1 212 155 0123"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			p := open(b, Config{Home: bb.home})
			b.ReportAllocs()
			for b.Loop() {
				p.Number(bb.number)
			}
		})
	}
}

func BenchmarkEmergency(b *testing.B) {
	p := open(b, Config{Home: "DE"})
	b.ReportAllocs()
	for b.Loop() {
		p.Emergency("112")
	}
}
