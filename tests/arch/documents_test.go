package arch_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependencies_EachHasItsRow keeps docs/dependencies.md the truth: a row for every
// direct dependency of every module and package in its version, and for nothing else.
func TestDependencies_EachHasItsRow(t *testing.T) {
	t.Parallel()
	want, got := directDependencies(t), dependencyRows(t)
	for dependency, where := range want {
		if !slices.Contains(got, dependency) {
			t.Errorf("docs/dependencies.md has no row for %s of %s", dependency, where)
		}
	}
	for _, dependency := range got {
		if _, found := want[dependency]; !found {
			t.Errorf("docs/dependencies.md has a row for %s, which nothing requires directly", dependency)
		}
	}
}

// directDependencies returns where each is required, by "NAME VERSION".
func directDependencies(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	// A line that ends after the version: indirect dependencies go on with a comment. Ours is v0.0.0.
	line := regexp.MustCompile(`(?m)^(?:require |\t)(\S+/\S+) (v[1-9]\S*|v0\.\S*[1-9]\S*)$`)
	for _, name := range matching(t, "go.mod", "infra/go.mod", "tests/*/go.mod", "tests/*/*/go.mod") {
		for _, match := range line.FindAllStringSubmatch(document(t, name), -1) {
			found[match[1]+" "+match[2]] = name
		}
	}
	for _, name := range matching(t, "infra/package.json", "tests/*/*/package.json", "tests/*/*/*/package.json") {
		var manifest struct{ Dependencies, DevDependencies map[string]string }
		if err := json.Unmarshal([]byte(document(t, name)), &manifest); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, packages := range []map[string]string{manifest.Dependencies, manifest.DevDependencies} {
			for path, version := range packages {
				found[path+" "+version] = name
			}
		}
	}
	return found
}

// dependencyRows reads the rows "| `name` | version | …" of the tables.
func dependencyRows(t *testing.T) []string {
	t.Helper()
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (v?[0-9]\\S*) \\|")
	var found []string
	for _, match := range row.FindAllStringSubmatch(document(t, "docs/dependencies.md"), -1) {
		found = append(found, match[1]+" "+match[2])
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
		for _, match := range regexp.MustCompile(`(?m)^([a-z0-9 -]+):`).FindAllStringSubmatch(document(t, file), -1) {
			targets = append(targets, strings.Fields(match[1])...)
		}
	}
	command := regexp.MustCompile("(?m)(?:^|`)make ([a-z0-9-]+)")
	for _, name := range documents(t) {
		for _, match := range command.FindAllStringSubmatch(document(t, name), -1) {
			if !slices.Contains(targets, match[1]) {
				t.Errorf("%s tells to type make %s, which the Makefile does not have", name, match[1])
			}
		}
	}
}

// TestHelp_ListsEveryTargetWithAComment keeps `make help` complete: a line that its pattern
// does not fit is left out in silence.
func TestHelp_ListsEveryTargetWithAComment(t *testing.T) {
	t.Parallel()
	said, err := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", root(t), "help").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"Makefile", "cloud.mk"} {
		for _, match := range regexp.MustCompile(`(?m)^([^#\s][^:\n]*):[^\n]*## (.*)$`).FindAllStringSubmatch(document(t, file), -1) {
			if want := "make " + match[1]; !strings.Contains(string(said), want) {
				t.Errorf("make help does not list %q of %s", want, file)
			}
		}
	}
}

// documents are the Markdown files that people read, relative to the root.
func documents(t *testing.T) []string {
	t.Helper()
	return matching(t, "*.md", "docs/*.md", "docs/*/*.md", "examples/*/*.md", "infra/*.md", "localstack/*.md", "tests/*/*.md")
}

// matching are the files that fit one of the patterns, relative to the root.
func matching(t *testing.T, patterns ...string) []string {
	t.Helper()
	var names []string
	for _, pattern := range patterns {
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
		t.Fatalf("found no %v", patterns)
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
