package main

import (
	"runtime/debug"
)

type versionCommand struct {
	JSON bool `help:"Print one JSON object."`
}

// Help shows how to use it.
func (versionCommand) Help() string {
	return `Prints the module version, the commit it was built from and the Go version.

    millrace version --json`
}

// version is what this binary was built from.
type version struct {
	Version string `json:"version"`
	// Commit is empty when the binary was built outside a repository.
	Commit string `json:"commit"`
	// Modified says that the tree had changes that are not in Commit.
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
}

// Run prints the version.
func (v *versionCommand) Run(c *console) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	built := versionOf(info)
	if v.JSON {
		return c.printJSON(built)
	}
	c.print("millrace %s", built)
	return nil
}

func versionOf(info *debug.BuildInfo) version {
	built := version{Version: info.Main.Version, Go: info.GoVersion}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			built.Commit = setting.Value
		case "vcs.modified":
			built.Modified = setting.Value == "true"
		}
	}
	if built.Version == "" {
		built.Version = "(devel)"
	}
	return built
}

// String is "v1.2.3 commit 0123abc, modified (go1.26.0)".
func (v version) String() string {
	s := v.Version
	if v.Commit != "" {
		s += " commit " + v.Commit
	}
	if v.Modified {
		s += ", modified"
	}
	return s + " (" + v.Go + ")"
}
