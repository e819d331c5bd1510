package node

import _ "embed"

//go:generate go run rempart/tools/configdoc example.toml ../docs/configuration.md

// ExampleConfig is a configuration with every key, its manual and its default, made from the doc comments.
//
//go:embed example.toml
var ExampleConfig string
