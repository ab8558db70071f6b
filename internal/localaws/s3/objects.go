package s3

import (
	"bytes"
	"cmp"
	"crypto/md5" //nolint:gosec // an ETag is the MD5 of the object
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/johannesboyne/gofakes3"
)

// metadataPrefix starts the headers of user metadata.
const metadataPrefix = "X-Amz-Meta-"

// object is what is kept of an object beside its bytes.
type object struct {
	Size     int64             `json:"size"`
	MD5      []byte            `json:"md5"`
	Modified time.Time         `json:"modified"`
	Metadata map[string]string `json:"metadata"`
}

// PutObject keeps an object in place of the one before.
func (s *store) PutObject(
	bucket, key string, metadata map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions,
) (result gofakes3.PutObjectResult, err error) {
	content, err := gofakes3.ReadAll(input, size)
	if err != nil {
		return result, err
	}
	maps.DeleteFunc(metadata, notKept)
	sum := md5.Sum(content) //nolint:gosec // see above
	about, err := json.Marshal(object{Size: size, MD5: sum[:], Modified: time.Now().UTC(), Metadata: metadata})
	if err != nil {
		return result, err
	}
	return result, s.change(func() error {
		if err := s.check(bucket, key, conditions); err != nil {
			return err
		}
		if s.journal.Full() {
			return gofakes3.ErrorMessage(gofakes3.ErrInternal, "The disk is full: delete objects, or make room.")
		}
		s.journal.Set(contentKey(bucket, key), content)
		s.journal.Set(objectKey(bucket, key), about)
		return nil
	})
}

// check refuses a put into no bucket, and one whose conditions do not hold for what it would replace.
func (s *store) check(bucket, key string, conditions *gofakes3.PutConditions) error {
	var before gofakes3.ConditionalObjectInfo
	found, err := s.HeadObject(bucket, key)
	switch {
	case err == nil:
		before = gofakes3.ConditionalObjectInfo{Exists: true, Hash: found.Hash}
	case !gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey):
		return err
	}
	if conditions == nil {
		return nil
	}
	return gofakes3.CheckPutConditions(conditions, &before)
}

// notKept says what S3 does not keep of the headers of a put; gofakes3 hands over the session token, too.
func notKept(name, _ string) bool {
	return strings.HasPrefix(name, "X-Amz-") && !strings.HasPrefix(name, metadataPrefix) && !isChecksum(name, "")
}

func isChecksum(name, _ string) bool {
	return strings.HasPrefix(name, "X-Amz-Checksum-")
}

// GetObject returns an object or a part of it.
func (s *store) GetObject(bucket, key string, part *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	reply, err := s.HeadObject(bucket, key)
	if err != nil {
		return nil, err
	}
	content, err := s.journal.Get(contentKey(bucket, key))
	if err != nil {
		return nil, err
	}
	piece, err := part.Range(reply.Size)
	if err != nil {
		return nil, err
	}
	if piece != nil {
		content = content[piece.Start : piece.Start+piece.Length]
		maps.DeleteFunc(reply.Metadata, isChecksum) // they are of the whole
	}
	reply.Range, reply.Contents = piece, io.NopCloser(bytes.NewReader(content))
	return reply, nil
}

// HeadObject is GetObject without the contents.
func (s *store) HeadObject(bucket, key string) (*gofakes3.Object, error) {
	exists, err := s.BucketExists(bucket)
	if err != nil || !exists {
		return nil, cmp.Or(err, gofakes3.BucketNotFound(bucket))
	}
	text, err := s.journal.Get(objectKey(bucket, key))
	if err != nil || text == nil {
		return nil, cmp.Or(err, gofakes3.KeyNotFound(key))
	}
	var found object
	err = json.Unmarshal(text, &found)
	return &gofakes3.Object{Name: key, Size: found.Size, Hash: found.MD5, Metadata: found.Metadata, Contents: http.NoBody}, err
}

// CopyObject copies an object.
func (s *store) CopyObject(fromBucket, fromKey, bucket, key string, metadata map[string]string) (gofakes3.CopyObjectResult, error) {
	return gofakes3.CopyObject(s, fromBucket, fromKey, bucket, key, metadata)
}

// DeleteObject removes an object if there is one.
func (s *store) DeleteObject(bucket, key string) (result gofakes3.ObjectDeleteResult, err error) {
	_, err = s.DeleteMulti(bucket, key)
	return result, err
}

// DeleteMulti removes objects, all or none.
func (s *store) DeleteMulti(bucket string, keys ...string) (result gofakes3.MultiDeleteResult, err error) {
	err = s.change(func() error {
		for _, key := range keys {
			s.journal.Delete(contentKey(bucket, key))
			s.journal.Delete(objectKey(bucket, key))
			result.Deleted = append(result.Deleted, gofakes3.ObjectID{Key: key})
		}
		return nil
	})
	return result, err
}
