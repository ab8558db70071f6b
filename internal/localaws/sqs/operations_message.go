package sqs

import (
	"context"
	"slices"
	"time"
)

// traceAttribute is the one system attribute that senders may set.
const traceAttribute = "AWSTraceHeader"

// draft checks a message of the wire.
func (o outgoing) draft(c call) (draft, *Error) {
	in := SendInput{Body: o.MessageBody, TraceHeader: c.trace, Attributes: make(map[string]Attribute, len(o.Attributes))}
	for name, value := range o.Attributes {
		if len(value.StringListValues)+len(value.BinaryListValues) > 0 {
			return draft{}, errUnsupported("Message attribute list values in SendMessage operation are not supported.")
		}
		in.Attributes[name] = Attribute{value.DataType, value.StringValue, value.BinaryValue}
	}
	for _, name := range sortedKeys(o.SystemAttributes) {
		value := o.SystemAttributes[name]
		if name != traceAttribute || value.DataType != "String" || value.StringValue == "" {
			return draft{}, errParameter("Message system attribute '%s' is invalid: only %s of type String can be sent.", name, traceAttribute)
		}
		in.TraceHeader = value.StringValue
	}
	if o.DelaySeconds != nil {
		in.Delay = asSeconds(o.DelaySeconds)
	}
	if o.MessageDeduplicationID != nil {
		return draft{}, errParameter("Value %s for parameter MessageDeduplicationId is invalid. Reason: "+
			"The request includes a parameter that is not valid for this queue type.", *o.MessageDeduplicationID)
	}
	if in.GroupID = valueOr(o.MessageGroupID, ""); o.MessageGroupID != nil && in.GroupID == "" {
		return draft{}, errParameter("Value \"\" for parameter MessageGroupId is invalid. Reason: "+
			"MessageGroupId must have 1 to %d characters.", MaxGroupIDLength)
	}
	return newDraft(in)
}

// asSeconds converts without overflow: what is out of every range stays so.
func asSeconds(n *int64) *time.Duration {
	if n == nil {
		return nil
	}
	const far = int64(1 << 32)
	d := time.Duration(max(-far, min(*n, far))) * time.Second
	return &d
}

// receipt is what a sender gets for a message.
func (o outgoing) receipt(p *payload) sentMessage {
	out := sentMessage{MessageID: p.id, BodyMD5: hexSum(p.bodySum)}
	if len(p.attributes) > 0 {
		out.AttributesMD5 = hexSum(p.attributeSum)
	}
	if trace, ok := o.SystemAttributes[traceAttribute]; ok {
		out.SystemAttributesMD5 = hexSum(attributeList{{Attribute{DataType: trace.DataType, StringValue: trace.StringValue}, traceAttribute}}.sum())
	}
	return out
}

func (s *Service) sendMessage(_ context.Context, c call, in *sendInput) (*sentMessage, error) {
	name, err := s.target(c, in.queueInput)
	if err != nil {
		return nil, err
	}
	d, refusal := in.draft(c)
	if refusal != nil {
		return nil, refusal
	}
	refused, err := s.enqueue(name, []draft{d})
	switch {
	case err != nil:
		return nil, err
	case refused[0] != nil:
		return nil, refused[0]
	}
	out := in.receipt(d.payload)
	return &out, nil
}

func (s *Service) sendMessageBatch(_ context.Context, c call, in *batchInput[sendBatchEntry]) (*batchOutput[sentEntry], error) {
	name, err := s.target(c, in.queueInput)
	if err != nil {
		return nil, err
	}
	if err := checkEntries(in.Entries, "SendMessageBatchRequestEntry", func(e sendBatchEntry) string { return e.ID }); err != nil {
		return nil, err
	}
	if size := batchSize(in.Entries); size > MaxBatchBytes {
		return nil, refuse("BatchRequestTooLong", legacyPrefix+"BatchRequestTooLong",
			"Batch requests cannot be longer than %d bytes. You have sent %d bytes.", MaxBatchBytes, size)
	}
	out := new(batchOutput[sentEntry])
	var drafts []draft
	var good []sendBatchEntry
	for _, entry := range in.Entries {
		d, refusal := entry.draft(c)
		if refusal == nil {
			refusal = s.options.Faults.refuseEntry("SendMessageBatch")
		}
		if refusal != nil {
			out.Failed = append(out.Failed, failure(entry.ID, refusal))
			continue
		}
		drafts, good = append(drafts, d), append(good, entry)
	}
	refused, err := s.enqueue(name, drafts)
	if err != nil {
		return nil, err
	}
	for i, entry := range good {
		if refused[i] != nil {
			out.Failed = append(out.Failed, failure(entry.ID, refused[i]))
			continue
		}
		out.Successful = append(out.Successful, sentEntry{entry.receipt(drafts[i].payload), entry.ID})
	}
	return out, nil
}

// batchSize sums bodies and attributes; the system attributes do not count.
func batchSize(entries []sendBatchEntry) int {
	size := 0
	for _, entry := range entries {
		size += len(entry.MessageBody)
		for name, a := range entry.Attributes {
			size += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
		}
	}
	return size
}

