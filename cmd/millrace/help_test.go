package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite docs/cli.md")

const cliDocument = "../../docs/cli.md"

const cliPreface = `# The command line

What ` + "`millrace COMMAND --help`" + ` prints, for every command. This page is made from the program:
` + "`go test ./cmd/millrace -run TestHelp -update`" + `.

Every command that reads takes ` + "`--json`" + ` and prints one JSON value on standard output; its members are a contract. Everything for
people besides the result goes to standard error.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | it failed; the message says what, and what to do |
| 2 | the command line or the configuration is wrong |
| 3 | nothing answers at the address |
`

// helpPages returns the help of the program and of every command, by its path ("dlq ls").
func helpPages(t *testing.T) (paths []string, pages map[string]string) {
	t.Helper()
	parser, err := newParser(&console{}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	pages = map[string]string{}
	for _, leaf := range append([]*kong.Node{parser.Model.Node}, parser.Model.Leaves(true)...) {
		path := strings.TrimSpace(strings.TrimPrefix(leaf.Path(), "millrace"))
		args := append(strings.Fields(path), "--help")
		// Arguments are part of a leaf's path; the help of a command needs none.
		args = withoutArguments(args)
		got := execute(t.Context(), "", args...)
		if got.code != exitDone || got.err != "" {
			t.Fatalf("%v: exit code %d, standard error %q", args, got.code, got.err)
		}
		name := strings.Join(args[:len(args)-1], " ")
		paths = append(paths, name)
		pages[name] = got.out
	}
	return paths, pages
}

func withoutArguments(args []string) []string {
	var kept []string
	for _, arg := range args {
		if !strings.HasPrefix(arg, "<") {
			kept = append(kept, arg)
		}
	}
	return kept
}

func document(paths []string, pages map[string]string) string {
	var text strings.Builder
	text.WriteString(cliPreface)
	for _, path := range paths {
		fmt.Fprintf(&text, "\n## %s\n\n```\n%s```\n", strings.TrimSpace("millrace "+path), pages[path])
	}
	return text.String()
}

// TestHelp_IsDocumented is the golden test of all help, and keeps the document from drifting away from the program.
func TestHelp_IsDocumented(t *testing.T) {
	t.Parallel()
	got := document(helpPages(t))
	if *update {
		if err := os.WriteFile(cliDocument, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(cliDocument)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/cli.md is out of date (-document +program), run: go test ./cmd/millrace -run TestHelp -update\n%s", diff)
	}
}

func TestHelp_TeachesByExample(t *testing.T) {
	t.Parallel()
	paths, pages := helpPages(t)
	for _, path := range paths {
		if !strings.Contains(pages[path], "    millrace "+path) {
			t.Errorf("the help of %q has no example of it", path)
		}
	}
}
