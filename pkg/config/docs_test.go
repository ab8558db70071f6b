package config_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/pkg/config"
)

func TestSchema_DocsFile_IsUpToDate(t *testing.T) {
	t.Parallel()
	golden(t, "../../docs/millrace.schema.json", string(config.Schema()))
}

func TestManual_DocsPage_IsUpToDate(t *testing.T) {
	t.Parallel()
	const page, begin, end = "../../docs/configuration.md", "<!-- keys: begin -->\n", "<!-- keys: end -->\n"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(data), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no marks %q and %q", page, begin, end)
	}
	golden(t, page, before+begin+string(config.Manual())+"\n"+end+after)
}

// Every key of the schema, wherever it stands, says what it does.
func TestSchema_EveryKey_HasADescription(t *testing.T) {
	t.Parallel()
	var root any
	if err := json.Unmarshal(config.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	keys := 0
	var walk func(path string, node any)
	walk = func(path string, node any) {
		object, isObject := node.(map[string]any)
		if !isObject {
			return
		}
		properties, _ := object["properties"].(map[string]any)
		for name, property := range properties {
			keys++
			described, _ := property.(map[string]any)
			if text, _ := described["description"].(string); text == "" {
				t.Errorf("%s.%s has no description", path, name)
			}
			walk(path+"."+name, property)
		}
		for _, below := range []string{"items", "additionalProperties"} {
			walk(path, object[below])
		}
	}
	walk("", root)
	if keys < 40 {
		t.Errorf("found %d keys, want at least 40", keys)
	}
}

// The published example is one that the checks accept.
func TestManual_Example_IsValid(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```\n")
	example = strings.ReplaceAll(example, "…", strings.Repeat("0", 64))
	if _, err := config.Parse("docs/configuration.md", []byte(example)); err != nil {
		t.Errorf("the example is refused:\n%v", err)
	}
}
