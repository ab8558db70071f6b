package sqs

import (
	"context"
	"maps"
	"time"
)

// Lengths of a tag's key and value, in bytes ("Amazon SQS cost allocation tags").
const (
	maxTagKey   = 128
	maxTagValue = 256
)

// checkTags refuses what TagQueue refuses; already counts the tags that stay.
func checkTags(tags map[string]string, already int) error {
	if already+len(tags) > MaxTags {
		return errParameter("Too many tags added for queue: at most %d.", MaxTags)
	}
	for _, key := range sortedKeys(tags) {
		if key == "" || len(key) > maxTagKey || len(tags[key]) > maxTagValue {
			return errParameter("Tag %q is invalid: keys have 1 to %d characters, values at most %d.", key, maxTagKey, maxTagValue)
		}
	}
	return nil
}

func (s *Service) tagQueue(_ context.Context, c call, in *tagQueueInput) (*emptyOutput, error) {
	if len(in.Tags) == 0 {
		return nil, errMissing("Tags")
	}
	return changeTarget(s, c, in.queueInput, func(q *liveQueue, _ time.Time) (*emptyOutput, error) {
		already := 0
		for key := range q.tags {
			if _, replaced := in.Tags[key]; !replaced {
				already++
			}
		}
		if err := checkTags(in.Tags, already); err != nil {
			return nil, err
		}
		maps.Copy(q.tags, in.Tags)
		s.keepQueue(q)
		return &emptyOutput{}, nil
	})
}

func (s *Service) untagQueue(_ context.Context, c call, in *untagQueueInput) (*emptyOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, errMissing("TagKeys")
	}
	return changeTarget(s, c, in.queueInput, func(q *liveQueue, _ time.Time) (*emptyOutput, error) {
		for _, key := range in.TagKeys {
			delete(q.tags, key)
		}
		s.keepQueue(q)
		return &emptyOutput{}, nil
	})
}

func (s *Service) listQueueTags(_ context.Context, c call, in *queueInput) (*listTagsOutput, error) {
	return withTarget(s, c, *in, func(q *liveQueue, _ time.Time) (*listTagsOutput, error) {
		return &listTagsOutput{maps.Clone(q.tags)}, nil
	})
}
