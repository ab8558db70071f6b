package sqs

import (
	"maps"
	"time"
)

// Lengths of a tag's key and value, in bytes ("Amazon SQS cost allocation tags").
const (
	maxTagKey   = 128
	maxTagValue = 256
)

// checkTags refuses tags that a queue cannot have.
func checkTags(tags map[string]string) error {
	if len(tags) > MaxTags {
		return errParameter("Too many tags added for queue: at most %d.", MaxTags)
	}
	for _, key := range sortedKeys(tags) {
		if key == "" || len(key) > maxTagKey || len(tags[key]) > maxTagValue {
			return errParameter("Tag %q is invalid: keys have 1 to %d characters, values at most %d.", key, maxTagKey, maxTagValue)
		}
	}
	return nil
}

func (s *Service) tagQueue(q *liveQueue, _ time.Time, in queueInput) (out queueOutput, err error) {
	tags := maps.Clone(q.tags)
	maps.Copy(tags, in.Tags)
	if len(in.Tags) == 0 {
		return out, errMissing("Tags")
	}
	if err := checkTags(tags); err != nil {
		return out, err
	}
	q.tags = tags
	s.keepQueue(q)
	return out, nil
}

func (s *Service) untagQueue(q *liveQueue, _ time.Time, in queueInput) (out queueOutput, err error) {
	if len(in.TagKeys) == 0 {
		return out, errMissing("TagKeys")
	}
	for _, key := range in.TagKeys {
		delete(q.tags, key)
	}
	s.keepQueue(q)
	return out, nil
}

func (s *Service) listQueueTags(q *liveQueue, _ time.Time, _ queueInput) (queueOutput, error) {
	return queueOutput{Tags: maps.Clone(q.tags)}, nil
}
