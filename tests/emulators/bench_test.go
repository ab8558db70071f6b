package emulators_test

import (
	"testing"

	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo/dynamotest"
	"github.com/millrace-dev/millrace/pkg/dedup/storetest"
)

func BenchmarkDedupStore(b *testing.B) {
	for name, start := range map[string]func(testing.TB) string{"MiniStack": ministack, "dynalite": dynalite} {
		b.Run(name, func(b *testing.B) {
			client := dynamotest.NewClient(start(b))
			storetest.Bench(b, dynamo.New(dynamo.Options{Client: client, Table: dynamotest.Table(b, client)}))
		})
	}
}
