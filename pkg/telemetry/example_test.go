package telemetry_test

import (
	"context"
	"fmt"

	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// What a function reports on its output, a reader of the output sums up again.
func ExampleTotals() {
	var output telemetry.Totals
	books := ledger.New()
	report := telemetry.Reporter(&output, books)
	for range 3 { // invocations
		books.Add(ledger.Key{Counter: ledger.Delivered, Sink: "warehouse"}, 500)
		report(context.Background())
	}
	for _, e := range output.Entries() {
		fmt.Println(e.Counter, e.Sink, e.Count)
	}
	// Output: delivered warehouse 1500
}
