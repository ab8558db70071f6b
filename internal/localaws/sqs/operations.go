package sqs

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// operations lists the calls that are emulated, by the name in X-Amz-Target.
func (s *Service) operations() map[string]awsjson.Operation {
	return map[string]awsjson.Operation{
		"CreateQueue":                  awsjson.Decoded(s.createQueue),
		"GetQueueUrl":                  awsjson.Decoded(s.getQueueURL),
		"ListQueues":                   awsjson.Decoded(s.listQueues),
		"DeleteQueue":                  awsjson.Decoded(s.deleteQueue),
		"PurgeQueue":                   onQueue(s, s.purgeQueue),
		"GetQueueAttributes":           onQueue(s, s.getQueueAttributes),
		"SetQueueAttributes":           onQueue(s, s.setAttributes),
		"ListDeadLetterSourceQueues":   awsjson.Decoded(s.listDeadLetterSourceQueues),
		"TagQueue":                     onQueue(s, s.tagQueue),
		"UntagQueue":                   onQueue(s, s.untagQueue),
		"ListQueueTags":                onQueue(s, s.listQueueTags),
		"SendMessage":                  awsjson.Decoded(s.sendMessage),
		"SendMessageBatch":             awsjson.Decoded(s.sendMessageBatch),
		"ReceiveMessage":               awsjson.Decoded(s.receiveMessage),
		"DeleteMessage":                onQueue(s, single(s.removeMessage)),
		"DeleteMessageBatch":           onQueue(s, s.batched("DeleteMessageBatch", s.removeMessage)),
		"ChangeMessageVisibility":      onQueue(s, single(s.hideMessage)),
		"ChangeMessageVisibilityBatch": onQueue(s, s.batched("ChangeMessageVisibilityBatch", s.hideMessage)),
		"StartMessageMoveTask":         awsjson.Decoded(s.startMessageMoveTask),
		"ListMessageMoveTasks":         awsjson.Decoded(s.listMessageMoveTasks),
		"CancelMessageMoveTask":        awsjson.Decoded(s.cancelMessageMoveTask),
	}
}

// addressed is an input that names a queue.
type addressed interface{ address() string }

// onQueue makes an operation of what it does with the queue that its input names, under the lock. It answers when that is on disk.
func onQueue[In addressed, Out any](s *Service, do func(q *liveQueue, now time.Time, in In) (Out, error)) awsjson.Operation {
	return awsjson.Decoded(func(r *http.Request, in In) (out Out, err error) {
		name, err := s.target(r, in.address())
		if err != nil {
			return out, err
		}
		err = s.change(name, func(q *liveQueue, now time.Time) (err error) {
			out, err = do(q, now, in)
			return err
		})
		return out, err
	})
}

// target returns the name of the queue that a call is about: its QueueUrl or else the path it was posted to.
func (s *Service) target(r *http.Request, address string) (string, error) {
	if address == "" && len(r.URL.Path) > 1 {
		address = r.URL.Path
	}
	name, refusal := s.options.queueName(address)
	if refusal != nil {
		return "", refusal
	}
	return name, nil
}

// handleWork is what is done with the message of one receipt handle.
type handleWork func(q *liveQueue, now time.Time, e handleEntry) error

// single makes a call for one message.
func single(work handleWork) func(*liveQueue, time.Time, handleInput) (*emptyOutput, error) {
	return func(q *liveQueue, now time.Time, in handleInput) (*emptyOutput, error) {
		if in.ReceiptHandle == "" {
			return nil, errMissing("ReceiptHandle")
		}
		return &emptyOutput{}, work(q, now, in.handleEntry)
	}
}

// batched makes the same call for several.
func (s *Service) batched(op string, work handleWork) func(*liveQueue, time.Time, batchInput[handleEntry]) (*batchOutput[doneEntry], error) {
	return func(q *liveQueue, now time.Time, in batchInput[handleEntry]) (*batchOutput[doneEntry], error) {
		if err := checkEntries(op, in.Entries); err != nil {
			return nil, err
		}
		out := new(batchOutput[doneEntry])
		for _, entry := range in.Entries {
			if refusal := s.options.Faults.Entry.Ask(op, nil); refusal != nil {
				out.Failed = append(out.Failed, failure(entry.ID, refusal))
			} else if err := work(q, now, entry); err != nil {
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
	refusal := awsjson.AsError(err)
	return failedEntry{ID: id, SenderFault: refusal.SenderFault(), Code: refusal.Code, Message: refusal.Message}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
