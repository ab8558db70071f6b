//nolint:paralleltest // CDK is one Node process, which answers one at a time
package millrace

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadme_PropsTable_IsWhatTheCodeSays(t *testing.T) {
	checkSection(t, "README.md", "props", propsTable(t))
}

func TestSecurity_CallsTable_IsWhatTheStackAllows(t *testing.T) {
	props := goodProps(t)
	props.Store.Bucket = on
	tpl := synth(t, props)
	var text strings.Builder
	text.WriteString("| function | call | on |\n|---|---|---|\n")
	names := map[string]string{
		"Queue": "the main queue", "Dedup": "the table", "LargePacks": "the bucket", "LargePacks/packs/*": "packs in the bucket", "DeadLetters": "the dead letters", ":function:millrace-replay": "itself",
		"IngestLogs": "its own log group", "FlushLogs": "its own log group", "ReplayLogs": "its own log group",
	}
	for _, function := range []string{"Ingest", "Flush", "Replay"} {
		for _, call := range allowed(t, tpl, function) {
			action, resource, _ := strings.Cut(call, " ")
			if name := names[resource]; name != "" { // the rest are the secrets of the test's configuration
				fmt.Fprintf(&text, "| %s | `%s` | %s |\n", strings.ToLower(function), action, name)
			}
		}
	}
	checkSection(t, filepath.Join("..", "docs", "security.md"), "calls", text.String())
}

func TestAlarms_EachHasARunbook(t *testing.T) {
	link := regexp.MustCompile(`docs/runbooks/([a-z0-9-]+)\.md$`)
	resources := synth(t, goodProps(t))["Resources"].(map[string]any)
	for name, resource := range resources {
		if resource.(map[string]any)["Type"] != "AWS::CloudWatch::Alarm" {
			continue
		}
		description := resource.(map[string]any)["Properties"].(map[string]any)["AlarmDescription"].(string)
		match := link.FindStringSubmatch(description)
		if match == nil {
			t.Errorf("%s links to no runbook: %s", name, description)
			continue
		}
		content, err := os.ReadFile(filepath.Join("..", "docs", "runbooks", match[1]+".md"))
		if err != nil {
			t.Error(err)
		}
		for _, part := range []string{"**Symptom.**", "**Causes.**", "**What to type.**"} {
			if !strings.Contains(string(content), part) {
				t.Errorf("the runbook %s has no %s", match[1], part)
			}
		}
	}
}

// checkSection compares the part of a document between two marks, or writes it.
func checkSection(t *testing.T, path, mark, want string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+mark+": begin -->\n", "<!-- "+mark+": end -->"
	before, rest, found := strings.Cut(string(content), begin)
	got, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no section %q", path, mark)
	}
	want = "\n" + want + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is out of date; write it with: go test -update (-want +got):\n%s", path, diff)
	}
}

// propsTable makes the tables of the props from the comments and tags in props.go.
func propsTable(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "props.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	structs := map[string]*ast.StructType{}
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.TypeSpec); ok {
			structs[spec.Name.Name], _ = spec.Type.(*ast.StructType)
		}
		return true
	})
	var text strings.Builder
	text.WriteString("| prop | default | meaning |\n|---|---|---|\n")
	writeProps(t, &text, structs, "BatchExporterProps", "")
	return text.String()
}

func writeProps(t *testing.T, text *strings.Builder, structs map[string]*ast.StructType, name, prefix string) {
	t.Helper()
	for _, field := range structs[name].Fields.List {
		fieldName := field.Names[0].Name
		if kind, ok := field.Type.(*ast.Ident); ok && structs[kind.Name] != nil {
			writeProps(t, text, structs, kind.Name, prefix+fieldName+".")
			continue
		}
		meaning := strings.Join(strings.Fields(field.Doc.Text()), " ")
		if meaning == "" {
			t.Errorf("%s%s has no comment", prefix, fieldName)
		}
		fmt.Fprintf(text, "| `%s%s` | %s | %s |\n", prefix, fieldName, defaultOf(field), meaning)
	}
}

func defaultOf(field *ast.Field) string {
	if field.Tag == nil {
		return "none"
	}
	tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
	if tag.Get("need") == "yes" {
		return "**needed**"
	}
	return tag.Get("default")
}
