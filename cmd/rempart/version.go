package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"rempart/filter"
)

// version is set by the linker for a release (-X main.version=1.2.3).
var version = "devel"

type versionCmd struct{}

// Run prints what a bug report needs.
func (versionCmd) Run(e *env) error {
	fmt.Fprintf(e.stdout, "rempart %s (%s, %s/%s, model %s)\n", version, goVersion(), runtime.GOOS, runtime.GOARCH, filter.Version())
	return nil
}

func goVersion() string {
	if b, ok := debug.ReadBuildInfo(); ok {
		return b.GoVersion
	}
	return runtime.Version()
}
