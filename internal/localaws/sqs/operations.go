package sqs

import (
	"maps"
	"slices"
)

// operations lists the calls that are emulated, by the name in X-Amz-Target.
func operations() map[string]operation {
	return map[string]operation{
		"CreateQueue":                  decoded((*Service).createQueue),
		"GetQueueUrl":                  decoded((*Service).getQueueURL),
		"ListQueues":                   decoded((*Service).listQueues),
		"DeleteQueue":                  decoded((*Service).deleteQueue),
		"PurgeQueue":                   decoded((*Service).purgeQueue),
		"GetQueueAttributes":           decoded((*Service).getQueueAttributes),
		"SetQueueAttributes":           decoded((*Service).setQueueAttributes),
		"ListDeadLetterSourceQueues":   decoded((*Service).listDeadLetterSourceQueues),
		"TagQueue":                     decoded((*Service).tagQueue),
		"UntagQueue":                   decoded((*Service).untagQueue),
		"ListQueueTags":                decoded((*Service).listQueueTags),
		"SendMessage":                  decoded((*Service).sendMessage),
		"SendMessageBatch":             decoded((*Service).sendMessageBatch),
		"ReceiveMessage":               decoded((*Service).receiveMessage),
		"DeleteMessage":                decoded((*Service).deleteMessage),
		"DeleteMessageBatch":           decoded((*Service).deleteMessageBatch),
		"ChangeMessageVisibility":      decoded((*Service).changeMessageVisibility),
		"ChangeMessageVisibilityBatch": decoded((*Service).changeMessageVisibilityBatch),
		"StartMessageMoveTask":         decoded((*Service).startMessageMoveTask),
		"ListMessageMoveTasks":         decoded((*Service).listMessageMoveTasks),
		"CancelMessageMoveTask":        decoded((*Service).cancelMessageMoveTask),
	}
}

// target returns the name of the queue that a call is about: its QueueUrl or else the path it was posted to.
func (s *Service) target(c call, in queueInput) (string, error) {
	address := in.QueueURL
	if address == "" && len(c.path) > 1 {
		address = c.path
	}
	name, err := s.options.queueName(address)
	if err != nil {
		return "", err
	}
	return name, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
