package s3

import (
	"bytes"
	"crypto/md5" //nolint:gosec // an ETag is the MD5 of the object
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/johannesboyne/gofakes3"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// metadataPrefix starts the headers of user metadata.
const metadataPrefix = "X-Amz-Meta-"

// PutObject keeps an object in place of the one before.
func (s *store) PutObject(
	bucket, key string, metadata map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions,
) (gofakes3.PutObjectResult, error) {
	content, err := gofakes3.ReadAll(input, size)
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	return gofakes3.PutObjectResult{}, s.put(bucket, key, content, metadata, conditions)
}

func (s *store) put(bucket, key string, content []byte, metadata map[string]string, conditions *gofakes3.PutConditions) error {
	leave, err := s.enter(conditions != nil)
	if err != nil {
		return err
	}
	defer leave()
	before, err := s.find(bucket, key)
	if err != nil {
		return err
	}
	if conditions != nil {
		info := gofakes3.ConditionalObjectInfo{Exists: before != nil}
		if before != nil {
			info.Hash = before.MD5
		}
		if err := gofakes3.CheckPutConditions(conditions, &info); err != nil {
			return err
		}
	}
	if s.journal.Full() {
		return gofakes3.ErrorMessage(gofakes3.ErrInternal, "The disk is full: delete objects, or make room.")
	}
	sum := md5.Sum(content) //nolint:gosec // see above
	about, err := json.Marshal(object{
		Size: int64(len(content)), MD5: sum[:], Modified: time.Now().UTC(), Metadata: kept(metadata),
	})
	if err != nil {
		return err
	}
	return s.change(func(j *journal.Journal) {
		j.Set(contentKey(bucket, key), content)
		j.Set(objectKey(bucket, key), about)
	})
}

// kept is what S3 keeps of the headers of a put; gofakes3 hands over the session token, too.
func kept(headers map[string]string) map[string]string {
	metadata := make(map[string]string, len(headers))
	for name, value := range headers {
		switch {
		case strings.HasPrefix(name, "Content-"), strings.HasPrefix(name, metadataPrefix), isChecksum(name), name == "Last-Modified":
			metadata[name] = value
		}
	}
	return metadata
}

func isChecksum(name string) bool {
	return strings.HasPrefix(name, "X-Amz-Checksum-") && name != "X-Amz-Checksum-Mode" && name != "X-Amz-Checksum-Algorithm"
}

// GetObject returns an object or a part of it.
func (s *store) GetObject(bucket, key string, part *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	return s.get(bucket, key, s.findWhole, func(found *object) (*gofakes3.Object, error) {
		piece, err := part.Range(found.Size)
		if err != nil {
			return nil, err
		}
		content := found.content
		if piece != nil {
			content = content[piece.Start : piece.Start+piece.Length]
		}
		return &gofakes3.Object{Range: piece, Contents: io.NopCloser(bytes.NewReader(content))}, nil
	})
}

// HeadObject is GetObject without the contents.
func (s *store) HeadObject(bucket, key string) (*gofakes3.Object, error) {
	return s.get(bucket, key, s.find, func(*object) (*gofakes3.Object, error) {
		return &gofakes3.Object{Contents: io.NopCloser(bytes.NewReader(nil))}, nil
	})
}

// get finds an object, in one of two ways, and lets read begin its reply.
func (s *store) get(
	bucket, key string, find func(bucket, key string) (*object, error), read func(*object) (*gofakes3.Object, error),
) (*gofakes3.Object, error) {
	leave, err := s.enter(false)
	if err != nil {
		return nil, err
	}
	defer leave()
	found, err := find(bucket, key)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, gofakes3.KeyNotFound(key)
	}
	reply, err := read(found)
	if err != nil {
		return nil, err
	}
	reply.Name, reply.Size, reply.Hash, reply.Metadata = key, found.Size, found.MD5, found.Metadata
	if reply.Range != nil {
		dropChecksums(reply.Metadata) // they are of the whole
	}
	return reply, nil
}

func dropChecksums(metadata map[string]string) {
	for name := range metadata {
		if isChecksum(name) {
			delete(metadata, name)
		}
	}
}

// DeleteObject removes an object if there is one.
func (s *store) DeleteObject(bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	_, err := s.DeleteMulti(bucket, key)
	return gofakes3.ObjectDeleteResult{}, err
}

// DeleteMulti removes objects, all or none.
func (s *store) DeleteMulti(bucket string, keys ...string) (gofakes3.MultiDeleteResult, error) {
	var result gofakes3.MultiDeleteResult
	leave, err := s.enter(false)
	if err != nil {
		return result, err
	}
	defer leave()
	if exists, err := s.bucketExists(bucket); err != nil || !exists {
		return result, orElse(err, gofakes3.BucketNotFound(bucket))
	}
	for _, key := range keys {
		result.Deleted = append(result.Deleted, gofakes3.ObjectID{Key: key})
	}
	return result, s.change(func(j *journal.Journal) {
		for _, key := range keys {
			j.Delete(contentKey(bucket, key))
			j.Delete(objectKey(bucket, key))
		}
	})
}

// CopyObject copies an object.
func (s *store) CopyObject(fromBucket, fromKey, bucket, key string, metadata map[string]string) (gofakes3.CopyObjectResult, error) {
	return gofakes3.CopyObject(s, fromBucket, fromKey, bucket, key, metadata)
}
