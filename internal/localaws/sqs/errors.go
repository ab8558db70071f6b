package sqs

import "fmt"

// Error is a refusal in AWS's words. It is what every call of this package returns when SQS would refuse.
type Error struct {
	// Type is the shape name that the reply's __type carries, e.g. "QueueDoesNotExist".
	Type string
	// Code is the code of the query protocol that header x-amzn-query-error carries,
	// e.g. "AWS.SimpleQueueService.NonExistentQueue".
	Code string
	// Message says what is wrong and quotes the offending value.
	Message string
	// Status is the HTTP status; 4xx are the sender's fault.
	Status int
}

// Error joins the code and the message.
func (e *Error) Error() string { return fmt.Sprintf("sqs: %s: %s", e.Code, e.Message) }
