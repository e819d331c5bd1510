package file

import (
	"bytes"
	"image"
	"image/draw"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode/detector"
)

// Caps of pictures that are looked at for a code: a phone reads it from the screen, so it is large and the picture is not.
const (
	MaxPicture   = 512 << 10 // bytes
	maxPixels    = 1 << 20
	halvedPixels = 1 << 18 // from here on half the width and height are enough, and take a quarter of the time
	minSide      = 21      // pixels, of the smallest code: ISO/IEC 18004 version 1
	maxScans     = 64      // of a JPEG, each of which walks the whole picture; programs write 10
	maxCentres   = 200     // of what are corners: the search takes the cube of their number
	maxCorners   = 1000    // rows across what may be a corner: a full code of version 30 has 900
)

// Code returns the text of the QR code (ISO/IEC 18004) in a picture, also of one in light on dark; "" if there is none that can
// be read. PNG, JPEG and GIF are read. Looked is false for what can hold none by its size or format, which costs next to nothing.
func Code(picture []byte) (text string, looked bool) {
	if len(picture) > MaxPicture {
		return "", false
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(picture))
	if err != nil || min(c.Width, c.Height) < minSide || max(c.Width, c.Height) > maxPixels || c.Width*c.Height > maxPixels {
		return "", false
	}
	if format == "jpeg" && bytes.Count(picture, []byte(startOfScan)) > maxScans {
		return "", false
	}
	img, _, err := image.Decode(bytes.NewReader(picture))
	if err != nil {
		return "", true
	}
	src := gozxing.NewLuminanceSourceFromImage(onWhite(img))
	for _, s := range []gozxing.LuminanceSource{src, src.Invert()} {
		bits, err := gozxing.NewBinaryBitmap(gozxing.NewHybridBinarizer(s))
		if err != nil || crowded(bits) {
			continue
		}
		if r, err := qrcode.NewQRCodeReader().Decode(bits, nil); err == nil {
			return r.GetText(), true
		}
	}
	return "", true
}

// startOfScan is the marker before each scan of a JPEG (ITU-T T.81 annex B); the data of a scan never hold it.
const startOfScan = "\xff\xda"

// crowded reports more rows than [maxCorners] whose runs of dark and light stand as in the corner of a code, 1, 1, 3, 1, 1, or
// more corners than [maxCentres] that stand so down and aslant too: one row is enough for a corner made to be found.
func crowded(bits *gozxing.BinaryBitmap) bool {
	m, err := bits.GetBlackMatrix()
	if err != nil {
		return false // nor will it be read
	}
	rows, width := 0, m.GetWidth()
	finder := detector.NewFinderPatternFinder(m, nil)
	for y := range m.GetHeight() {
		runs, dark := make([]int, 5), false
		for x := 0; x <= width; x++ {
			if now := x < width && m.Get(x, y); now != dark {
				if dark && detector.FinderPatternFinder_foundPatternCross(runs) {
					rows++
					finder.HandlePossibleCenter(runs, y, x)
				}
				if rows > maxCorners || len(finder.GetPossibleCenters()) > maxCentres {
					return true
				}
				copy(runs, runs[1:])
				runs[4], dark = 0, now
			}
			runs[4]++
		}
	}
	return false
}

// onWhite is the picture in grey as a mail program shows it: what is transparent lies on white. A large one is halved.
func onWhite(img image.Image) image.Image {
	b := img.Bounds()
	shown := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(shown, shown.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(shown, shown.Rect, img, b.Min, draw.Over)
	step := 1
	if b.Dx()*b.Dy() > halvedPixels {
		step = 2
	}
	grey := image.NewGray(image.Rect(0, 0, b.Dx()/step, b.Dy()/step))
	for i := range grey.Pix {
		x, y, sum := i%grey.Stride*step, i/grey.Stride*step, 0
		for j := range step * step {
			p := shown.Pix[shown.PixOffset(x+j%step, y+j/step):][:3]
			sum += (299*int(p[0]) + 587*int(p[1]) + 114*int(p[2])) / 1000
		}
		grey.Pix[i] = uint8(sum / (step * step))
	}
	return grey
}
