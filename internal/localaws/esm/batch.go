package esm

import (
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/internal/localaws/account"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// record is one message of an event.
type record struct {
	id, handle string
	received   time.Time
	json       []byte
}

// newRecord writes a message as AWS's event shows it. Source: "Example standard queue message event", Lambda developer guide;
// the spelling of messageAttributes was recorded against AWS.
func newRecord(message sqs.Message, options Options) record {
	attributes := make(map[string]events.SQSMessageAttribute, len(message.MessageAttributes))
	for name, attribute := range message.MessageAttributes {
		shown := events.SQSMessageAttribute{BinaryValue: attribute.BinaryValue, DataType: attribute.DataType}
		if attribute.BinaryValue == nil {
			shown.StringValue = &attribute.StringValue
		}
		attributes[name] = shown
	}
	shown := struct {
		events.SQSMessage
		MD5OfMessageAttributes string `json:"md5OfMessageAttributes,omitempty"` // the field that it hides is never left out
	}{events.SQSMessage{
		MessageId: message.ID, ReceiptHandle: message.ReceiptHandle, Body: message.Body, Md5OfBody: message.MD5OfBody,
		Attributes: message.Attributes, MessageAttributes: attributes,
		EventSource: "aws:sqs", EventSourceARN: account.ARN("sqs", options.Queue), AWSRegion: account.Region,
	}, message.MD5OfMessageAttributes}
	text, _ := json.Marshal(shown, jsontext.AllowInvalidUTF8(true)) // SQS has refused that long before; nothing else can fail
	return record{id: message.ID, handle: message.ReceiptHandle, received: time.Now(), json: text}
}

const (
	eventOpen  = `{"Records":[`
	eventClose = `]}`
)

// batch is an invocation in the making.
type batch struct {
	records []record
	bytes   int // of the records and the commas between them
}

// fill adds records and returns those that do not fit into 6 MB any more. The first one always does: SQS bounds it to 1 MiB.
func (b *batch) fill(records []record) (rest []record) {
	for i, r := range records {
		after := b.bytes + len(r.json) + len(",")
		if len(eventOpen)+after+len(eventClose) > MaxBatchBytes && len(b.records) > 0 {
			return records[i:]
		}
		b.records, b.bytes = append(b.records, r), after
	}
	return nil
}

// event is the payload of the invocation.
func (b *batch) event() []byte {
	parts := [][]byte{[]byte(eventOpen)}
	for i, r := range b.records {
		if i > 0 {
			parts = append(parts, []byte(","))
		}
		parts = append(parts, r.json)
	}
	return slices.Concat(append(parts, []byte(eventClose))...)
}
