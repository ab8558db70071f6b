package sqs

import (
	"fmt"
	"net/http"
)

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

// senderFault says whether the sender has to change something.
func (e *Error) senderFault() bool { return e.Status < http.StatusInternalServerError }

// legacyPrefix starts the query protocol's code of most errors that have a shape of their own.
const legacyPrefix = "AWS.SimpleQueueService."

// Throttled is the refusal to inject where a test wants SQS to throttle: 400 RequestThrottled, which SDKs retry.
func Throttled() *Error {
	return &Error{Type: "RequestThrottled", Code: "RequestThrottled", Message: "Rate exceeded.", Status: http.StatusBadRequest}
}

// Unavailable is the refusal to inject where a test wants SQS to be away: 503 ServiceUnavailable, which SDKs retry.
func Unavailable() *Error {
	return &Error{
		Type: "ServiceUnavailable", Code: "ServiceUnavailable",
		Message: "The request has failed due to a temporary failure of the server.", Status: http.StatusServiceUnavailable,
	}
}

func refuse(shape, code, format string, args ...any) *Error {
	return &Error{Type: shape, Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

func errQueue() *Error {
	return refuse("QueueDoesNotExist", legacyPrefix+"NonExistentQueue", "The specified queue does not exist.")
}

func errQueueExists(attribute string) *Error {
	return refuse("QueueNameExists", "QueueAlreadyExists",
		"A queue already exists with the same name and a different value for attribute %s", attribute)
}

func errAddress(url string) *Error {
	return refuse("InvalidAddress", "InvalidAddress", "The address %s is not valid for this endpoint.", url)
}

func errParameter(format string, args ...any) *Error {
	return refuse("InvalidParameterValueException", "InvalidParameterValue", format, args...)
}

// errRange refuses a number outside its bounds.
func errRange(name string, value, least, most int64) *Error {
	return errParameter("Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.", value, name, least, most)
}

func errMissing(name string) *Error {
	return refuse("MissingRequiredParameterException", "MissingParameter", "The request must contain the parameter %s.", name)
}

func errAttributeName(name string) *Error {
	return refuse("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute %s.", name)
}

func errAttributeValue(name, value string) *Error {
	return refuse("InvalidAttributeValue", "InvalidAttributeValue", "Invalid value %q for the parameter %s.", value, name)
}

func errHandle(text string) *Error {
	const shown = 64
	if len(text) > shown {
		text = text[:shown] + "..."
	}
	return refuse("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", text)
}

func errNotInFlight(text string) *Error {
	return refuse("MessageNotInflight", legacyPrefix+"MessageNotInflight", "The message of receipt handle %q is not in flight.", text)
}

func errContents() *Error {
	return refuse("InvalidMessageContents", "InvalidMessageContents", "Invalid characters found. "+
		"Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
}

func errOverLimit() *Error {
	return refuse("OverLimit", "OverLimit", "Too many messages in flight: a queue holds at most %d.", MaxInFlight)
}

func errPurging(queue string) *Error {
	return refuse("PurgeQueueInProgress", legacyPrefix+"PurgeQueueInProgress",
		"Only one PurgeQueue operation on %s is allowed every %d seconds.", queue, int(PurgeInterval.Seconds()))
}

// errFull refuses what adds data while little of the disk is left.
func errFull() *Error {
	refusal := Unavailable()
	refusal.Message = "The disk of the data directory is nearly full: receives and deletes are served, nothing is taken in until there is room."
	return refusal
}

// errStopped answers every call once the journal could not be written: what memory says may not be on disk.
func errStopped(cause error) *Error {
	return &Error{Type: "InternalFailure", Code: "InternalFailure", Message: cause.Error(), Status: http.StatusInternalServerError}
}

func errNotFound(message string) *Error {
	return refuse("ResourceNotFoundException", "ResourceNotFoundException", "%s", message)
}

func errUnsupported(format string, args ...any) *Error {
	return refuse("UnsupportedOperation", legacyPrefix+"UnsupportedOperation", format, args...)
}

func errSerialization(format string, args ...any) *Error {
	return refuse("SerializationException", "MalformedInput", format, args...)
}

func errOperation(op string) *Error {
	return refuse("UnknownOperationException", "InvalidAction", "The action %q is not valid for this endpoint; "+
		"the embedded SQS answers the standard-queue operations of the AWS JSON protocol.", op)
}
