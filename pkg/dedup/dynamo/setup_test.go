package dynamo_test

import (
	"net/http/httptest"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/internal/localaws/journal"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo/dynamotest"
)

const table = "dedup"

// serve starts the embedded DynamoDB, on disk when dir is not empty, with the table of the store.
// stop stops it, so that it can be started again.
func serve(t testing.TB, dir string, faults *dynamodb.Faults) (client *sdk.Client, stop func()) {
	t.Helper()
	var log *journal.Journal
	if dir != "" {
		var err error
		if log, err = journal.Open(journal.Options{Dir: dir, Version: dynamodb.JournalVersion}); err != nil {
			t.Fatal(err)
		}
	}
	service, err := dynamodb.Open(dynamodb.Options{Faults: faults}, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := service.CreateTable(table, dynamo.KeyAttribute, "B", dynamo.TTLAttribute); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		server.Close()
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return dynamotest.NewClient(server.URL), stop
}
