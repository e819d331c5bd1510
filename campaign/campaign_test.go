package campaign

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"rempart/message"
)

const offer = `Dear customer, your parcel 4471 is waiting at our depot in Harbour Street. The delivery fee of 2.99 was not paid.
Please confirm your address within 24 hours and settle the amount, or the parcel will be returned to the sender. You can
choose another day of delivery on the page below, or collect it yourself with a document that shows who you are.`

const letter = `Hi Ann, thanks for the notes of the meeting. I have put the budget into the shared folder and marked what is
still open: the travel of the two students, the second projector, and the printing of the posters. Could you ask Ben
whether his group needs the large room on Thursday? Otherwise I would give it to the choir, who asked again yesterday.`

func TestNearCopies(t *testing.T) {
	first := sum(t, offer)
	half := len(offer) / 2
	for _, tt := range []struct {
		name string
		text string
		near bool
	}{
		{"same", offer, true},
		{"other numbers", strings.NewReplacer("4471", "9082", "2.99", "1.49", "24", "48").Replace(offer), true},
		{"shouted, respaced", strings.ToUpper(strings.ReplaceAll(offer, " ", "  ")), true},
		{"halves swapped", offer[half:] + " " + offer[:half], true},
		{"a line inserted", offer + " Reference for your files: blue heron, seven lamps.", true},
		{"another letter", letter, false},
	} {
		d := sum(t, tt.text)
		if got := first.Distance(d) <= Near; got != tt.near {
			t.Errorf("%s: distance %d, near %v, want %v", tt.name, first.Distance(d), got, tt.near)
		}
	}
}

func TestShortTextHasNoDigest(t *testing.T) {
	for _, text := range []string{"", "ok", "see you at eight", "................................................"} {
		if _, ok := Sum(text); ok {
			t.Errorf("%q has a digest", text)
		}
	}
}

func TestBook(t *testing.T) {
	b := NewBook()
	b.Teach(sum(t, letter), "", "letter", message.Ham, message.CategoryNone, message.Forget)
	b.Teach(sum(t, offer), "village", "offer", message.Spam, message.Phishing, message.Forget)
	copyOf := sum(t, strings.Replace(offer, "4471", "1234", 1)+" Thank you.")
	if n := b.Nearest(copyOf, "village"); n.Label != message.Spam || n.Campaign != "offer" || n.Category != message.Phishing || n.State != message.StatePresent {
		t.Errorf("a near copy is seen as %+v", n)
	}
	if n := b.Nearest(copyOf, "town"); n.State != message.StateAbsent {
		t.Errorf("another tenant's lesson is seen: %+v", n)
	}
	b.Teach(sum(t, offer), "village", "offer", message.Ham, message.CategoryNone, message.Spam)
	if n := b.Nearest(copyOf, "village"); n.Label != message.Ham || b.Len() != 2 {
		t.Errorf("after the correction: %+v, %d digests", n, b.Len())
	}
}

// Every bit of a digest is in a band or the four left over, and each band finds what it holds.
func TestNearestFindsWithinHalf(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := NewBook()
	var taught []Digest
	for range 2000 {
		d := Digest{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()}
		taught = append(taught, d)
		b.Teach(d, "", "x", message.Spam, message.Scam, message.Forget)
	}
	missed := 0
	for _, d := range taught {
		for range Near / 2 {
			bit := r.IntN(256)
			d[bit/64] ^= 1 << (bit % 64)
		}
		if b.Nearest(d, "").State != message.StatePresent {
			missed++
		}
	}
	if missed > 20 { // 99.9 % expected at half the distance
		t.Errorf("%d of 2000 not found at distance %d", missed, Near/2)
	}
}

func TestBytes(t *testing.T) {
	d := sum(t, offer)
	again, ok := FromBytes(d.Bytes())
	if !ok || again != d {
		t.Error("a digest changed on its way through bytes")
	}
	if _, ok := FromBytes(bytes.Repeat([]byte{1}, 31)); ok {
		t.Error("31 bytes were taken for a digest")
	}
}

func sum(t testing.TB, text string) Digest {
	t.Helper()
	d, ok := Sum(text)
	if !ok {
		t.Fatalf("no digest for %q", text)
	}
	return d
}

func BenchmarkSum(b *testing.B) {
	for name, text := range map[string]string{"text": offer[:160], "mail": strings.Repeat(letter+offer, 8)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Sum(text)
			}
		})
	}
}

// Counting eight at a time counts as one by one.
func TestCounter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 70 {
		var c counter
		var counts [256]int
		for range n {
			h := r.Uint64()
			c.held[c.n%8] = h
			if c.n++; c.n%8 == 0 {
				c.flush(8)
			}
			for w := range 4 {
				h = (h ^ h>>31) * 0x94d049bb133111eb
				for bit := range 64 {
					counts[64*w+bit] += int((h ^ h>>33) >> bit & 1)
				}
			}
		}
		d := c.majority()
		for i, count := range counts {
			if got, want := d[i/64]>>(i%64)&1 == 1, count > n/2; got != want {
				t.Fatalf("%d hashes: bit %d is %v, counted %d times", n, i, got, count)
			}
		}
	}
}
