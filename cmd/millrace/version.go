package main

import (
	"regexp"
	"runtime/debug"
)

// version is set by the linker to what `git describe` says; see the Makefile. The linker can set nothing but a global.
var version string

type versionCommand struct {
	JSON bool `help:"Print one JSON object."`
}

// Help shows how to use it.
func (versionCommand) Help() string {
	return `Prints the version, the commit it was built from and the Go version.

    millrace version --json`
}

// build is what this binary was built from.
type build struct {
	Version string `json:"version"`
	// Commit is empty when the binary was built outside a repository.
	Commit string `json:"commit"`
	Go     string `json:"go"`
}

// Run prints the version.
func (v *versionCommand) Run(c *console) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	built := buildOf(version, info)
	if v.JSON {
		return c.printJSON(built)
	}
	c.print("millrace %s", built)
	return nil
}

// described takes the commit out of what `git describe --tags --always --dirty` says: "v1.2.0-3-g5f1c2ab-dirty", "5f1c2ab".
var described = regexp.MustCompile(`(?:^|-g)([0-9a-f]{7,40})(?:-dirty)?$`)

// buildOf joins what the linker was told with what the Go tool wrote down; `go install` leaves only the latter.
func buildOf(linked string, info *debug.BuildInfo) build {
	built := build{Version: linked, Go: info.GoVersion}
	if match := described.FindStringSubmatch(linked); match != nil {
		built.Commit = match[1]
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			built.Commit = setting.Value
		}
	}
	if built.Version == "" {
		built.Version = info.Main.Version
	}
	if built.Version == "" {
		built.Version = "(devel)"
	}
	return built
}

// String is "v1.2.3 commit 0123abc (go1.26.0)".
func (b build) String() string {
	s := b.Version
	if b.Commit != "" && b.Commit != b.Version {
		s += " commit " + b.Commit
	}
	return s + " (" + b.Go + ")"
}
