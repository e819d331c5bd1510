// Package ipdata embeds tables of addresses: which network announces them, what the network is called, in which country
// they are. NOTICE says where they come from; package geo unpacks them.
package ipdata

import _ "embed"

// Networks are two tables of package ranges, of IPv4 and of IPv6: AS numbers.
//
//go:embed networks.zst
var Networks []byte

// Countries are a list of country codes, and two tables of places in it.
//
//go:embed countries.zst
var Countries []byte

// Names are AS numbers and what their networks are called.
//
//go:embed names.zst
var Names []byte
