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

// withTags returns tags with more of them, unless a queue cannot have them.
func withTags(tags, more map[string]string) (map[string]string, error) {
	all := maps.Clone(tags)
	maps.Copy(all, more)
	if len(all) > MaxTags {
		return nil, errParameter("Too many tags added for queue: at most %d.", MaxTags)
	}
	for _, key := range sortedKeys(more) {
		if key == "" || len(key) > maxTagKey || len(more[key]) > maxTagValue {
			return nil, errParameter("Tag %q is invalid: keys have 1 to %d characters, values at most %d.", key, maxTagKey, maxTagValue)
		}
	}
	return all, nil
}

func (s *Service) tagQueue(q *liveQueue, _ time.Time, in tagsInput) (out emptyOutput, err error) {
	if len(in.Tags) == 0 {
		return out, errMissing("Tags")
	}
	tags, err := withTags(q.tags, in.Tags)
	if err != nil {
		return out, err
	}
	q.tags = tags
	s.keepQueue(q)
	return out, nil
}

func (s *Service) untagQueue(q *liveQueue, _ time.Time, in tagKeysInput) (out emptyOutput, err error) {
	if len(in.TagKeys) == 0 {
		return out, errMissing("TagKeys")
	}
	for _, key := range in.TagKeys {
		delete(q.tags, key)
	}
	s.keepQueue(q)
	return out, nil
}

func (s *Service) listQueueTags(q *liveQueue, _ time.Time, _ queueInput) (tagsOutput, error) {
	return tagsOutput{maps.Clone(q.tags)}, nil
}
