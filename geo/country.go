package geo

import (
	"strings"
	"sync"

	"rempart/third_party/cldr"
)

// CountryName is what a country (ISO 3166-1 alpha-2) is called in English, "" if there is no such country.
func CountryName(code string) string { return countryNames()[code] }

// countryNames are the English ones; the file has those of all six languages of the United Nations.
var countryNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	for line := range strings.Lines(cldr.Countries) {
		if code, rest, ok := strings.Cut(line, "\t"); ok && len(code) == 2 {
			names[code], _, _ = strings.Cut(rest, "\t")
		}
	}
	return names
})
