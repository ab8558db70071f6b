package s3

import (
	"errors"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// errEnough ends a walk over keys early.
var errEnough = errors.New("enough")

func (s *store) bucketExists(name string) (bool, error) {
	created, err := s.journal.Get([]byte(bucketKeys + name))
	return created != nil, err
}

// BucketExists says whether there is a bucket of that name.
func (s *store) BucketExists(name string) (bool, error) {
	leave, err := s.enter(false)
	if err != nil {
		return false, err
	}
	defer leave()
	return s.bucketExists(name)
}

// ListBuckets returns all buckets by name.
func (s *store) ListBuckets() (buckets []gofakes3.BucketInfo, err error) {
	leave, err := s.enter(false)
	if err != nil {
		return nil, err
	}
	defer leave()
	err = s.journal.Each([]byte(bucketKeys), func(key, value []byte) error {
		created, err := time.Parse(time.RFC3339, string(value))
		name := strings.TrimPrefix(string(key), bucketKeys)
		buckets = append(buckets, gofakes3.BucketInfo{Name: name, CreationDate: gofakes3.NewContentTime(created)})
		return err
	})
	return buckets, err
}

// CreateBucket makes a bucket, or returns ErrBucketAlreadyExists.
func (s *store) CreateBucket(name string) error {
	leave, err := s.enter(true)
	if err != nil {
		return err
	}
	defer leave()
	if exists, err := s.bucketExists(name); err != nil || exists {
		return orElse(err, gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name))
	}
	return s.change(func(j *journal.Journal) {
		j.Set([]byte(bucketKeys+name), time.Now().UTC().AppendFormat(nil, time.RFC3339))
	})
}

// DeleteBucket removes an empty bucket.
func (s *store) DeleteBucket(name string) error {
	leave, err := s.enter(true)
	if err != nil {
		return err
	}
	defer leave()
	if exists, err := s.bucketExists(name); err != nil || !exists {
		return orElse(err, gofakes3.BucketNotFound(name))
	}
	err = s.journal.Each(objectKey(name, ""), func([]byte, []byte) error { return errEnough })
	if err != nil {
		return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
	}
	return s.change(func(j *journal.Journal) { j.Delete([]byte(bucketKeys + name)) })
}

// ForceDeleteBucket is MinIO's and not S3's.
func (s *store) ForceDeleteBucket(string) error { return gofakes3.ErrNotImplemented }

// ListBucket returns a page of the objects, in the order of their keys, those that share a prefix up to the delimiter as one.
func (s *store) ListBucket(bucket string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	leave, err := s.enter(false)
	if err != nil {
		return nil, err
	}
	defer leave()
	if exists, err := s.bucketExists(bucket); err != nil || !exists {
		return nil, orElse(err, gofakes3.BucketNotFound(bucket))
	}
	l := lister{ObjectList: gofakes3.NewObjectList(), prefix: prefix, page: page}
	all := objectKey(bucket, "")
	err = s.journal.Each(append(all, prefix.Prefix...), func(key, value []byte) error {
		return l.add(string(key[len(all):]), value)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return l.ObjectList, nil
}

// lister fills one page of a list.
type lister struct {
	*gofakes3.ObjectList
	prefix *gofakes3.Prefix
	page   gofakes3.ListBucketPage
	count  int64
	last   string // the key that was seen last
	group  string // the common prefix it went into
}

// add takes the next key, or ends the walk with errEnough because the page is full.
func (l *lister) add(key string, value []byte) error {
	var match gofakes3.PrefixMatch
	if l.page.HasMarker && key <= l.page.Marker || !l.prefix.Match(key, &match) {
		return nil
	}
	if match.CommonPrefix && match.MatchedPart == l.group {
		l.last = key
		return nil
	}
	if l.page.MaxKeys > 0 && l.count == l.page.MaxKeys {
		l.IsTruncated, l.NextMarker = true, l.last
		return errEnough
	}
	l.count++
	l.last = key
	if match.CommonPrefix {
		l.group = match.MatchedPart
		l.AddPrefix(match.MatchedPart)
		return nil
	}
	found, err := decodeObject(value)
	if err != nil {
		return err
	}
	l.Add(&gofakes3.Content{
		Key: key, ETag: gofakes3.FormatETag(found.MD5), Size: found.Size,
		LastModified: gofakes3.NewContentTime(found.Modified), StorageClass: gofakes3.StorageStandard,
	})
	return nil
}
