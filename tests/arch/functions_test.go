package arch_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/internal/check/repo"
)

var functions = []string{"functions/flush", "functions/ingest", "functions/replay"}

// forbidden are import paths that no function may link, with all below them.
var forbidden = map[string]string{
	"text/template":                "reaches methods by name, which turns off the linker's dead-code elimination: the AWS SDK alone then adds 7 MiB",
	"html/template":                "imports text/template",
	"google.golang.org/grpc":       "imports text/template through its trace page",
	"github.com/expr-lang/expr":    "reaches methods by name, like text/template",
	"github.com/stretchr/testify":  "is for tests, and this project's tests do without",
	repo.Module + "/internal":      "is the machinery of a laptop",
	"github.com/alecthomas/kong":   "is the command line's",
	"testing":                      "is for tests",
	"net/http/pprof":               "serves profiles to anybody who asks",
	"github.com/google/go-cmp/cmp": "is for tests",
}

// allowed lifts a ban for one function, with the reason: "functions/flush text/template".
var allowed = map[string]string{}

func TestFunctions_AreTheThree(t *testing.T) {
	t.Parallel()
	mains, err := filepath.Glob(filepath.Join(root(t), "functions", "*", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, path := range mains {
		got = append(got, "functions/"+filepath.Base(filepath.Dir(path)))
	}
	if !slices.Equal(got, functions) {
		t.Errorf("functions with a main.go: %v, want %v", got, functions)
	}
}

func TestFunctions_LinkNothingForbidden(t *testing.T) {
	t.Parallel()
	for _, function := range functions {
		t.Run(function, func(t *testing.T) {
			t.Parallel()
			for path, importers := range linked(t, function) {
				reason, is := banned(path)
				if !is || allowed[function+" "+path] != "" {
					continue
				}
				t.Errorf("%s links %s, which %s; it is imported by %v", function, path, reason, importers)
			}
		})
	}
}

// linked returns every package that a function links, with those that import it.
func linked(t *testing.T, function string) map[string][]string {
	t.Helper()
	lines, err := repo.List(t.Context(), root(t), "-deps",
		"-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./"+function)
	if err != nil {
		t.Fatal(err)
	}
	importers := make(map[string][]string)
	for _, line := range lines {
		paths := strings.Fields(line)
		for _, imported := range paths[1:] {
			importers[imported] = append(importers[imported], paths[0])
		}
	}
	if len(importers["github.com/aws/aws-lambda-go/lambda"]) == 0 {
		t.Fatalf("%s does not link the Lambda runtime: this test looks at the wrong thing", function)
	}
	return importers
}

func banned(path string) (string, bool) {
	for prefix, reason := range forbidden {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return reason, true
		}
	}
	return "", false
}

// A main file reads configuration, builds and starts: sixty lines are enough.
func TestFunctions_MainFilesAreShort(t *testing.T) {
	t.Parallel()
	const most = 60
	for _, function := range functions {
		text, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(function), "main.go"))
		if err != nil {
			t.Error(err)
			continue
		}
		if lines := bytes.Count(text, []byte("\n")); lines > most {
			t.Errorf("%s/main.go has %d lines, want at most %d", function, lines, most)
		}
	}
}

func TestBanned_CoversWhatLiesBelow(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"text/template":                        true,
		"text/template/parse":                  true,
		"google.golang.org/grpc/codes":         true,
		repo.Module + "/internal/localaws/sqs": true,
		"text/tabwriter":                       false,
		repo.Module + "/pkg/event":             false,
		"testing/synctest":                     true,
		"testingx":                             false,
	} {
		if _, got := banned(path); got != want {
			t.Errorf("banned(%q) = %v, want %v", path, got, want)
		}
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := repo.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
