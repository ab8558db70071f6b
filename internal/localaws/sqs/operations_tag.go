package sqs

import "maps"

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

func (s *Service) tagQueue(c call, in queueInput) (out queueOutput, err error) {
	tags := maps.Clone(c.q.Tags)
	maps.Copy(tags, in.Tags)
	if len(in.Tags) == 0 {
		return out, errMissing("Tags")
	}
	if err := checkTags(tags); err != nil {
		return out, err
	}
	c.q.Tags = tags
	s.keepQueue(c.q)
	return out, nil
}

func (s *Service) untagQueue(c call, in queueInput) (out queueOutput, err error) {
	if len(in.TagKeys) == 0 {
		return out, errMissing("TagKeys")
	}
	for _, key := range in.TagKeys {
		delete(c.q.Tags, key)
	}
	s.keepQueue(c.q)
	return out, nil
}

func (s *Service) listQueueTags(c call, _ queueInput) (queueOutput, error) {
	return queueOutput{Tags: maps.Clone(c.q.Tags)}, nil
}
