package sqs_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// open returns a service on a data directory, closed with the test.
func open(t testing.TB, dir string, files vfs.FS) *sqs.Service {
	t.Helper()
	service, stop := openUntil(t, dir, files)
	t.Cleanup(stop)
	return service
}

// openUntil is open with an end of the caller's choice.
func openUntil(t testing.TB, dir string, files vfs.FS) (service *sqs.Service, stop func()) {
	t.Helper()
	log, err := journal.Open(journal.Options{Dir: dir, Version: sqs.JournalVersion, FileSystem: files})
	if err != nil {
		t.Fatal(err)
	}
	service, err = sqs.Open(sqs.Options{}, log)
	if err != nil {
		t.Fatal(err)
	}
	return service, func() {
		service.Close()
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}
}
