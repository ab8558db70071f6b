package s3

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/johannesboyne/gofakes3"
)

// errEnough ends a walk over keys early.
var errEnough = errors.New("enough")

// BucketExists says whether there is a bucket of that name.
func (s *store) BucketExists(name string) (bool, error) {
	created, err := s.journal.Get(bucketKey(name))
	return created != nil, err
}

// ListBuckets returns all buckets by name.
func (s *store) ListBuckets() (buckets []gofakes3.BucketInfo, err error) {
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
	return s.change(func() error {
		exists, err := s.BucketExists(name)
		if err != nil || exists {
			return cmp.Or(err, gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name))
		}
		s.journal.Set(bucketKey(name), time.Now().UTC().AppendFormat(nil, time.RFC3339))
		return nil
	})
}

// DeleteBucket removes an empty bucket.
func (s *store) DeleteBucket(name string) error {
	return s.change(func() error {
		err := s.journal.Each(objectKey(name, ""), func([]byte, []byte) error { return errEnough })
		if errors.Is(err, errEnough) {
			return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
		}
		if err != nil {
			return err
		}
		s.journal.Delete(bucketKey(name))
		return nil
	})
}

// ForceDeleteBucket is MinIO's and not S3's.
func (s *store) ForceDeleteBucket(string) error { return gofakes3.ErrNotImplemented }

// ListBucket returns a page of the objects, in the order of their keys, those that share a prefix up to the delimiter as one.
func (s *store) ListBucket(bucket string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	list := lister{ObjectList: gofakes3.NewObjectList(), prefix: prefix, page: page}
	all := objectKey(bucket, "")
	err := s.journal.Each(append(all, prefix.Prefix...), func(key, value []byte) error {
		return list.add(string(key[len(all):]), value)
	})
	if !errors.Is(err, errEnough) {
		return list.ObjectList, err
	}
	list.IsTruncated, list.NextMarker = true, list.last
	return list.ObjectList, nil
}

// lister fills one page of a list.
type lister struct {
	*gofakes3.ObjectList

	prefix *gofakes3.Prefix
	page   gofakes3.ListBucketPage
	last   string // the key that was seen last
	group  string // the common prefix it went into
}

// add takes the next key, or ends the walk with errEnough because the page is full.
func (l *lister) add(key string, value []byte) error {
	var match gofakes3.PrefixMatch
	if key <= l.page.Marker || !l.prefix.Match(key, &match) {
		return nil
	}
	inGroup := match.CommonPrefix && match.MatchedPart == l.group
	if !inGroup && l.page.MaxKeys > 0 && int64(len(l.Contents)+len(l.CommonPrefixes)) == l.page.MaxKeys {
		return errEnough
	}
	l.last = key
	if match.CommonPrefix {
		l.group = match.MatchedPart
		l.AddPrefix(match.MatchedPart)
		return nil
	}
	var found object
	if err := json.Unmarshal(value, &found); err != nil {
		return err
	}
	l.Add(&gofakes3.Content{
		Key: key, ETag: gofakes3.FormatETag(found.MD5), Size: found.Size,
		LastModified: gofakes3.NewContentTime(found.Modified), StorageClass: gofakes3.StorageStandard,
	})
	return nil
}
