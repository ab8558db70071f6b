package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/internal/check/repo"
)

func TestImportMap_InContributingIsWhatExists(t *testing.T) {
	t.Parallel()
	root, err := repo.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g, err := load(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		t.Fatal(err)
	}
	got, err := block(string(text))
	if err != nil {
		t.Fatal(err)
	}
	gone, missing := difference(got, g.String()), difference(g.String(), got)
	for _, line := range gone {
		t.Errorf("%s draws what does not exist: %s", document, line)
	}
	for _, line := range missing {
		t.Errorf("%s does not draw: %s", document, line)
	}
	if got != g.String() {
		t.Error("run make imports")
	}
}

// difference returns the lines of a that b has not.
func difference(a, b string) []string {
	known := make(map[string]bool)
	for line := range strings.Lines(b) {
		known[line] = true
	}
	var only []string
	for line := range strings.Lines(a) {
		if !known[line] {
			only = append(only, strings.TrimSpace(line))
		}
	}
	return only
}

func TestGraph_String_DrawsTheProductImportersFirst(t *testing.T) {
	t.Parallel()
	const m = repo.Module + "/"
	g := parse([]string{
		m + "pkg/batch fmt " + m + "pkg/event",
		m + "pkg/event time",
		m + "functions/flush " + m + "pkg/queue " + m + "pkg/batch",
		m + "tests/arch " + m + "internal/check/repo",
		m + "pkg/queue github.com/aws/aws-sdk-go-v2/aws " + m + "pkg/batch",
	})
	const want = `functions/flush -> pkg/batch, pkg/queue
pkg/queue -> pkg/batch
pkg/batch -> pkg/event
pkg/event
`
	if got := g.String(); got != want {
		t.Errorf("String() =\n%s\nwant\n%s", got, want)
	}
}

func TestReplaceBlock_KeepsWhatStandsAround(t *testing.T) {
	t.Parallel()
	text, err := replaceBlock("above\n"+begin+fence+"old\n"+fence+end+"\nbelow\n", "new\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := "above\n" + begin + fence + "new\n" + fence + end + "\nbelow\n"; text != want {
		t.Errorf("replaceBlock() = %q, want %q", text, want)
	}
	if got, err := block(text); got != "new\n" || err != nil {
		t.Errorf("block() = %q, %v, want the new map", got, err)
	}
}

func TestReplaceBlock_WithoutMarkers(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", begin, end, begin + fence} {
		if _, err := replaceBlock(text, "new\n"); err == nil {
			t.Errorf("replaceBlock(%q) gave no error", text)
		}
		if _, err := block(text); err == nil {
			t.Errorf("block(%q) gave no error", text)
		}
	}
}
