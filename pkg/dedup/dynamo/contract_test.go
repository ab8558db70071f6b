package dynamo_test

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo/dynamotest"
	"github.com/millrace-dev/millrace/pkg/dedup/storetest"
)

func TestStore_EmbeddedInMemory_Contract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, opening(t, ""))
}

func TestStore_EmbeddedOnDisk_Contract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, opening(t, t.TempDir()))
}

func TestStore_Notes(t *testing.T) {
	t.Parallel()
	client, _ := serve(t, "", nil)
	other := dynamotest.Table(t, client)
	storetest.RunNotes(t, func(_ *testing.T, now func() time.Time) dedup.Store {
		return dynamo.New(dynamo.Options{Client: client, Table: other, Now: now})
	})
}

func TestStore_AnyHistory_IsAsInTheModel(t *testing.T) {
	t.Parallel()
	storetest.RunModel(t, opening(t, ""))
}

func opening(t *testing.T, dir string) storetest.Open {
	t.Helper()
	client, _ := serve(t, dir, nil)
	return func(_ *testing.T, now func() time.Time) dedup.Store {
		return dynamo.New(dynamo.Options{Client: client, Table: table, Now: now})
	}
}
