package s3

import (
	"fmt"
	"net/http"
	"sync"

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

// The keys of the journal. The names of buckets have no slash.
const (
	bucketKeys = "bucket/"
	// objectKeys lead to what an object is like, contentKeys to its bytes, so that lists need not read those.
	objectKeys  = "object/"
	contentKeys = "content/"
)

func bucketKey(name string) []byte { return []byte(bucketKeys + name) }

func objectKey(bucket, key string) []byte { return []byte(objectKeys + bucket + "/" + key) }

func contentKey(bucket, key string) []byte { return []byte(contentKeys + bucket + "/" + key) }

// store keeps buckets and objects. Nothing is in memory but the journal's caches.
type store struct {
	journal *journal.Journal
	// mu is held alone by a change from its decision until it is on disk, and shared by what reads more than one key of an object.
	mu sync.RWMutex
}

var _ gofakes3.Backend = (*store)(nil)

// change lets decide either record changes or refuse them, and returns when they are on disk.
func (s *store) change(decide func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := decide(); err != nil {
		return err
	}
	return s.journal.Submit().Wait()
}
