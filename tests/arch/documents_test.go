package arch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependencies_EachHasItsRow keeps docs/dependencies.md the truth: a row for every
// direct dependency in its version, and for nothing else.
func TestDependencies_EachHasItsRow(t *testing.T) {
	t.Parallel()
	want := directDependencies(t)
	got := dependencyRows(t)
	for path, version := range want {
		switch documented, found := got[path]; {
		case !found:
			t.Errorf("docs/dependencies.md has no row for %s", path)
		case documented != version:
			t.Errorf("docs/dependencies.md has %s at %s, go.mod has %s", path, documented, version)
		}
	}
	for path := range got {
		if _, found := want[path]; !found {
			t.Errorf("docs/dependencies.md has a row for %s, which go.mod does not require directly", path)
		}
	}
}

func directDependencies(t *testing.T) map[string]string {
	t.Helper()
	// A line that ends after the version: indirect dependencies go on with a comment.
	line := regexp.MustCompile(`^(?:require )?(\S+/\S+) (v\S+)$`)
	found := make(map[string]string)
	for text := range strings.Lines(document(t, "go.mod")) {
		if match := line.FindStringSubmatch(strings.TrimSpace(text)); match != nil {
			found[match[1]] = match[2]
		}
	}
	if len(found) == 0 {
		t.Fatal("found no direct dependency in go.mod")
	}
	return found
}

// dependencyRows reads the rows "| `path` | version | …" of the table.
func dependencyRows(t *testing.T) map[string]string {
	t.Helper()
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (v\\S+) \\|")
	found := make(map[string]string)
	for _, match := range row.FindAllStringSubmatch(document(t, "docs/dependencies.md"), -1) {
		found[match[1]] = match[2]
	}
	return found
}

// TestDecisions_AreAllInTheIndex keeps docs/adr/README.md complete.
func TestDecisions_AreAllInTheIndex(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root(t), "docs", "adr", "[0-9]*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d decisions, %v", len(files), err)
	}
	index := document(t, "docs/adr/README.md")
	for _, file := range files {
		if name := filepath.Base(file); !strings.Contains(index, "("+name+")") {
			t.Errorf("docs/adr/README.md does not link %s", name)
		}
	}
}

// TestDocuments_LinkToWhatExists follows the relative links of every document.
func TestDocuments_LinkToWhatExists(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)]*)?\)`)
	for _, name := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(document(t, name), -1) {
			target := filepath.Join(root(t), filepath.Dir(name), filepath.FromSlash(match[1]))
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, match[1])
			}
		}
	}
}

// TestDocuments_NameTargetsThatExist checks every `make …` that a document tells a reader
// to type.
func TestDocuments_NameTargetsThatExist(t *testing.T) {
	t.Parallel()
	var targets []string
	for _, file := range []string{"Makefile", "cloud.mk"} {
		for _, match := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(document(t, file), -1) {
			targets = append(targets, match[1])
		}
	}
	command := regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)")
	for _, name := range documents(t) {
		for _, match := range command.FindAllStringSubmatch(document(t, name), -1) {
			if !slices.Contains(targets, match[1]) {
				t.Errorf("%s tells to type make %s, which the Makefile does not have", name, match[1])
			}
		}
	}
}

// documents are the Markdown files that people read, relative to the root.
func documents(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "examples/*/*.md", "infra/*.md", "localstack/*.md", "tests/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			name, err := filepath.Rel(root(t), path)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatal("found no documents")
	}
	return names
}

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
