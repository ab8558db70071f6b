package sqs

import (
	"cmp"
	"maps"
	"strconv"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/account"
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

// everything is the filter that takes all there is.
//
//nolint:gochecknoglobals // a constant
var everything = attributeFilter{"All"}

// show returns deliveries as their receiver sees them, with the attributes and the system attributes that it wants.
func (s *Service) show(deliveries []delivery, attributes, system attributeFilter) []Message {
	messages := make([]Message, len(deliveries))
	for i, d := range deliveries {
		chosen := attributes.choose(d.Attributes)
		messages[i] = Message{
			ID: d.ID.String(), Body: d.Body, MD5OfBody: hexSum(d.bodySum), ReceiptHandle: d.handle.String(), Attributes: s.systemAttributes(d, system),
			MessageAttributes: chosen, MD5OfMessageAttributes: sumOf(chosen), // AWS sums what it returns, not what was sent
		}
	}
	return messages
}

// systemAttributes returns the chosen system attributes that have a value.
func (s *Service) systemAttributes(d delivery, system attributeFilter) map[string]string {
	if len(system) == 0 {
		return nil
	}
	all := map[string]string{
		"SenderId":                         account.ID,
		"SentTimestamp":                    strconv.FormatInt(d.Sent/int64(time.Millisecond), 10),
		"ApproximateReceiveCount":          strconv.Itoa(int(d.Receives)),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(d.FirstReceived/int64(time.Millisecond), 10),
		traceAttribute:                     d.TraceHeader,
		"MessageGroupId":                   d.GroupID,
		"DeadLetterQueueSourceArn":         d.SourceARN,
	}
	maps.DeleteFunc(all, func(name, value string) bool { return value == "" || !system.takes(name) })
	return all
}
