package sqs

import (
	"net/http"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// messageInput is the input of the calls that send, delete or hide messages: one message, or the entries of a batch.
type messageInput struct {
	entry
	QueueURL string `json:"QueueUrl"`
	Entries  []entry
}

// entry says what to do with one message; each call reads its own members. Without a batch it has no ID. Pointers tell an
// absent member from a zero.
type entry struct {
	ID                      string `json:"Id"`
	MessageBody             string
	DelaySeconds            *int32
	MessageAttributes       map[string]Attribute
	MessageSystemAttributes map[string]Attribute
	MessageGroupID          *string `json:"MessageGroupId"`
	MessageDeduplicationID  *string `json:"MessageDeduplicationId"`
	ReceiptHandle           string
	VisibilityTimeout       *int32
}

// done is what became of a message: of a sent one all, of another the id of its entry.
type done struct {
	ID                  string `json:"Id,omitempty"`
	MessageID           string `json:"MessageId,omitempty"`
	BodyMD5             string `json:"MD5OfMessageBody,omitempty"`
	AttributesMD5       string `json:"MD5OfMessageAttributes,omitempty"`
	SystemAttributesMD5 string `json:"MD5OfMessageSystemAttributes,omitempty"`
}

// batchOutput is every batch reply; AWS leaves out what is empty.
type batchOutput struct {
	Successful []done   `json:",omitempty"`
	Failed     []failed `json:",omitempty"`
}

type failed struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

// add notes what became of an entry.
func (o *batchOutput) add(entry done, err error) {
	if err == nil {
		o.Successful = append(o.Successful, entry)
		return
	}
	refusal := awsjson.AsError(err)
	o.Failed = append(o.Failed, failed{ID: entry.ID, SenderFault: refusal.SenderFault(), Code: refusal.Code, Message: refusal.Message})
}

// checkEntries refuses a batch as a whole.
func checkEntries(op string, entries []entry) error {
	size := 0
	for _, e := range entries {
		size += len(e.MessageBody) + sizeOf(e.MessageAttributes)
	}
	switch {
	case len(entries) == 0:
		return errLegacy("EmptyBatchRequest", "There should be at least one %sRequestEntry in the request.", op)
	case len(entries) > MaxBatchEntries:
		return errLegacy("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", MaxBatchEntries, len(entries))
	case size > MaxBatchBytes:
		return errLegacy("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", MaxBatchBytes, size)
	}
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		switch {
		case len(e.ID) > MaxEntryIDLength || !isWord(e.ID):
			return errLegacy("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "+
				"It can be at most %d letters long.", MaxEntryIDLength)
		case seen[e.ID]:
			return errLegacy("BatchEntryIdsNotDistinct", "Id %s repeated.", e.ID)
		}
		seen[e.ID] = true
	}
	return nil
}

// work prepares what is done with one message.
type work func(r *http.Request, e entry) act[done]

// single makes a call for one message.
func single(prepare work) func(*http.Request, messageInput) act[done] {
	return func(r *http.Request, in messageInput) act[done] { return prepare(r, in.entry) }
}

// batched makes the same call for several.
func (s *Service) batched(op string, prepare work) func(*http.Request, messageInput) act[batchOutput] {
	return func(r *http.Request, in messageInput) act[batchOutput] {
		if err := checkEntries(op, in.Entries); err != nil {
			return refused[batchOutput](err)
		}
		acts := make([]act[done], len(in.Entries))
		for i, e := range in.Entries {
			acts[i] = prepare(r, e)
			if err := s.options.Faults.Entry.Ask(op, nil); err != nil {
				acts[i] = refused[done](err)
			}
		}
		return func(q *queue, now time.Time) (out batchOutput, err error) {
			for i, e := range in.Entries {
				result, err := acts[i](q, now)
				result.ID = e.ID
				out.add(result, err)
			}
			return out, nil
		}
	}
}

// deleteMessage deletes the message that a receipt handle names.
func deleteMessage(_ *http.Request, e entry) act[done] {
	return func(q *queue, _ time.Time) (done, error) { return done{}, q.removeBy(e.ReceiptHandle) }
}

func (q *queue) removeBy(receiptHandle string) error {
	h, err := parseHandle(q.ID, receiptHandle)
	if err == nil {
		q.remove(h)
	}
	return err
}

// hideMessage hides an in-flight message from now on.
func hideMessage(_ *http.Request, e entry) act[done] {
	timeout := asDuration(e.VisibilityTimeout)
	if timeout == nil {
		return refused[done](errMissing("VisibilityTimeout"))
	}
	return func(q *queue, now time.Time) (done, error) { return done{}, q.hideBy(e.ReceiptHandle, now, *timeout) }
}

func (q *queue) hideBy(receiptHandle string, now time.Time, timeout time.Duration) error {
	if err := checkSeconds("VisibilityTimeout", &timeout, MaxVisibility); err != nil {
		return err
	}
	h, err := parseHandle(q.ID, receiptHandle)
	if err != nil {
		return err
	}
	r := q.known[h.Number]
	switch {
	case r == nil:
		return errValue("ReceiptHandle", receiptHandle, "Message does not exist or is not available for visibility timeout change.")
	case r.held != HeldInFlight:
		return errLegacy("MessageNotInflight", "The message of receipt handle %q is not in flight.", receiptHandle)
	case now.Add(timeout).UnixNano()-r.LastReceived > int64(MaxVisibility):
		return errValue("VisibilityTimeout", inSeconds(timeout), "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	}
	q.hide(r, now.Add(timeout))
	return nil
}

type receiveInput struct {
	QueueURL                    string `json:"QueueUrl"`
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int32
	WaitTimeSeconds             *int32
}

type receiveOutput struct {
	Messages []Message `json:",omitempty"`
	giveBack func()
}

// Undo puts back what the client did not get.
func (o receiveOutput) Undo() { o.giveBack() }

func (s *Service) receiveMessage(r *http.Request, in receiveInput) (out receiveOutput, err error) {
	name, err := queueName(in.QueueURL)
	if err != nil {
		return out, err
	}
	system := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
	for _, attribute := range system {
		if !slices.Contains(systemAttributes, attribute) {
			return out, errAttributeName(attribute)
		}
	}
	spec := receiveSpec{max: valueOr(in.MaxNumberOfMessages, 1), wait: asDuration(in.WaitTimeSeconds), visibility: asDuration(in.VisibilityTimeout)}
	if err := spec.check(MaxBatchEntries); err != nil {
		return out, err
	}
	deliveries, err := s.receive(r.Context(), name, spec)
	if err != nil {
		return out, err
	}
	return receiveOutput{s.show(deliveries, in.MessageAttributeNames, system), func() { s.giveBack(name, deliveries) }}, nil
}
