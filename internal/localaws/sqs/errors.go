package sqs

import (
	"net/http"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// Error is a refusal in AWS's words. It is what every call of this package returns when SQS would refuse.
type Error = awsjson.Error

// Faults makes a service fail on purpose.
type Faults = awsjson.Faults

// legacyPrefix starts the query protocol's code of most errors that have a shape of their own.
const legacyPrefix = "AWS.SimpleQueueService."

// Throttled is the refusal to inject where a test wants SQS to throttle: 400 RequestThrottled, which SDKs retry.
func Throttled() *Error { return errNamed("RequestThrottled", "Rate exceeded.") }

// Unavailable is the refusal to inject where a test wants SQS to be away: 503 ServiceUnavailable, which SDKs retry.
func Unavailable() *Error {
	refusal := errNamed("ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
	refusal.Status = http.StatusServiceUnavailable
	return refusal
}

// errFull refuses what adds data while little of the disk is left.
func errFull() error {
	refusal := Unavailable()
	refusal.Message = "The disk of the data directory is nearly full: receives and deletes are served, nothing is taken in until there is room."
	return refusal
}

// errNamed is an error with one name in both protocols.
func errNamed(name, format string, args ...any) *Error { return awsjson.Refuse(name, format, args...) }

// errLegacy is an error that the query protocol knows with its prefix.
func errLegacy(name, format string, args ...any) error {
	return awsjson.RefuseAs(name, legacyPrefix+name, format, args...)
}

func errQueue() error {
	return awsjson.RefuseAs("QueueDoesNotExist", legacyPrefix+"NonExistentQueue", "The specified queue does not exist.")
}

func errParameter(format string, args ...any) error {
	return awsjson.RefuseAs("InvalidParameterValueException", "InvalidParameterValue", format, args...)
}

// errValue refuses the value of one parameter.
func errValue(name string, value any, reason string) error {
	return errParameter("Value %v for parameter %s is invalid. Reason: %s", value, name, reason)
}

func errMissing(name string) error {
	return awsjson.RefuseAs("MissingRequiredParameterException", "MissingParameter", "The request must contain the parameter %s.", name)
}

func errAttributeName(name string) error {
	return errNamed("InvalidAttributeName", "Unknown Attribute %s.", name)
}

func errAttributeValue(name, value string) error {
	return errNamed("InvalidAttributeValue", "Invalid value %q for the parameter %s.", value, name)
}

func errHandle(text string) error {
	return errNamed("ReceiptHandleIsInvalid", "The input receipt handle %.64q is not a valid receipt handle.", text)
}

func errNotFound(what string) error {
	return errNamed("ResourceNotFoundException", "The resource that you specified for the %s parameter doesn't exist.", what)
}

func errFIFO() error {
	return errLegacy("UnsupportedOperation", "FIFO queues are not emulated: the embedded SQS has standard queues only, as Millrace uses them.")
}
