package wire

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(t, "raw")
		u := rapid.Uint64Min(1).Draw(t, "u")
		i := rapid.Int64().Draw(t, "i")
		f := rapid.Float64().Draw(t, "f")
		b := AppendRecord([]byte{9, 9}, 1, func(b []byte) []byte {
			b = AppendBytes(b, 2, raw)
			b = AppendUint(b, 300, u)
			b = AppendInt(b, 4, i)
			return AppendFloat(b, 5, f)
		})
		b = AppendString(b, 6, "after")
		var seen int
		err := Fields(b[2:], func(tag Tag, c Content) error {
			if tag == 6 && c.String() == "after" {
				seen++
			}
			if tag != 1 {
				return nil
			}
			return Fields(c, func(tag Tag, c Content) error {
				ok := true
				switch tag {
				case 2:
					ok = bytes.Equal(c, raw)
				case 300:
					ok = c.Uint() == u
				case 4:
					ok = c.Int() == i
				case 5:
					ok = math.Float64bits(c.Float()) == math.Float64bits(f)
				}
				if !ok {
					t.Fatalf("tag %d read back as %x", tag, []byte(c))
				}
				seen++
				return nil
			})
		})
		want := 5
		if i == 0 {
			want--
		}
		if f == 0 {
			want--
		}
		if err != nil || seen != want {
			t.Fatalf("err %v, %d of %d fields", err, seen, want)
		}
	})
}

func TestDamaged(t *testing.T) {
	whole := AppendString(nil, 1, "sixteen letters.")
	for n := 1; n < len(whole); n++ {
		if err := Fields(whole[:n], func(Tag, Content) error { return nil }); !errors.Is(err, ErrShort) {
			t.Errorf("cut at %d: %v, want ErrShort", n, err)
		}
	}
}

func FuzzFields(f *testing.F) {
	f.Add(AppendString(nil, 1, "text"))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		_ = Fields(b, func(_ Tag, c Content) error { total += len(c); _ = c.Uint(); return nil })
		if total > len(b) {
			t.Fatalf("%d bytes of content in a record of %d", total, len(b))
		}
	})
}
