// Package naturalearth embeds the outlines of the world's countries. NOTICE says where they come from.
package naturalearth

import _ "embed"

// World has a line for each country, in fields separated by tabs: code (ISO 3166-1 alpha-2), English name, centre (x and y),
// outline as SVG path data in a box of 1000 x 500; the outline is empty where a dot has to do.
//
//go:embed world.tsv
var World string
