package aggregate

import (
	"fmt"
	"math"
	"net/mail"
	"slices"
	"strings"
	"testing"
)

func TestDestinations(t *testing.T) {
	many := ""
	for i := range 30 {
		many += fmt.Sprintf("mailto:d%d@a.example,", i)
	}
	for rua, want := range map[string]string{
		"mailto:d@a.example": "d@a.example",
		" mailto:d@a.example!10m , MAILTO:reports+1@B.Example.!512k": "d@a.example 10485760, reports+1@b.example 524288",
		"mailto:d@a.example!50":                                 "d@a.example 50",
		"mailto:d@a.example!2T,mailto:e@a.example!9999999999t":  "d@a.example 2199023255552, e@a.example",
		"mailto:d@bücher.example":                               "d@xn--bcher-kva.example",
		"mailto:d%21m@a.example?subject=x%0d%0aBcc:%20e@f":      "d!m@a.example",
		"mailto:d@a.example,mailto:d@A.example":                 "d@a.example", // once
		"https://a.example/r,mailto:d@a.example":                "d@a.example",
		"mailto:d@a.example!,mailto:d@a.example!m":              "",
		"mailto:d@a.example!-1m,mailto:d@a.example!1.5m":        "",
		"mailto:,mailto:@a.example,mailto:d@,d@a.example,":      "",
		"mailto:d@localhost,mailto:d@[192.0.2.1]":               "",
		"mailto:d%0d%0aRCPT%20TO:%3Ce@f.example%3E@a.example":   "",
		"mailto:d@a.example%0d%0aBcc:%20e@f.example":            "",
		`mailto:%22d%20e%22@a.example,mailto:d%2Ce@a.example`:   "",
		"mailto:d@e@a.example,mailto:..@a.example,mailto:%zz@a": "",
		"mailto:" + strings.Repeat("d", 65) + "@a.example":      "",
		"mailto:\xff@a.example,mailto:é@a.example":              "",
		"mailto:d@a.example" + strings.Repeat(" ", maxRUA):      "",
		strings.Repeat("x,", maxURIs) + "mailto:d@a.example":    "", // too far back
		many: "d0@a.example, d1@a.example, d2@a.example, d3@a.example, d4@a.example",
		"":   "",
	} {
		var got []string
		for _, d := range destinations(rua) {
			text := d.address
			if d.limit != math.MaxInt {
				text += fmt.Sprint(" ", d.limit)
			}
			got = append(got, text)
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%q: %s, want %s", rua, text, want)
		}
	}
}

// Whatever a domain publishes, what comes out is a few plain addresses.
func FuzzDestinations(f *testing.F) {
	for _, s := range []string{"mailto:d@a.example!10m, mailto:e@b.example", "mailto:d%0d%0a@a.example", "https://a.example", "mailto:d@xn--a.example!1t"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, rua string) {
		list := destinations(rua)
		if len(list) > maxDestinations {
			t.Fatalf("%d", len(list))
		}
		for i, d := range list {
			a, err := mail.ParseAddress("<" + d.address + ">")
			if err != nil || a.Address != d.address || d.limit < 0 || !strings.HasSuffix(d.address, "@"+d.host) || strings.ContainsAny(d.address, "\r\n\x00 <>\"(),;:\\") {
				t.Fatalf("%+v: %v", d, err)
			}
			if slices.Index(list, d) != i {
				t.Fatalf("%+v twice", d)
			}
		}
	})
}
