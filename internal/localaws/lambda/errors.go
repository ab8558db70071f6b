package lambda

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Error is a refusal of the Lambda API: the function did not run. Functions that fail give a Result with FunctionError instead.
type Error struct {
	// Type is AWS's exception name, e.g. "TooManyRequestsException".
	Type string
	// Message is AWS's text, or ours where we refuse what AWS would do.
	Message string
	// Status is the HTTP status code.
	Status int
	// Reason narrows TooManyRequestsException down, e.g. "ReservedFunctionConcurrentInvocationLimitExceeded"; else empty.
	Reason string
	// RetryAfter is the wait the Retry-After header asks for; 0 means no header.
	RetryAfter time.Duration
}

// Error joins the exception's name and its message.
func (e *Error) Error() string { return fmt.Sprintf("lambda: %s: %s", e.Type, e.Message) }

// IsThrottled reports whether err says that the function's concurrency is used up.
func IsThrottled(err error) bool { return hasStatus(err, http.StatusTooManyRequests) }

// IsTooLarge reports whether err says that the request payload is over the limit.
func IsTooLarge(err error) bool { return hasStatus(err, http.StatusRequestEntityTooLarge) }

func hasStatus(err error, status int) bool {
	var refusal *Error
	return errors.As(err, &refusal) && refusal.Status == status
}

func notFound(arn string) *Error {
	return &Error{Type: "ResourceNotFoundException", Message: "Function not found: " + arn, Status: http.StatusNotFound}
}

func throttled(reason string) *Error {
	return &Error{
		Type: "TooManyRequestsException", Message: "Rate Exceeded.", Status: http.StatusTooManyRequests,
		Reason: reason, RetryAfter: time.Second,
	}
}

func tooLarge(limit int) *Error {
	return &Error{
		Type: "RequestTooLargeException", Status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", limit),
	}
}

func invalidParameter(message string) *Error {
	return &Error{Type: "InvalidParameterValueException", Message: message, Status: http.StatusBadRequest}
}

func invalidContent(message string) *Error {
	return &Error{Type: "InvalidRequestContentException", Message: message, Status: http.StatusBadRequest}
}

func shuttingDown() *Error {
	return &Error{Type: "ServiceException", Message: "The host is shutting down.", Status: http.StatusServiceUnavailable}
}
