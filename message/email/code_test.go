package email

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"rempart/message"
)

func codePicture(t *testing.T, text string) string {
	t.Helper()
	bits, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, 150, 150, nil)
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewGray(image.Rect(0, 0, 150, 150))
	for i := range img.Pix {
		img.SetGray(i%150, i/150, color.Gray{255})
		if bits.Get(i%150, i/150) {
			img.SetGray(i%150, i/150, color.Gray{0})
		}
	}
	return inBase64(t, img)
}

func emptyPicture(t *testing.T, width, height int) string {
	t.Helper()
	return inBase64(t, image.NewGray(image.Rect(0, 0, width, height)))
}

func inBase64(t *testing.T, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// A code in a short mail is a link of it, attached or in the markup.
func TestCodes(t *testing.T) {
	pictures := func(text string, all ...string) string {
		mail := "From: a@b.example\nContent-Type: multipart/related; boundary=b\n\n--b\n\n" + text
		for _, p := range all {
			mail += "\n--b\nContent-Type: image/png\nContent-ID: <1>\nContent-Transfer-Encoding: base64\n\n" + p
		}
		return mail + "\n--b--\n"
	}
	attached := func(text, code string) string { return pictures(text, codePicture(t, code)) }
	code, icon, line, logo := codePicture(t, "https://pay.example/a"), emptyPicture(t, 1, 1), emptyPicture(t, 600, 2), emptyPicture(t, 90, 60)
	for name, tt := range map[string]struct{ mail, host string }{
		"attached":      {attached("Scan to keep your mailbox", "https://pay.example/a"), "pay.example"},
		"without http":  {attached("Scan to keep your mailbox", "pay.example/a"), "pay.example"},
		"in the markup": {"Content-Type: text/html\n\n<p>Scan</p><img src=\"data:image/png;base64," + codePicture(t, "HTTPS://PAY.EXAMPLE/A") + "\">", "pay.example"},
		"after icons":   {pictures("Scan", icon, icon, line, line, logo, code), "pay.example"},
		"after icons in the markup": {"Content-Type: text/html\n\n<p>Scan</p>" + strings.Repeat("<img src=\"data:image/png;base64,"+icon+"\">", 5) +
			"<img src=\"data:image/png;base64," + code + "\">", "pay.example"},
		"the third":  {pictures("Scan", logo, code, codePicture(t, "https://b.example")), "pay.example"},
		"no address": {attached("Scan for our Wi-Fi", "WIFI:T:WPA;S:guests;;"), ""},
		"long text":  {attached(strings.Repeat("Many words about the picture. ", 100), "https://pay.example/a"), ""},
	} {
		got := ""
		for _, l := range ParseBytes([]byte(tt.mail)).Links {
			if l.Kind == message.LinkCode {
				got += l.Host
			}
		}
		if got != tt.host {
			t.Errorf("%s: %q, want %q", name, got, tt.host)
		}
	}
}
