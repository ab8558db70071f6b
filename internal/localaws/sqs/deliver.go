package sqs

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"
)

// check refuses what ReceiveMessage refuses; most is the largest number of messages.
func (r receiveSpec) check(most int) error {
	return cmp.Or(
		checkRange("MaxNumberOfMessages", r.max, 1, most),
		checkSeconds("WaitTimeSeconds", r.wait, MaxWait),
		checkSeconds("VisibilityTimeout", r.visibility, MaxVisibility),
	)
}

// systemAttributes are what ReceiveMessage may ask for; the last two, of FIFO queues, never have a value here.
//
//nolint:gochecknoglobals // a constant table
var systemAttributes = []string{
	"All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp", traceAttribute,
	"MessageGroupId", "DeadLetterQueueSourceArn", "SequenceNumber", "MessageDeduplicationId",
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
		traceAttribute:                     d.TraceHeader,
		"MessageGroupId":                   d.GroupID,
		"DeadLetterQueueSourceArn":         d.SourceARN,
	}
	wantsAll := slices.Contains(v.system, "All")
	maps.DeleteFunc(all, func(name, value string) bool { return value == "" || !wantsAll && !slices.Contains(v.system, name) })
	return all
}
