package dynamo_test

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/dedup/storetest"
)

func TestStore_EmbeddedInMemory_Contract(t *testing.T) {
	t.Parallel()
	contract(t, "")
}

func TestStore_EmbeddedOnDisk_Contract(t *testing.T) {
	t.Parallel()
	contract(t, t.TempDir())
}

func contract(t *testing.T, dir string) {
	t.Helper()
	client, stop := serve(t, dir, nil)
	t.Run("contract", func(t *testing.T) {
		storetest.Run(t, func(_ *testing.T, now func() time.Time) dedup.Store {
			return dynamo.New(dynamo.Options{Client: client, Table: table, Now: now})
		})
	})
	stop()
}
