package conformance_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readme is the document with the table of deviations, between these two lines.
const (
	readme     = "README.md"
	tableBegin = "<!-- deviations:begin, from deviations.json; go test ./tests/conformance -run Readme -update -->\n"
	tableEnd   = "<!-- deviations:end -->\n"
)

// servers are the columns of the table.
func servers() []string { return []string{embedded, "fauxqs", "ministack", "localstack"} }

// TestReadme_HasTheTable holds the document to deviations.json.
func TestReadme_HasTheTable(t *testing.T) {
	t.Parallel()
	if *update {
		rewriteReadme(t)
		return
	}
	have, want := documented(t)
	if have != want {
		t.Errorf("%s is not what deviations.json says; go test ./tests/conformance -run Readme -update\n%s", readme, cmp.Diff(want, have))
	}
}

// documented returns the document and what it should be.
func documented(t *testing.T) (have, want string) {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	have = string(text)
	before, rest, ok := strings.Cut(have, tableBegin)
	_, after, ended := strings.Cut(rest, tableEnd)
	if !ok || !ended {
		t.Fatalf("%s has no place for the table", readme)
	}
	return have, before + tableBegin + "\n" + deviationTable(t) + "\n" + tableEnd + after
}

func rewriteReadme(t *testing.T) {
	t.Helper()
	_, want := documented(t)
	if err := os.WriteFile(readme, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

// deviationTable prints what each server does instead. Cases of one topic that differ alike share a row.
func deviationTable(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("deviations.json") // not the embedded one, which -update has made old
	if err != nil {
		t.Fatal(err)
	}
	var table map[string]map[string]string
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	type row struct{ topic, cells string }
	var rows []row
	names := map[row][]string{}
	all := trials()
	slices.SortFunc(all, func(a, b trial) int { return strings.Compare(a.id, b.id) })
	for _, c := range all {
		topic, name, _ := strings.Cut(c.id, "/")
		r := row{topic, cellsOf(table, c.id)}
		if r.cells == "" {
			continue
		}
		if names[r] == nil {
			rows = append(rows, r)
		}
		names[r] = append(names[r], name)
	}
	out := new(strings.Builder)
	fmt.Fprintf(out, "| of %d cases |", len(all))
	for _, server := range servers() {
		fmt.Fprintf(out, " %s differs in %d |", server, len(table[server]))
	}
	out.WriteString("\n|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(out, "| **%s**: %s |%s\n", r.topic, strings.Join(names[r], "; "), r.cells)
	}
	return out.String()
}

// cellsOf is the rest of a case's row; empty when all servers are as AWS.
func cellsOf(table map[string]map[string]string, id string) string {
	cells, differs := new(strings.Builder), false
	for _, server := range servers() {
		fmt.Fprintf(cells, " %s |", table[server][id])
		differs = differs || table[server][id] != ""
	}
	if !differs {
		return ""
	}
	return cells.String()
}
