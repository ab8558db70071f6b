package dynamo_test

import (
	"testing"

	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/dedup/storetest"
)

// BenchmarkStore runs over loopback HTTP, the client of the SDK and the embedded server in one process.
func BenchmarkStore(b *testing.B) {
	for name, dir := range map[string]string{"memory": "", "disk": b.TempDir()} {
		b.Run(name, func(b *testing.B) {
			client, _ := serve(b, dir, nil)
			storetest.Bench(b, dynamo.New(dynamo.Options{Client: client, Table: table}))
		})
	}
}
