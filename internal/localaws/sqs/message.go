package sqs

import "time"

// Message is one delivered message, as ReceiveMessage shows it, here and on the wire.
type Message struct {
	// ID is the message id, a UUID that stays the same over every redelivery.
	ID string `json:"MessageId"`
	// Body is the text as sent.
	Body string `json:"Body"`
	// MD5OfBody is the hex MD5 of Body.
	MD5OfBody string `json:"MD5OfBody"`
	// MD5OfMessageAttributes is the hex MD5 of MessageAttributes in AWS's encoding; empty when there are none.
	MD5OfMessageAttributes string `json:"MD5OfMessageAttributes,omitempty"`
	// ReceiptHandle stands for this one delivery; the next delivery has another.
	ReceiptHandle string `json:"ReceiptHandle"`
	// Attributes are the system attributes (SentTimestamp, ApproximateReceiveCount, ...), numbers in decimal, times in Unix milliseconds.
	Attributes map[string]string `json:"Attributes,omitempty"`
	// MessageAttributes are the sender's own attributes by name.
	MessageAttributes map[string]Attribute `json:"MessageAttributes,omitempty"`
}

// Attribute is one typed value that a sender put beside the body.
type Attribute struct {
	// DataType is String, Number or Binary, with an optional custom suffix such as "Number.int".
	DataType string `json:"DataType"`
	// StringValue holds the value of String and Number attributes.
	StringValue string `json:"StringValue,omitempty"`
	// BinaryValue holds the raw bytes (not base64) of Binary attributes. The queue has the same bytes: they must not be changed.
	BinaryValue []byte `json:"BinaryValue,omitempty"`
}

// SendInput is one message for Service.Send.
type SendInput struct {
	// Body is the message's text, 1 byte to 1 MiB together with the attributes.
	Body string
	// Attributes are the sender's own attributes, at most ten.
	Attributes map[string]Attribute
	// GroupID is the MessageGroupId, the tenant for fair delivery; empty for none.
	GroupID string
	// TraceHeader becomes the AWSTraceHeader system attribute; empty for none.
	TraceHeader string
	// Delay hides the message at first, 0 to 15 minutes in whole seconds; nil means the queue's own DelaySeconds.
	Delay *time.Duration
}

// ReceiveInput says what one Service.Receive wants. Every system and message attribute is returned.
type ReceiveInput struct {
	// MaxMessages is the most messages to return, 1 to MaxDirectReceive; 0 means 1.
	MaxMessages int
	// Wait is how long to wait for a first message, 0 to 20 s; 0 returns at once.
	Wait time.Duration
	// Visibility hides what is returned, up to 12 h; 0 means the queue's own VisibilityTimeout.
	Visibility time.Duration
}

// Depth counts the messages of one queue at one moment.
type Depth struct {
	// Visible messages can be received now.
	Visible int
	// InFlight messages were received and are neither deleted nor visible again.
	InFlight int
	// Delayed messages have not been visible yet.
	Delayed int
}
