package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/config"
)

// update rewrites golden files and generated documents: go test ./pkg/config -update.
var update = flag.Bool("update", false, "rewrite golden files and generated documents")

// golden compares got with the file at path.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run go test ./pkg/config -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; run go test ./pkg/config -update if that is meant (-want +got):\n%s", path, diff)
	}
}

func TestLoad_BadFiles_ReportEveryProblem(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := config.Parse(filepath.Base(file), data)
			var problems config.Problems
			if c != nil || !errors.As(err, &problems) {
				t.Fatalf("Parse = %v, %v; want Problems", c, err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the problems print a credential:\n%v", err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".want", err.Error()+"\n")
		})
	}
}

func TestConfig_Effective_SaysWhereValuesComeFrom(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"quickstart", "production"} {
		c, err := config.Load("../../examples/" + example + "/millrace.yaml")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "testdata/"+example+".effective", string(c.Effective()))
	}
}
