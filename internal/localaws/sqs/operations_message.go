package sqs

import (
	"net/http"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// messageInput is the input of the calls that send, delete or hide messages: one message, or the entries of a batch.
type messageInput struct {
	queueAddress
	entry
	Entries []entry
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
	switch {
	case len(entries) == 0:
		return errLegacy("EmptyBatchRequest", "There should be at least one %sRequestEntry in the request.", op)
	case len(entries) > MaxBatchEntries:
		return errLegacy("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", MaxBatchEntries, len(entries))
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

// handleWork is what is done with the message of one receipt handle.
type handleWork func(q *liveQueue, now time.Time, e entry) error

// single makes a call for one message.
func single(work handleWork) func(*liveQueue, time.Time, messageInput) (done, error) {
	return func(q *liveQueue, now time.Time, in messageInput) (done, error) {
		if in.ReceiptHandle == "" {
			return done{}, errMissing("ReceiptHandle")
		}
		return done{}, work(q, now, in.entry)
	}
}

// batched makes the same call for several.
func (s *Service) batched(op string, work handleWork) func(*liveQueue, time.Time, messageInput) (batchOutput, error) {
	return func(q *liveQueue, now time.Time, in messageInput) (out batchOutput, err error) {
		if err := checkEntries(op, in.Entries); err != nil {
			return out, err
		}
		for _, e := range in.Entries {
			err := s.options.Faults.Entry.Ask(op, nil)
			if err == nil {
				err = work(q, now, e)
			}
			out.add(done{ID: e.ID}, err)
		}
		return out, nil
	}
}

// removeMessage deletes the message that a receipt handle names.
func (s *Service) removeMessage(q *liveQueue, _ time.Time, e entry) error {
	h, err := parseHandle(q.id, e.ReceiptHandle)
	if err != nil {
		return err
	}
	q.remove(h)
	return nil
}

// hideMessage hides an in-flight message from now on.
func (s *Service) hideMessage(q *liveQueue, now time.Time, e entry) error {
	timeout := asDuration(e.VisibilityTimeout)
	if timeout == nil {
		return errMissing("VisibilityTimeout")
	}
	return s.hide(q, now, e.ReceiptHandle, *timeout)
}

func (s *Service) hide(q *liveQueue, now time.Time, receiptHandle string, timeout time.Duration) error {
	if err := checkSeconds("VisibilityTimeout", &timeout, MaxVisibility); err != nil {
		return err
	}
	h, err := parseHandle(q.id, receiptHandle)
	if err != nil {
		return err
	}
	r := q.known[h.Number]
	switch {
	case r == nil:
		return errValue("ReceiptHandle", receiptHandle, "Message does not exist or is not available for visibility timeout change.")
	case r.state != stateInFlight:
		return errLegacy("MessageNotInflight", "The message of receipt handle %q is not in flight.", receiptHandle)
	case now.Add(timeout).UnixNano()-r.LastReceived > int64(MaxVisibility):
		return errValue("VisibilityTimeout", inSeconds(timeout), "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	}
	q.reschedule(r, now.Add(timeout))
	s.settle(q, now)
	return nil
}

func (s *Service) sendMessage(r *http.Request, in messageInput) (out done, err error) {
	name, err := s.target(r, in.QueueURL)
	if err != nil {
		return out, err
	}
	d := in.draft(r)
	if err := s.enqueueOne(name, d); err != nil {
		return out, err
	}
	return in.receipt(d), nil
}

func (s *Service) sendMessageBatch(r *http.Request, in messageInput) (out batchOutput, err error) {
	const op = "SendMessageBatch"
	name, err := s.target(r, in.QueueURL)
	if err != nil {
		return out, err
	}
	if err := checkEntries(op, in.Entries); err != nil {
		return out, err
	}
	drafts, size := make([]*draft, len(in.Entries)), 0
	for i, e := range in.Entries {
		drafts[i] = e.draft(r)
		size += drafts[i].size
		if drafts[i].refusal == nil {
			drafts[i].refusal = s.options.Faults.Entry.Ask(op, nil)
		}
	}
	if size > MaxBatchBytes {
		return out, errLegacy("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", MaxBatchBytes, size)
	}
	if err := s.enqueue(name, drafts...); err != nil {
		return out, err
	}
	for i, e := range in.Entries {
		out.add(e.receipt(drafts[i]), drafts[i].refusal)
	}
	return out, nil
}

type receiveInput struct {
	queueAddress
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
	name, err := s.target(r, in.QueueURL)
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
	shown := view{s.options.AccountID, in.MessageAttributeNames, system}.messages(deliveries)
	return receiveOutput{shown, func() { s.giveBack(name, deliveries) }}, nil
}
