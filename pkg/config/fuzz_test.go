package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/config"
)

// A file is either refused with problems, or valid; and a valid one comes back from its
// own rendering.
func FuzzParse(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	examples, err := filepath.Glob("../../examples/*/millrace.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range append(seeds, examples...) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := config.Parse("fuzz.yaml", data)
		if err != nil {
			var problems config.Problems
			if !errors.As(err, &problems) || len(problems) == 0 || problems.Error() == "" {
				t.Fatalf("an error that is no Problems: %v", err)
			}
			return
		}
		rendered := first.Effective()
		second, err := config.Parse("fuzz.yaml", rendered)
		if err != nil {
			t.Fatalf("the rendering is refused:\n%v\n%s", err, rendered)
		}
		if diff := cmp.Diff(first, second, ignorePositions); diff != "" {
			t.Errorf("the rendering says something else (-first +second):\n%s\n%s", diff, rendered)
		}
	})
}
