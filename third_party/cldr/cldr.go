// Package cldr embeds the names of countries. NOTICE says where they come from.
package cldr

import _ "embed"

// Countries has a comment line, a line of headings (code, and the languages), and a line for each country, in fields
// separated by tabs.
//
//go:embed countries.tsv
var Countries string
