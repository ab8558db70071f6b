package telemetry_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// update rewrites the generated part of docs/telemetry.md.
var update = flag.Bool("update", false, "rewrite generated documents")

// The page lists the counters that exist, with their own comments, and the dimensions
// that their lines really have.
func TestDocs_Metrics_AreUpToDate(t *testing.T) {
	t.Parallel()
	const page, begin, end = "../../docs/telemetry.md", "<!-- metrics: begin -->\n", "<!-- metrics: end -->\n"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(data), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no marks %q and %q", page, begin, end)
	}
	want := before + begin + counterTables(t) + "\n" + end + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("%s is out of date; run go test ./pkg/telemetry -update (-want +got):\n%s", page, diff)
	}
}

// counterTables writes one table per group of counters in pkg/ledger.
func counterTables(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../ledger/ledger.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, declaration := range file.Decls {
		group, isGroup := declaration.(*ast.GenDecl)
		if !isGroup || group.Tok != token.CONST || !group.Lparen.IsValid() {
			continue
		}
		fmt.Fprintf(&out, "\n### %s\n\n| metric | dimensions | counts |\n|---|---|---|\n", strings.TrimSuffix(strings.TrimSpace(group.Doc.Text()), "."))
		for _, spec := range group.Specs {
			name, comment := counterOf(t, spec)
			key := ledger.Key{Counter: name, Receiver: "r", Tenant: "t"}
			if strings.Contains(group.Doc.Text(), "per sink") {
				key = ledger.Key{Counter: name, Sink: "s", Class: "c"}
			}
			fmt.Fprintf(&out, "| `%s` | %s | %s |\n", name, dimensionsOf(t, key), comment)
		}
	}
	return out.String()
}

func counterOf(t *testing.T, spec ast.Spec) (name ledger.Counter, comment string) {
	t.Helper()
	value, _ := spec.(*ast.ValueSpec)
	literal, _ := value.Values[0].(*ast.BasicLit)
	text, err := strconv.Unquote(literal.Value)
	if err != nil || value.Comment == nil {
		t.Fatalf("%s has no value or no comment", value.Names[0])
	}
	return ledger.Counter(text), strings.TrimSpace(value.Comment.Text())
}

// dimensionsOf reads the dimension sets out of a line for key.
func dimensionsOf(t *testing.T, key ledger.Key) string {
	t.Helper()
	line := telemetry.AppendEMF(nil, moment, "", []ledger.Entry{{Key: key, Count: 1}})
	_, rest, _ := bytes.Cut(line, []byte(`"Dimensions":[`))
	sets, _, _ := bytes.Cut(rest, []byte(`],"Metrics"`))
	return "`" + strings.ReplaceAll(string(sets), "],[", "]`, `[") + "`"
}
