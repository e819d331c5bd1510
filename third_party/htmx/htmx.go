// Package htmx embeds the script that refreshes parts of the console's pages. NOTICE says where it comes from.
package htmx

import _ "embed"

// Script is htmx.min.js.
//
//go:embed htmx.min.js
var Script []byte
