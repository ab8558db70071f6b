package sqs

import "maps"

// checkTags refuses tags that a queue cannot have. Lengths are from "Amazon SQS cost allocation tags".
func checkTags(tags map[string]string) error {
	for key, value := range tags {
		if len(tags) > MaxTags || key == "" || len(key) > 128 || len(value) > 256 {
			return errParameter("Tag %q is invalid: a queue has at most %d tags, with keys of 1 to 128 and values of at most 256 characters.", key, MaxTags)
		}
	}
	return nil
}

func (s *Service) tagQueue(c call, in queueInput) (out queueOutput, err error) {
	tags := maps.Clone(c.q.Tags)
	maps.Copy(tags, in.Tags)
	if err := checkTags(tags); err != nil {
		return out, err
	}
	c.q.Tags = tags
	s.keepQueue(c.q)
	return out, nil
}

func (s *Service) untagQueue(c call, in queueInput) (out queueOutput, err error) {
	for _, key := range in.TagKeys {
		delete(c.q.Tags, key)
	}
	s.keepQueue(c.q)
	return out, nil
}

func (s *Service) listQueueTags(c call, _ queueInput) (queueOutput, error) {
	return queueOutput{Tags: maps.Clone(c.q.Tags)}, nil
}
