package s3

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/johannesboyne/gofakes3"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// JournalVersion is the version of what this package writes into its journal.
const JournalVersion = 1

// Service is S3. It is safe for concurrent use.
type Service struct {
	store   *store
	handler http.Handler
}

var _ http.Handler = (*Service)(nil)

// New returns an S3 whose objects are in a journal, which stays the caller's to close, after Close.
func New(objects *journal.Journal) *Service {
	kept := &store{journal: objects}
	return &Service{store: kept, handler: guard{gofakes3.New(kept).Server()}}
}

// ServeHTTP answers the S3 API.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// EnsureBucket makes a bucket unless it exists.
func (s *Service) EnsureBucket(name string) error {
	if err := gofakes3.ValidateBucketName(name); err != nil {
		return fmt.Errorf("bucket %q: %w", name, err)
	}
	err := s.store.CreateBucket(name)
	if refusal, ok := errors.AsType[gofakes3.Error](err); ok && refusal.ErrorCode() == gofakes3.ErrBucketAlreadyExists {
		return nil
	}
	return err
}

// Close waits for the calls in progress; later ones fail. The journal may be closed then.
func (s *Service) Close() { s.store.close() }