// checkEntries refuses a batch as a whole.
func checkEntries[Entry any](entries []Entry, shape string, id func(Entry) string) error {
	switch {
	case len(entries) == 0:
		return refuse("EmptyBatchRequest", legacyPrefix+"EmptyBatchRequest", "There should be at least one %s in the request.", shape)
	case len(entries) > MaxBatchEntries:
		return refuse("TooManyEntriesInBatchRequest", legacyPrefix+"TooManyEntriesInBatchRequest",
			"Maximum number of entries per request are %d. You have sent %d.", MaxBatchEntries, len(entries))
	}
	seen := make(map[string]bool, len(entries))
	for _, entry := range entries {
		switch id := id(entry); {
		case len(id) > MaxEntryIDLength || !isWord(id):
			return refuse("InvalidBatchEntryId", legacyPrefix+"InvalidBatchEntryId", "A batch entry id can only contain "+
				"alphanumeric characters, hyphens and underscores. It can be at most %d letters long.", MaxEntryIDLength)
		case seen[id]:
			return refuse("BatchEntryIdsNotDistinct", legacyPrefix+"BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		default:
			seen[id] = true
		}
	}
	return nil
}

func failure(id string, err error) failedEntry {
	refusal := asError(err)
	return failedEntry{ID: id, SenderFault: refusal.senderFault(), Code: refusal.Code, Message: refusal.Message}
}

func (s *Service) receiveMessage(ctx context.Context, c call, in *receiveInput) (receiveOutput, error) {
	out := receiveOutput{giveBack: func() {}}
	name, err := s.target(c, in.queueInput)
	if err != nil {
		return out, err
	}
	system := slices.Concat(in.AttributeNames, in.SystemAttributeNames)
	for _, attribute := range system {
		if !isSystemAttribute(attribute) {
			return out, errAttributeName(attribute)
		}
	}
	spec := receiveSpec{max: valueOr(in.MaxMessages, 1), wait: asSeconds(in.WaitTimeSeconds), visibility: asSeconds(in.VisibilityTimeout)}
	if err := spec.check(MaxBatchEntries); err != nil {
		return out, err
	}
	deliveries, err := s.receive(ctx, name, spec)
	if err != nil {
		return out, err
	}
	out.giveBack = func() { s.giveBack(name, deliveries) }
	view := view{account: s.options.AccountID, attributes: in.MessageAttributes, system: system}
	for _, d := range deliveries {
		out.Messages = append(out.Messages, wireMessage(view.message(d)))
	}
	return out, nil
}

func wireMessage(m Message) receivedMessage {
	out := receivedMessage{
		MessageID: m.ID, ReceiptHandle: m.ReceiptHandle, Body: m.Body, BodyMD5: m.MD5OfBody,
		Attributes: m.Attributes, AttributesMD5: m.MD5OfMessageAttributes,
	}
	if len(m.MessageAttributes) > 0 {
		out.MessageAttributes = make(map[string]attributeValue, len(m.MessageAttributes))
		for name, a := range m.MessageAttributes {
			out.MessageAttributes[name] = attributeValue{DataType: a.DataType, StringValue: a.StringValue, BinaryValue: a.BinaryValue}
		}
	}
	return out
}

func (s *Service) deleteMessage(_ context.Context, c call, in *handleInput) (*emptyOutput, error) {
	if in.ReceiptHandle == "" {
		return nil, errMissing("ReceiptHandle")
	}
	return changeTarget(s, c, in.queueInput, func(q *liveQueue, _ time.Time) (*emptyOutput, error) {
		return &emptyOutput{}, q.delete(in.ReceiptHandle)
	})
}

func (s *Service) deleteMessageBatch(_ context.Context, c call, in *batchInput[handleEntry]) (*batchOutput[doneEntry], error) {
	if err := checkEntries(in.Entries, "DeleteMessageBatchRequestEntry", func(e handleEntry) string { return e.ID }); err != nil {
		return nil, err
	}
	return changeTarget(s, c, in.queueInput, func(q *liveQueue, _ time.Time) (*batchOutput[doneEntry], error) {
		out := new(batchOutput[doneEntry])
		for _, entry := range in.Entries {
			if refusal := s.options.Faults.refuseEntry("DeleteMessageBatch"); refusal != nil {
				note(out, entry.ID, refusal)
				continue
			}
			note(out, entry.ID, q.delete(entry.ReceiptHandle))
		}
		return out, nil
	})
}

func (s *Service) changeMessageVisibility(_ context.Context, c call, in *visibilityInput) (*emptyOutput, error) {
	return withTarget(s, c, in.queueInput, func(q *liveQueue, now time.Time) (*emptyOutput, error) {
		return &emptyOutput{}, s.changeVisibilityTo(q, now, in.ReceiptHandle, in.VisibilityTimeout)
	})
}

func (s *Service) changeMessageVisibilityBatch(_ context.Context, c call, in *batchInput[visibilityEntry]) (*batchOutput[doneEntry], error) {
	if err := checkEntries(in.Entries, "ChangeMessageVisibilityBatchRequestEntry", func(e visibilityEntry) string { return e.ID }); err != nil {
		return nil, err
	}
	return withTarget(s, c, in.queueInput, func(q *liveQueue, now time.Time) (*batchOutput[doneEntry], error) {
		out := new(batchOutput[doneEntry])
		for _, entry := range in.Entries {
			note(out, entry.ID, s.changeVisibilityTo(q, now, entry.ReceiptHandle, entry.VisibilityTimeout))
		}
		return out, nil
	})
}

// changeVisibilityTo checks what the wire may leave out.
func (s *Service) changeVisibilityTo(q *liveQueue, now time.Time, text string, timeout *int64) error {
	switch {
	case text == "":
		return errMissing("ReceiptHandle")
	case timeout == nil:
		return errMissing("VisibilityTimeout")
	}
	return s.changeVisibility(q, now, text, *asSeconds(timeout))
}

// note adds one entry's outcome to a reply.
func note(out *batchOutput[doneEntry], id string, err error) {
	if err != nil {
		out.Failed = append(out.Failed, failure(id, err))
		return
	}
	out.Successful = append(out.Successful, doneEntry{id})
}
