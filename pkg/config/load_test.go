package config_test

import (
	"path/filepath"
	"testing"

	"github.com/millrace-dev/millrace/pkg/config"
)

func TestLoad_ExampleFiles_AreValid(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/*/millrace.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples found: %v", err)
	}
	for _, file := range files {
		if _, err := config.Load(file); err != nil {
			t.Errorf("Load(%s):\n%v", file, err)
		}
	}
}
