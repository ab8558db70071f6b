package s3

import (
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

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

// object is what is kept of an object beside its bytes.
type object struct {
	Size     int64             `json:"size"`
	MD5      []byte            `json:"md5"`
	Modified time.Time         `json:"modified"`
	Metadata map[string]string `json:"metadata"`
}

// change lets decide record changes, or refuse them, and returns when they are on disk.
func (s *store) change(decide func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := decide(); err != nil {
		return err
	}
	return s.journal.Submit().Wait()
}
