package emulators_test

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo/dynamotest"
	"github.com/millrace-dev/millrace/pkg/dedup/storetest"
)

// The dedup store keeps its contract on DynamoDB as others understand it. MiniStack returns items with failed conditions, dynalite does
// not: the store needs it on neither.
func TestDedupStore_Contract(t *testing.T) {
	for name, start := range map[string]func(testing.TB) string{"MiniStack": ministack, "dynalite": dynalite} {
		t.Run(name, func(t *testing.T) {
			client := dynamotest.NewClient(start(t))
			table := dynamotest.Table(t, client)
			open := func(_ *testing.T, now func() time.Time) dedup.Store {
				return dynamo.New(dynamo.Options{Client: client, Table: table, Now: now})
			}
			storetest.RunModel(t, open)
			storetest.RunNotes(t, open)
			storetest.Run(t, open)
		})
	}
}
