package sqs

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// check refuses what ReceiveMessage refuses; most is the largest number of messages.
func (r receiveSpec) check(most int) error {
	switch {
	case r.max < 1 || r.max > most:
		return errRange("MaxNumberOfMessages", int64(r.max), 1, int64(most))
	case r.wait != nil && (*r.wait < 0 || *r.wait > MaxWait):
		return errSeconds("WaitTimeSeconds", *r.wait, MaxWait)
	case r.visibility != nil && (*r.visibility < 0 || *r.visibility > MaxVisibility):
		return errSeconds("VisibilityTimeout", *r.visibility, MaxVisibility)
	}
	return nil
}

func errSeconds(name string, value, most time.Duration) *Error {
	return errRange(name, int64(value/time.Second), 0, int64(most/time.Second))
}

// view says how the deliveries of one receive are shown.
type view struct {
	account            string
	attributes, system attributeFilter
}

// everything shows all there is.
func (s *Service) everything() view {
	return view{s.options.AccountID, attributeFilter{"All"}, attributeFilter{"All"}}
}

func (v view) messages(deliveries []delivery) []Message {
	messages := make([]Message, len(deliveries))
	for i, d := range deliveries {
		chosen := v.attributes.choose(d.Attributes)
		messages[i] = Message{
			ID: d.ID.String(), Body: d.Body, MD5OfBody: hexSum(d.bodySum), Attributes: v.systemAttributes(d), ReceiptHandle: d.handle.String(),
			MessageAttributes: chosen, MD5OfMessageAttributes: sumOf(chosen), // AWS sums what it returns, not what was sent
		}
	}
	return messages
}

// systemAttributes returns the chosen system attributes, nil when there are none.
func (v view) systemAttributes(d delivery) map[string]string {
	if len(v.system) == 0 {
		return nil
	}
	all := map[string]string{
		"SenderId":                         v.account,
		"SentTimestamp":                    strconv.FormatInt(d.Sent/int64(time.Millisecond), 10),
		"ApproximateReceiveCount":          strconv.Itoa(int(d.Receives)),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(d.FirstReceived/int64(time.Millisecond), 10),
		"AWSTraceHeader":                   d.TraceHeader,
		"MessageGroupId":                   d.GroupID,
		"DeadLetterQueueSourceArn":         d.SourceARN,
	}
	wantsAll := slices.Contains(v.system, "All")
	maps.DeleteFunc(all, func(name, value string) bool { return value == "" || !wantsAll && !slices.Contains(v.system, name) })
	return all
}

// isSystemAttribute says whether ReceiveMessage may ask for it; the FIFO ones never have a value here.
func isSystemAttribute(name string) bool {
	switch name {
	case "All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp", "AWSTraceHeader",
		"MessageGroupId", "DeadLetterQueueSourceArn", "SequenceNumber", "MessageDeduplicationId":
		return true
	}
	return false
}

// removeMessage deletes the message that a receipt handle names.
func (s *Service) removeMessage(q *liveQueue, _ time.Time, e handleEntry) error {
	h, err := parseHandle(q.id, e.ReceiptHandle)
	if err != nil {
		return err
	}
	q.remove(h)
	return nil
}

// hideMessage hides an in-flight message from now on.
func (s *Service) hideMessage(q *liveQueue, now time.Time, e handleEntry) error {
	if e.VisibilityTimeout == nil {
		return errMissing("VisibilityTimeout")
	}
	timeout := *asSeconds(e.VisibilityTimeout)
	if timeout < 0 || timeout > MaxVisibility {
		return errSeconds("VisibilityTimeout", timeout, MaxVisibility)
	}
	h, err := parseHandle(q.id, e.ReceiptHandle)
	if err != nil {
		return err
	}
	r := q.known[h.Number]
	switch {
	case r == nil:
		return errParameter("Value %s for parameter ReceiptHandle is invalid. Reason: "+
			"Message does not exist or is not available for visibility timeout change.", e.ReceiptHandle)
	case r.state != stateInFlight:
		return errLegacy("MessageNotInflight", "The message of receipt handle %q is not in flight.", e.ReceiptHandle)
	case now.Add(timeout).UnixNano()-r.LastReceived > int64(MaxVisibility):
		return errParameter("Value %s for parameter VisibilityTimeout is invalid. Reason: "+
			"Total VisibilityTimeout for the message is beyond the limit [%s seconds].", wholeSeconds(timeout), wholeSeconds(MaxVisibility))
	}
	q.reschedule(r, now.Add(timeout))
	s.settle(q, now)
	return nil
}
