package s3

import (
	"sync"
	"time"

	"github.com/go-json-experiment/json"
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

// store keeps buckets and objects. Nothing is in memory but the journal's caches.
type store struct {
	journal *journal.Journal
	// calls is held shared by every call, and alone by those that decide by what is there.
	calls  sync.RWMutex
	closed bool
	// order is held while a change is recorded.
	order sync.Mutex
}

var _ gofakes3.Backend = (*store)(nil)

// object is what is kept of an object beside its bytes.
type object struct {
	Size     int64             `json:"size"`
	MD5      []byte            `json:"md5"`
	Modified time.Time         `json:"modified"`
	Metadata map[string]string `json:"metadata"`

	content []byte // its bytes, if they were asked for
}

func objectKey(bucket, key string) []byte { return []byte(objectKeys + bucket + "/" + key) }

func contentKey(bucket, key string) []byte { return []byte(contentKeys + bucket + "/" + key) }

// enter begins a call, alone or beside others; leave ends it.
func (s *store) enter(alone bool) (leave func(), err error) {
	lock, leave := s.calls.RLock, s.calls.RUnlock
	if alone {
		lock, leave = s.calls.Lock, s.calls.Unlock
	}
	lock()
	if s.closed {
		leave()
		return nil, gofakes3.ErrorMessage(gofakes3.ErrInternal, "The endpoint is shutting down.")
	}
	return leave, nil
}

func (s *store) close() {
	s.calls.Lock()
	defer s.calls.Unlock()
	s.closed = true
}

// change records changes and returns when they are on disk.
func (s *store) change(record func(*journal.Journal)) error {
	s.order.Lock()
	record(s.journal)
	ticket := s.journal.Submit()
	s.order.Unlock()
	return ticket.Wait()
}

// find reads what is known of an object, nil when there is none. The bucket must exist.
func (s *store) find(bucket, key string) (*object, error) {
	return s.lookUp(bucket, objectKey(bucket, key))
}

// findWhole is find with the bytes, both of one moment: a put or a delete may be on its way to disk meanwhile.
func (s *store) findWhole(bucket, key string) (*object, error) {
	return s.lookUp(bucket, objectKey(bucket, key), contentKey(bucket, key))
}

func (s *store) lookUp(bucket string, keys ...[]byte) (*object, error) {
	if exists, err := s.bucketExists(bucket); err != nil || !exists {
		return nil, orElse(err, gofakes3.BucketNotFound(bucket))
	}
	values, err := s.journal.GetAll(keys...)
	if err != nil || values[0] == nil {
		return nil, err
	}
	found, err := decodeObject(values[0])
	if len(values) > 1 {
		found.content = values[1]
	}
	return found, err
}

func decodeObject(text []byte) (*object, error) {
	found := &object{}
	return found, json.Unmarshal(text, found)
}

// orElse is the first of two errors that is one.
func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
