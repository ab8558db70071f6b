package ledger_test

import (
	"fmt"

	"github.com/millrace-dev/millrace/pkg/ledger"
)

func ExampleBalance() {
	books := ledger.New()
	books.Add(ledger.Key{Counter: ledger.Routed, Sink: "warehouse"}, 100)
	books.Add(ledger.Key{Counter: ledger.Delivered, Sink: "warehouse"}, 90)
	books.Add(ledger.Key{Counter: ledger.DeadLettered, Sink: "warehouse", Class: "permanent"}, 7)
	fmt.Println("in flight:", ledger.Balance(books.Take()))
	// Output: in flight: map[warehouse:3]
}
