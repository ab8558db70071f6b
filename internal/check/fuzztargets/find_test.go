package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/millrace-dev/millrace/internal/check/repo"
)

// decoders are the packages that read bytes which others wrote: SDKs, queues, sinks and
// people. Each has a fuzz test.
var decoders = []string{
	"pkg/batch",
	"pkg/config",
	"pkg/flush",
	"pkg/ingest/lambdahttp",
	"pkg/receiver/generic",
	"pkg/receiver/posthog",
	"pkg/replay",
	"pkg/retry",
	"pkg/sink/httpsend",
	"pkg/sink/itemresult",
}

func TestFuzzTargets_HaveACommittedCorpus(t *testing.T) {
	t.Parallel()
	root, targets := all(t)
	for _, target := range targets {
		corpus := filepath.Join(root, filepath.FromSlash(target.dir), "testdata", "fuzz", target.name)
		if seeds, err := os.ReadDir(corpus); err != nil || len(seeds) == 0 {
			t.Errorf("%s in %s has no corpus in %s", target.name, target.dir, corpus)
		}
	}
}

func TestFuzzTargets_CoverEveryDecoder(t *testing.T) {
	t.Parallel()
	_, targets := all(t)
	for _, decoder := range decoders {
		if !slices.ContainsFunc(targets, func(t target) bool { return t.dir == decoder }) {
			t.Errorf("%s reads bytes which others wrote and has no fuzz test", decoder)
		}
	}
}

func all(t *testing.T) (string, []target) {
	t.Helper()
	root, err := repo.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	targets, err := find(root)
	if err != nil {
		t.Fatal(err)
	}
	return root, targets
}

func TestFind_LeavesOtherModulesAndTestdataOut(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const fuzz = "package a\n\nfunc FuzzDecode(f *testing.F) {}\n\nfunc TestOther(t *testing.T) {}\n"
	write("go.mod", "module m\n")
	write("a/a_test.go", fuzz)
	write("a/testdata/a_test.go", fuzz)
	write("other/go.mod", "module other\n")
	write("other/a_test.go", fuzz)
	write(".tools/a_test.go", fuzz)

	got, err := find(root)
	if err != nil {
		t.Fatal(err)
	}
	if want := []target{{dir: "a", name: "FuzzDecode"}}; !slices.Equal(got, want) {
		t.Errorf("find() = %v, want %v", got, want)
	}
}
