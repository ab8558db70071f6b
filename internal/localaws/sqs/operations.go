package sqs

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// operation decodes a request body and runs one call of the API.
type operation func(ctx context.Context, s *Service, c call, body []byte) (any, error)

// operations lists the calls that are emulated, by the name in X-Amz-Target.
func operations() map[string]operation {
	return map[string]operation{
		"CreateQueue":                  decoded((*Service).createQueue),
		"GetQueueUrl":                  decoded((*Service).getQueueURL),
		"ListQueues":                   decoded((*Service).listQueues),
		"DeleteQueue":                  decoded((*Service).deleteQueue),
		"PurgeQueue":                   changing((*Service).purgeQueue),
		"GetQueueAttributes":           reading((*Service).getQueueAttributes),
		"SetQueueAttributes":           changing((*Service).setAttributes),
		"ListDeadLetterSourceQueues":   decoded((*Service).listDeadLetterSourceQueues),
		"TagQueue":                     changing((*Service).tagQueue),
		"UntagQueue":                   changing((*Service).untagQueue),
		"ListQueueTags":                reading((*Service).listQueueTags),
		"SendMessage":                  decoded((*Service).sendMessage),
		"SendMessageBatch":             decoded((*Service).sendMessageBatch),
		"ReceiveMessage":               decoded((*Service).receiveMessage),
		"DeleteMessage":                changing(single((*Service).removeMessage)),
		"DeleteMessageBatch":           changing(batched("DeleteMessageBatch", (*Service).removeMessage)),
		"ChangeMessageVisibility":      reading(single((*Service).hideMessage)),
		"ChangeMessageVisibilityBatch": reading(batched("ChangeMessageVisibilityBatch", (*Service).hideMessage)),
		"StartMessageMoveTask":         decoded((*Service).startMessageMoveTask),
		"ListMessageMoveTasks":         decoded((*Service).listMessageMoveTasks),
		"CancelMessageMoveTask":        decoded((*Service).cancelMessageMoveTask),
	}
}

// decoded makes an operation of a method with typed input and output.
func decoded[In, Out any](method func(s *Service, ctx context.Context, c call, in *In) (Out, error)) operation {
	return func(ctx context.Context, s *Service, c call, body []byte) (any, error) {
		in := new(In)
		if err := json.Unmarshal(body, in); err != nil {
			return nil, errSerialization("The request body is not what this operation takes: %v", err)
		}
		return method(s, ctx, c, in)
	}
}

// addressed is an input that names a queue.
type addressed interface{ address() string }

// onQueue is what an operation does with its queue, under the lock.
type onQueue[In, Out any] func(s *Service, q *liveQueue, now time.Time, in *In) (Out, error)

// changing makes an operation of what it does with its queue. It answers when that is on disk.
func changing[In addressed, Out any](do onQueue[In, Out]) operation {
	return visiting((*Service).change, do)
}

// reading is changing for what the client does not rely on.
func reading[In addressed, Out any](do onQueue[In, Out]) operation {
	return visiting((*Service).withQueue, do)
}

func visiting[In addressed, Out any](
	visit func(s *Service, name string, fn func(q *liveQueue, now time.Time) error) error, do onQueue[In, Out],
) operation {
	return decoded(func(s *Service, _ context.Context, c call, in *In) (out Out, err error) {
		name, err := s.target(c, (*in).address())
		if err != nil {
			return out, err
		}
		err = visit(s, name, func(q *liveQueue, now time.Time) (err error) {
			out, err = do(s, q, now, in)
			return err
		})
		return out, err
	})
}

// target returns the name of the queue that a call is about: its QueueUrl or else the path it was posted to.
func (s *Service) target(c call, address string) (string, error) {
	if address == "" && len(c.path) > 1 {
		address = c.path
	}
	name, refusal := s.options.queueName(address)
	if refusal != nil {
		return "", refusal
	}
	return name, nil
}

// handleWork is what is done with the message of one receipt handle.
type handleWork func(s *Service, q *liveQueue, now time.Time, e handleEntry) error

// single makes a call for one message.
func single(work handleWork) onQueue[handleInput, *emptyOutput] {
	return func(s *Service, q *liveQueue, now time.Time, in *handleInput) (*emptyOutput, error) {
		if in.ReceiptHandle == "" {
			return nil, errMissing("ReceiptHandle")
		}
		return &emptyOutput{}, work(s, q, now, in.handleEntry)
	}
}

// batched makes the same call for several.
func batched(op string, work handleWork) onQueue[batchInput[handleEntry], *batchOutput[doneEntry]] {
	return func(s *Service, q *liveQueue, now time.Time, in *batchInput[handleEntry]) (*batchOutput[doneEntry], error) {
		if err := checkEntries(op, in.Entries); err != nil {
			return nil, err
		}
		out := new(batchOutput[doneEntry])
		for _, entry := range in.Entries {
			if refusal := s.options.Faults.refuseEntry(op); refusal != nil {
				out.Failed = append(out.Failed, failure(entry.ID, refusal))
			} else if err := work(s, q, now, entry); err != nil {
				out.Failed = append(out.Failed, failure(entry.ID, err))
			} else {
				out.Successful = append(out.Successful, doneEntry{entry.ID})
			}
		}
		return out, nil
	}
}

// checkEntries refuses a batch as a whole.
func checkEntries[Entry interface{ id() string }](op string, entries []Entry) error {
	switch {
	case len(entries) == 0:
		return errLegacy("EmptyBatchRequest", "There should be at least one %sRequestEntry in the request.", op)
	case len(entries) > MaxBatchEntries:
		return errLegacy("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", MaxBatchEntries, len(entries))
	}
	seen := make(map[string]bool, len(entries))
	for _, entry := range entries {
		id := entry.id()
		switch {
		case len(id) > MaxEntryIDLength || !isWord(id):
			return errLegacy("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "+
				"It can be at most %d letters long.", MaxEntryIDLength)
		case seen[id]:
			return errLegacy("BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
		seen[id] = true
	}
	return nil
}

func failure(id string, err error) failedEntry {
	refusal := asError(err)
	return failedEntry{ID: id, SenderFault: refusal.senderFault(), Code: refusal.Code, Message: refusal.Message}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
