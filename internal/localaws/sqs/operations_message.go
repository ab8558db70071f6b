package sqs

import (
	"net/http"
	"slices"
	"time"
)

// traceAttribute is the one system attribute that senders may set.
const traceAttribute = "AWSTraceHeader"

// draft reads and checks a message of the wire.
func (e sendEntry) draft(trace string) *draft {
	in := SendInput{Body: e.MessageBody, TraceHeader: trace, Delay: asSeconds(e.DelaySeconds), GroupID: valueOr(e.MessageGroupID, "")}
	if sent, ok := e.SystemAttributes[traceAttribute]; ok {
		in.TraceHeader = sent.StringValue
	}
	if len(e.Attributes) > 0 {
		in.Attributes = make(map[string]Attribute, len(e.Attributes))
		for name, a := range e.Attributes {
			in.Attributes[name] = a.Attribute
		}
	}
	d := newDraft(in)
	if refusal := e.check(); refusal != nil {
		d.refusal = refusal
	}
	return d
}

// check refuses what only the wire can say.
func (e sendEntry) check() error {
	for _, a := range e.Attributes {
		if len(a.StringListValues)+len(a.BinaryListValues) > 0 {
			return errUnsupported("Message attribute list values in SendMessage operation are not supported.")
		}
	}
	for _, name := range sortedKeys(e.SystemAttributes) {
		if a := e.SystemAttributes[name]; name != traceAttribute || a.DataType != "String" || a.StringValue == "" {
			return errParameter("Message system attribute '%s' is invalid: only %s of type String can be sent.", name, traceAttribute)
		}
	}
	switch {
	case e.MessageDeduplicationID != nil:
		return errParameter("Value %s for parameter MessageDeduplicationId is invalid. Reason: "+
			"The request includes a parameter that is not valid for this queue type.", *e.MessageDeduplicationID)
	case e.MessageGroupID != nil && *e.MessageGroupID == "":
		return errParameter("Value \"\" for parameter MessageGroupId is invalid. Reason: "+
			"MessageGroupId must have 1 to %d characters.", MaxGroupIDLength)
	}
	return nil
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
func (e sendEntry) receipt(d *draft) sentEntry {
	return sentEntry{
		ID: e.ID, MessageID: d.ID.String(), BodyMD5: hexSum(d.bodySum),
		AttributesMD5: sumOf(d.Attributes), SystemAttributesMD5: sumOf(e.SystemAttributes),
	}
}

func (s *Service) sendMessage(r *http.Request, in sendInput) (out sentEntry, err error) {
	name, err := s.target(r, in.QueueURL)
	if err != nil {
		return out, err
	}
	d := in.draft(r.Header.Get("X-Amzn-Trace-Id"))
	if err := s.enqueueOne(name, d); err != nil {
		return out, err
	}
	return in.receipt(d), nil
}

func (s *Service) sendMessageBatch(r *http.Request, in batchInput[sendEntry]) (out batchOutput[sentEntry], err error) {
	const op = "SendMessageBatch"
	name, err := s.target(r, in.QueueURL)
	if err != nil {
		return out, err
	}
	if err := checkEntries(op, in.Entries); err != nil {
		return out, err
	}
	drafts, size := make([]*draft, len(in.Entries)), 0
	for i, entry := range in.Entries {
		drafts[i] = entry.draft(r.Header.Get("X-Amzn-Trace-Id"))
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
	for i, entry := range in.Entries {
		if drafts[i].refusal != nil {
			out.Failed = append(out.Failed, failure(entry.ID, drafts[i].refusal))
			continue
		}
		out.Successful = append(out.Successful, entry.receipt(drafts[i]))
	}
	return out, nil
}

func (s *Service) receiveMessage(r *http.Request, in receiveInput) (receiveOutput, error) {
	out := receiveOutput{giveBack: func() {}}
	name, err := s.target(r, in.QueueURL)
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
	deliveries, err := s.receive(r.Context(), name, spec)
	if err != nil {
		return out, err
	}
	out.giveBack = func() { s.giveBack(name, deliveries) }
	out.Messages = view{s.options.AccountID, in.MessageAttributes, system}.messages(deliveries)
	return out, nil
}
