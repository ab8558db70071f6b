package esm

import (
	"encoding/base64"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

const (
	payloadOpen  = `{"Records":[`
	payloadClose = `]}`
)

// batch is an invocation in the making: the payload grows with each message, so its size is known at every moment.
type batch struct {
	options  Options
	payload  []byte
	handles  map[string]string // message id -> receipt handle
	received time.Time         // when the first message was hidden
}

func newBatch(options Options) *batch {
	return &batch{options: options, payload: []byte(payloadOpen), handles: map[string]string{}}
}

func (b *batch) len() int { return len(b.handles) }

// fill adds messages and returns the rest, which does not fit into 6 MB any more.
func (b *batch) fill(messages []sqs.Message) []sqs.Message {
	if b.received.IsZero() && len(messages) > 0 {
		b.received = time.Now()
	}
	b.payload = slices.Grow(b.payload, min(expectedBytes(messages), MaxBatchBytes))
	for i, message := range messages {
		if !b.add(message) {
			return messages[i:]
		}
	}
	return nil
}

// expectedBytes guesses the size of the records, so that the payload grows once and not record by record.
func expectedBytes(messages []sqs.Message) int {
	const aroundEach = 1024 // names, receipt handle, system attributes
	total := 0
	for _, message := range messages {
		total += aroundEach + len(message.Body) + len(message.Body)/8
		for _, attribute := range message.MessageAttributes {
			total += aroundEach/8 + len(attribute.StringValue) + base64.StdEncoding.EncodedLen(len(attribute.BinaryValue))
		}
	}
	return total
}

// add appends one message, or reports false when it does not fit. The first one always does: SQS bounds it to 1 MiB.
func (b *batch) add(message sqs.Message) bool {
	before := len(b.payload)
	if before > len(payloadOpen) {
		b.payload = append(b.payload, ',')
	}
	b.payload = appendRecord(b.payload, message, b.options)
	if len(b.payload)+len(payloadClose) > MaxBatchBytes && b.len() > 0 {
		b.payload = b.payload[:before]
		return false
	}
	b.handles[message.ID] = message.ReceiptHandle
	return true
}

// event closes the payload.
func (b *batch) event() []byte { return append(b.payload, payloadClose...) }

// appendRecord writes one message as AWS's event shows it. Source: "Example standard queue message event", Lambda developer guide;
// the spelling of messageAttributes was recorded against AWS.
func appendRecord(dst []byte, message sqs.Message, options Options) []byte {
	dst = append(dst, `{"messageId":`...)
	dst = appendString(dst, message.ID)
	dst = append(dst, `,"receiptHandle":`...)
	dst = appendString(dst, message.ReceiptHandle)
	dst = append(dst, `,"body":`...)
	dst = appendString(dst, message.Body)
	dst = append(dst, `,"attributes":{`...)
	comma := false
	for name, value := range message.Attributes {
		dst = appendName(dst, name, comma)
		dst = appendString(dst, value)
		comma = true
	}
	dst = append(dst, `},"messageAttributes":{`...)
	comma = false
	for name, attribute := range message.MessageAttributes {
		dst = appendName(dst, name, comma)
		dst = appendAttribute(dst, attribute)
		comma = true
	}
	dst = append(dst, `},"md5OfBody":`...)
	dst = appendString(dst, message.MD5OfBody)
	if message.MD5OfMessageAttributes != "" {
		dst = append(dst, `,"md5OfMessageAttributes":`...)
		dst = appendString(dst, message.MD5OfMessageAttributes)
	}
	dst = append(dst, `,"eventSource":"aws:sqs","eventSourceARN":`...)
	dst = appendString(dst, options.QueueARN)
	dst = append(dst, `,"awsRegion":`...)
	dst = appendString(dst, options.Region)
	return append(dst, '}')
}

func appendAttribute(dst []byte, attribute sqs.Attribute) []byte {
	if attribute.BinaryValue != nil {
		dst = append(dst, `{"binaryValue":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, attribute.BinaryValue)
		dst = append(dst, '"')
	} else {
		dst = append(dst, `{"stringValue":`...)
		dst = appendString(dst, attribute.StringValue)
	}
	dst = append(dst, `,"stringListValues":[],"binaryListValues":[],"dataType":`...)
	dst = appendString(dst, attribute.DataType)
	return append(dst, '}')
}

func appendName(dst []byte, name string, comma bool) []byte {
	if comma {
		dst = append(dst, ',')
	}
	return append(appendString(dst, name), ':')
}

// appendString quotes; what is not UTF-8 becomes U+FFFD, which SQS has refused long before.
func appendString(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}
