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
	account    string
	attributes attributeFilter
	system     attributeFilter
}

// message shows one delivery.
func (v view) message(d delivery) Message {
	m := Message{
		ID: d.id, Body: d.body, MD5OfBody: hexSum(d.bodySum), Attributes: v.systemAttributes(d),
		ReceiptHandle: handle{queue: d.queueID, number: d.number, received: d.received}.String(),
	}
	chosen := v.attributes.choose(d.attributes)
	if len(chosen) == 0 {
		return m
	}
	sum := d.attributeSum
	if len(chosen) < len(d.attributes) {
		sum = chosen.sum() // AWS sums what it returns, not what was sent
	}
	m.MD5OfMessageAttributes = hexSum(sum)
	m.MessageAttributes = make(map[string]Attribute, len(chosen))
	for _, a := range chosen {
		m.MessageAttributes[a.name] = Attribute{a.DataType, a.StringValue, slices.Clone(a.BinaryValue)}
	}
	return m
}

// systemAttributes returns the chosen system attributes, nil when there are none.
func (v view) systemAttributes(d delivery) map[string]string {
	if len(v.system) == 0 {
		return nil
	}
	all := map[string]string{
		"SenderId":                         v.account,
		"SentTimestamp":                    strconv.FormatInt(d.sent.UnixMilli(), 10),
		"ApproximateReceiveCount":          strconv.Itoa(int(d.receives)),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(d.firstReceived/int64(time.Millisecond), 10),
	}
	for name, value := range map[string]string{
		"AWSTraceHeader": d.traceHeader, "MessageGroupId": d.groupID, "DeadLetterQueueSourceArn": d.sourceARN,
	} {
		if value != "" {
			all[name] = value
		}
	}
	if !slices.Contains(v.system, "All") {
		maps.DeleteFunc(all, func(name, _ string) bool { return !slices.Contains(v.system, name) })
	}
	if len(all) == 0 {
		return nil
	}
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

// delete removes the message that a receipt handle names.
func (q *liveQueue) delete(text string) error {
	h, err := parseHandle(q.id, text)
	if err != nil {
		return err
	}
	q.remove(h)
	return nil
}

// changeVisibility hides an in-flight message for timeout from now.
func (s *Service) changeVisibility(q *liveQueue, now time.Time, text string, timeout time.Duration) error {
	if timeout < 0 || timeout > MaxVisibility {
		return errSeconds("VisibilityTimeout", timeout, MaxVisibility)
	}
	h, err := parseHandle(q.id, text)
	if err != nil {
		return err
	}
	r := q.known[h.number]
	switch {
	case r == nil:
		return errParameter("Value %s for parameter ReceiptHandle is invalid. Reason: "+
			"Message does not exist or is not available for visibility timeout change.", text)
	case r.state != stateInFlight:
		return errNotInFlight(text)
	case now.Add(timeout).UnixNano()-r.lastReceived > int64(MaxVisibility):
		return errParameter("Value %s for parameter VisibilityTimeout is invalid. Reason: "+
			"Total VisibilityTimeout for the message is beyond the limit [%s seconds].", wholeSeconds(timeout), wholeSeconds(MaxVisibility))
	}
	q.reschedule(r, now.Add(timeout))
	s.settle(q, now)
	return nil
}
