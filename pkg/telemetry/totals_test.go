package telemetry_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// totalsOf sums an output written in one piece.
func totalsOf(t interface{ Errorf(string, ...any) }, output []byte) []ledger.Entry {
	var totals telemetry.Totals
	if n, err := totals.Write(output); n != len(output) || err != nil {
		t.Errorf("Write = %d, %v; want %d", n, err, len(output))
	}
	return totals.Entries()
}

func TestTotals_Write_SumsAmongOtherLines(t *testing.T) {
	t.Parallel()
	lines := telemetry.AppendEMF(nil, moment, "req-1", invocation())
	output := "START RequestId: req-1\n" + `{"timestamp":"2026-09-21T14:13:20Z","level":"INFO","message":"\"_aws\""}` + "\n" + string(lines) +
		"\n{\"_aws\":\n" + string(lines)
	want := invocation()
	for i := range want {
		want[i].Count *= 2
	}
	if diff := cmp.Diff(want, totalsOf(t, []byte(output))); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
}

// However the output is cut into writes, the sums are the same.
func TestTotals_Write_CutsDoNotMatter(t *testing.T) {
	t.Parallel()
	output := bytes.Repeat(append([]byte("some log\n"), telemetry.AppendEMF(nil, moment, "r", invocation())...), 3)
	want := totalsOf(t, output)
	rapid.Check(t, func(t *rapid.T) {
		var totals telemetry.Totals
		for rest := output; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "bytes")
			if _, err := totals.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if diff := cmp.Diff(want, totals.Entries()); diff != "" {
			t.Errorf("totals (-want +got):\n%s", diff)
		}
	})
}

func TestTotals_Write_OverlongLine_IsSkippedWhole(t *testing.T) {
	t.Parallel()
	good := telemetry.AppendEMF(nil, moment, "r", []ledger.Entry{{Key: ledger.Key{Counter: ledger.Routed, Sink: "a"}, Count: 1}})
	long := []byte(`{"_aws":"` + strings.Repeat("x", 300<<10) + `"}`)
	var totals telemetry.Totals
	for _, piece := range [][]byte{long[:100<<10], long[100<<10:], []byte("\n"), long, []byte("\n"), good} {
		if _, err := totals.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(totalsOf(t, good), totals.Entries()); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
}

func TestTotals_Write_EndlessNames_AreBounded(t *testing.T) {
	t.Parallel()
	const line = `{"_aws":{"CloudWatchMetrics":[{"Namespace":"Millrace","Metrics":[{"Name":"n"}]}]},"tenant":"%d","n":1}` + "\n"
	var totals telemetry.Totals
	for i := range 10_010 {
		_, _ = fmt.Fprintf(&totals, line, i)
	}
	_, _ = fmt.Fprintf(&totals, line, 0) // a sum that is there goes on
	entries := totals.Entries()
	if len(entries) != 10_000 || entries[0].Count != 2 {
		t.Errorf("%d sums, the first %+v; want 10000 and a count of 2", len(entries), entries[0])
	}
}

func TestParseLine_OtherLines_HaveNoCounts(t *testing.T) {
	t.Parallel()
	const head = `{"_aws":{"CloudWatchMetrics":[{"Namespace":"Millrace","Metrics":[{"Name":"n"}]}]}`
	for _, row := range []struct{ name, line string }{
		{"a text", `"_aws"`},
		{"a log", `{"message":"hello"}`},
		{"another namespace", strings.Replace(head, "Millrace", "Other", 1) + `,"n":1}`},
		{"no value", head + `}`},
		{"a negative count", head + `,"n":-1}`},
		{"a fraction", head + `,"n":1.5}`},
		{"a list", head + `,"n":[1,2]}`},
		{"a text for a count", head + `,"n":"1"}`},
		{"a count beyond reason", head + `,"n":1e300}`},
		{"a count that is too large", head + `,"n":1099511627777}`},
		{"a name twice", head + `,"n":1,"n":2}`},
		{"broken JSON", head + `,"n":1`},
		{"two objects", head + `,"n":1}{}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := telemetry.ParseLine([]byte(row.line)); len(got) != 0 {
				t.Errorf("ParseLine(%s) = %+v, want nothing", row.line, got)
			}
		})
	}
	if got := telemetry.ParseLine([]byte(head + `,"n":1,"sink":5}`)); len(got) != 1 || got[0].Sink != "" {
		t.Errorf("a line with an odd sink = %+v, want its count without a sink", got)
	}
}

// Whatever a line holds, its counts are positive, and writing them as metrics and
// reading them again changes nothing.
func FuzzParseLine(f *testing.F) {
	for line := range bytes.Lines(telemetry.AppendEMF(nil, moment, "req-1", invocation())) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var books ledger.Ledger
		for _, e := range telemetry.ParseLine(line) {
			if e.Count <= 0 {
				t.Fatalf("a count of %d in %q", e.Count, line)
			}
			books.Add(e.Key, e.Count)
		}
		want := books.Take()
		for _, e := range want {
			if e.Count > 1<<40 || isProperty(string(e.Counter)) {
				return // named twice in the line, or named like a property: not what AppendEMF writes
			}
		}
		if diff := cmp.Diff(want, totalsOf(t, telemetry.AppendEMF(nil, moment, "r", want))); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	})
}

func isProperty(name string) bool {
	switch name {
	case "_aws", "requestId", "receiver", "tenant", "sink", "class":
		return true
	}
	return false
}

func BenchmarkTotals_Write(b *testing.B) {
	lines := telemetry.AppendEMF(nil, moment, "req-1", invocation())
	var totals telemetry.Totals
	b.ReportAllocs()
	b.SetBytes(int64(len(lines)))
	for b.Loop() {
		_, _ = totals.Write(lines)
	}
}
