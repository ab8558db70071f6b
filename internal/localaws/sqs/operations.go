package sqs

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// maxRequestBytes bounds a request: 1 MiB of text in which every byte may be written as \u00XX, and some room for the rest.
const maxRequestBytes = 8 << 20

// newProtocol returns what answers over the wire.
func (s *Service) newProtocol() *awsjson.Service {
	return &awsjson.Service{
		Target: "AmazonSQS.", Namespace: "com.amazonaws.sqs#", MaxRequestBytes: maxRequestBytes,
		Operations: s.operations(), Faults: s.options.Faults, Logger: s.options.Logger,
	}
}

// ServeHTTP answers the AWS JSON 1.0 protocol, posted to any path. Signatures are not verified, only refused when malformed.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.protocol.ServeHTTP(w, r) }

// operations lists the calls that are emulated, by the name in X-Amz-Target.
func (s *Service) operations() map[string]awsjson.Operation {
	return map[string]awsjson.Operation{
		"CreateQueue":                  awsjson.Decoded(s.createQueue),
		"GetQueueUrl":                  awsjson.Decoded(s.getQueueURL),
		"ListQueues":                   awsjson.Decoded(s.listQueues),
		"DeleteQueue":                  onQueue(s, s.deleteQueue),
		"PurgeQueue":                   onQueue(s, s.purgeQueue),
		"GetQueueAttributes":           onQueue(s, s.getQueueAttributes),
		"SetQueueAttributes":           onQueue(s, s.setQueueAttributes),
		"ListDeadLetterSourceQueues":   onQueue(s, s.listDeadLetterSourceQueues),
		"TagQueue":                     onQueue(s, s.tagQueue),
		"UntagQueue":                   onQueue(s, s.untagQueue),
		"ListQueueTags":                onQueue(s, s.listQueueTags),
		"SendMessage":                  onMessages(s, single(sendMessage)),
		"SendMessageBatch":             onMessages(s, s.batched("SendMessageBatch", sendMessage)),
		"ReceiveMessage":               awsjson.Decoded(s.receiveMessage),
		"DeleteMessage":                onMessages(s, single(deleteMessage)),
		"DeleteMessageBatch":           onMessages(s, s.batched("DeleteMessageBatch", deleteMessage)),
		"ChangeMessageVisibility":      onMessages(s, single(hideMessage)),
		"ChangeMessageVisibilityBatch": onMessages(s, s.batched("ChangeMessageVisibilityBatch", hideMessage)),
		"StartMessageMoveTask":         awsjson.Decoded(s.startMessageMoveTask),
		"ListMessageMoveTasks":         awsjson.Decoded(s.listMessageMoveTasks),
		"CancelMessageMoveTask":        awsjson.Decoded(s.cancelMessageMoveTask),
	}
}

// call is one call at its queue, under the lock.
type call struct {
	*http.Request
	q   *queue
	now time.Time
}

// onQueue makes an operation of what it does with the queue that its input names. It answers when that is on disk.
func onQueue[Out any](s *Service, do func(c call, in queueInput) (Out, error)) awsjson.Operation {
	return awsjson.Decoded(func(r *http.Request, in queueInput) (Out, error) {
		return changed(s, in.QueueURL, func(q *queue, now time.Time) (Out, error) { return do(call{r, q, now}, in) })
	})
}

// onMessages is onQueue for messages: what can be checked and summed without the queue is done before the lock.
func onMessages[Out any](s *Service, prepare func(r *http.Request, in messageInput) act[Out]) awsjson.Operation {
	return awsjson.Decoded(func(r *http.Request, in messageInput) (Out, error) {
		return changed(s, in.QueueURL, prepare(r, in))
	})
}

// act is what a call does with its queue, under the lock.
type act[Out any] func(q *queue, now time.Time) (Out, error)

// refused is the act of a call that is refused unless its queue is missing.
func refused[Out any](err error) act[Out] {
	return func(*queue, time.Time) (out Out, _ error) { return out, err }
}

// changed acts on a queue and returns when that is on disk.
func changed[Out any](s *Service, address string, do act[Out]) (out Out, err error) {
	name, err := queueName(address)
	if err != nil {
		return out, err
	}
	err = s.change(name, func(q *queue, now time.Time) (err error) {
		out, err = do(q, now)
		return err
	})
	return out, err
}

// checkRange refuses a number outside its bounds.
func checkRange(name string, value, least, most int) error {
	if value >= least && value <= most {
		return nil
	}
	return errParameter("Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.", value, name, least, most)
}

// checkSeconds refuses a time that is negative or too long; nil is none.
func checkSeconds(name string, value *time.Duration, most time.Duration) error {
	return checkRange(name, inSeconds(valueOr(value, 0)), 0, inSeconds(most))
}

func inSeconds(d time.Duration) int { return int(d / time.Second) }

// asDuration is a number of seconds that may be absent.
func asDuration(seconds *int32) *time.Duration {
	if seconds == nil {
		return nil
	}
	return new(time.Duration(*seconds) * time.Second)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
