package s3

import (
	"fmt"
	"net/http"

	"github.com/johannesboyne/gofakes3"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// JournalVersion is the version of what this package writes into its journal.
const JournalVersion = 1

// Service is S3. It is safe for concurrent use.
type Service struct {
	http.Handler

	store *store
}

// New returns an S3 whose objects are in a journal, which stays the caller's to close; calls after that fail.
func New(objects *journal.Journal) *Service {
	kept := &store{journal: objects}
	return &Service{Handler: guard{gofakes3.New(kept).Server()}, store: kept}
}

// EnsureBucket makes a bucket unless it exists.
func (s *Service) EnsureBucket(name string) error {
	if err := gofakes3.ValidateBucketName(name); err != nil {
		return fmt.Errorf("bucket %q: %w", name, err)
	}
	err := s.store.CreateBucket(name)
	if gofakes3.HasErrorCode(err, gofakes3.ErrBucketAlreadyExists) {
		return nil
	}
	return err
}
