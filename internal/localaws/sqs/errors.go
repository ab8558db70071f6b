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

// refuse is an error that the query protocol knows by another code.
func refuse(shape, code, format string, args ...any) *Error {
	refusal := awsjson.Refuse(shape, format, args...)
	refusal.Code = code
	return refusal
}

// errNamed is an error with one name in both protocols.
func errNamed(name, format string, args ...any) *Error { return awsjson.Refuse(name, format, args...) }

// errLegacy is an error that the query protocol knows with its prefix.
func errLegacy(name, format string, args ...any) *Error {
	return refuse(name, legacyPrefix+name, format, args...)
}

func errQueue() *Error {
	return refuse("QueueDoesNotExist", legacyPrefix+"NonExistentQueue", "The specified queue does not exist.")
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
	return errNamed("InvalidAttributeName", "Unknown Attribute %s.", name)
}

func errAttributeValue(name, value string) *Error {
	return errNamed("InvalidAttributeValue", "Invalid value %q for the parameter %s.", value, name)
}

func errHandle(text string) *Error {
	const shown = 64
	if len(text) > shown {
		text = text[:shown] + "..."
	}
	return errNamed("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", text)
}

func errContents() *Error {
	return errNamed("InvalidMessageContents", "Invalid characters found. "+
		"Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
}

// errFull refuses what adds data while little of the disk is left.
func errFull() *Error {
	refusal := Unavailable()
	refusal.Message = "The disk of the data directory is nearly full: receives and deletes are served, nothing is taken in until there is room."
	return refusal
}

// errInternal is what is not the sender's fault, as once the journal could not be written: what memory says may not be on disk.
func errInternal(cause error) *Error { return awsjson.AsError(cause) }

func errNotFound(what string) *Error {
	return errNamed("ResourceNotFoundException", "The resource that you specified for the %s parameter doesn't exist.", what)
}

func errUnsupported(format string, args ...any) *Error {
	return errLegacy("UnsupportedOperation", format, args...)
}
