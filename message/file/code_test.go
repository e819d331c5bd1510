package file

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// picture draws a code; on and off are the colours of its modules.
func picture(t testing.TB, text string, size int, on, off color.Color) []byte {
	t.Helper()
	bits, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, size, size, nil)
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			img.Set(x, y, off)
			if bits.Get(x, y) {
				img.Set(x, y, on)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCode(t *testing.T) {
	const url = "https://pay.example/q?id=1"
	for name, b := range map[string][]byte{
		"dark on light":       picture(t, url, 200, color.Black, color.White),
		"light on dark":       picture(t, url, 200, color.White, color.Black),
		"dark on transparent": picture(t, url, 300, color.Black, color.NRGBA{}),
		"large":               picture(t, url, 900, color.Black, color.White),
		"in colour":           picture(t, url, 300, color.NRGBA{20, 30, 120, 255}, color.NRGBA{250, 240, 200, 255}),
	} {
		if got, looked := Code(b); got != url || !looked {
			t.Errorf("%s: %q", name, got)
		}
	}
	var plain, large, line bytes.Buffer
	if err := png.Encode(&plain, image.NewGray(image.Rect(0, 0, 100, 100))); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&large, image.NewGray(image.Rect(0, 0, 1<<11, 1<<11))); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&line, image.NewGray(image.Rect(0, 0, 600, 20))); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		b      []byte
		looked bool
	}{
		"no code":    {plain.Bytes(), true},
		"too large":  {large.Bytes(), false},
		"too narrow": {line.Bytes(), false},
		"cut":        {picture(t, url, 200, color.Black, color.White)[:100], true},
		"no picture": {[]byte("GIF89a"), false},
	} {
		if got, looked := Code(tt.b); got != "" || looked != tt.looked {
			t.Errorf("%s: %q, looked %v", name, got, looked)
		}
	}
}

// A picture full of corners is not searched, for it would take the cube of their number; full codes are.
func TestCrowded(t *testing.T) {
	corners, thin := image.NewGray(image.Rect(0, 0, 510, 510)), image.NewGray(image.Rect(0, 0, 510, 510))
	for i := range corners.Pix {
		x, y := i%510%16-3, i/510%16-3 // from the middle of one
		if ring := max(x, -x, y, -y); ring > 3 || ring == 2 {
			corners.Pix[i] = 255
		}
		if thin.Pix[i] = corners.Pix[i]; i/510 > 480 || max(x, -x) == 3 && max(y, -y) == 1 {
			thin.Pix[i] = 255 // only the middle row is a corner's
		}
	}
	read := func(img image.Image) bool {
		bits, err := gozxing.NewBinaryBitmap(gozxing.NewHybridBinarizer(gozxing.NewLuminanceSourceFromImage(onWhite(img))))
		if err != nil {
			t.Fatal(err)
		}
		return crowded(bits)
	}
	if !read(corners) || !read(thin) {
		t.Error("a thousand corners are not many")
	}
	for version, length := range map[int]int{25: 1200, 30: 1700} {
		r := rand.New(rand.NewPCG(1, uint64(version)))
		text := []byte("https://pay.example/q?")
		for len(text) < length {
			text = append(text, "abcdefghijklmnopqrstuvwxyz0123456789"[r.IntN(36)])
		}
		for _, size := range []int{400, 510, 760, 1020} {
			b := picture(t, string(text), size, color.Black, color.White)
			img, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if read(img) {
				t.Errorf("a code of version %d is taken for a crowd at %d pixels", version, size)
			}
			if got, _ := Code(b); size == 510 && got != string(text) {
				t.Errorf("a code of version %d is not read at %d pixels", version, size)
			}
		}
	}
}

// A JPEG of more scans than programs write is not decoded: each scan costs as much as the whole picture.
func TestManyScans(t *testing.T) {
	const url = "https://pay.example/q?id=1"
	img, err := png.Decode(bytes.NewReader(picture(t, url, 70, color.Black, color.White))) // small, so that all scans together are below MaxPicture
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b.Bytes(), []byte(startOfScan))
	head, scan, end := b.Bytes()[:at], b.Bytes()[at:b.Len()-2], b.Bytes()[b.Len()-2:]
	for scans, want := range map[int]string{1: url, maxScans: url, maxScans + 1: ""} {
		if got, _ := Code(slices.Concat(head, bytes.Repeat(scan, scans), end)); got != want {
			t.Errorf("%d scans: %q, want %q", scans, got, want)
		}
	}
}

// FuzzCode: no picture makes it fail.
func FuzzCode(f *testing.F) {
	f.Add(picture(f, "https://pay.example", 60, color.Black, color.White))
	f.Add([]byte("GIF89a\x20\x00\x20\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if text, _ := Code(b); len(text) > 8<<10 {
			t.Fatal("longer than a code can be")
		}
	})
}

// FuzzModules: no code makes it fail, whatever its modules say.
func FuzzModules(f *testing.F) {
	f.Add("https://pay.example", []byte{7, 100, 3})
	f.Fuzz(func(t *testing.T, text string, flips []byte) {
		bits, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, 1, 1, nil)
		if err != nil || len(text) > 200 {
			return
		}
		const scale = 3
		img := image.NewGray(image.Rect(0, 0, scale*bits.GetWidth(), scale*bits.GetHeight()))
		for i := 0; i+1 < len(flips); i += 2 {
			bits.Flip(int(flips[i])%bits.GetWidth(), int(flips[i+1])%bits.GetHeight())
		}
		for i := range img.Pix {
			if !bits.Get(i%img.Stride/scale, i/img.Stride/scale) {
				img.Pix[i] = 255
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		ascii := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0 // else the charset is a guess
		if got, _ := Code(b.Bytes()); len(flips) == 0 && ascii && got != text && got != "" {
			t.Fatalf("%q is read as %q", text, got)
		}
	})
}

func BenchmarkCode(b *testing.B) {
	p := picture(b, "https://pay.example/q?id=1", 1000, color.Black, color.White)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if text, _ := Code(p); text == "" {
			b.Fatal("not read")
		}
	}
}
