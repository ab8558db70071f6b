package receiver

import (
	"fmt"
	"net/http"
	"time"
)

// Error refuses a whole request. Each receiver words it as its protocol does.
type Error struct {
	// Status is the HTTP status that says the same in plain HTTP.
	Status int
	// Code is a stable word for scripts: "malformed", "too_large", …
	Code string
	// Message says what is wrong and what to do, for people.
	Message string
	// RetryAfter is set on 503: SDKs give up without it.
	RetryAfter time.Duration
}

func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

func refuse(status int, code, format string, args []any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Malformed is a request that cannot be read (400).
func Malformed(format string, args ...any) *Error {
	return refuse(http.StatusBadRequest, "malformed", format, args)
}

// Unauthorized is a request without a known write key (401).
func Unauthorized(format string, args ...any) *Error {
	return refuse(http.StatusUnauthorized, "unauthorized", format, args)
}

// Forbidden is a known write key that may not use this receiver (403).
func Forbidden(format string, args ...any) *Error {
	return refuse(http.StatusForbidden, "forbidden", format, args)
}

// TooLarge is a request over a limit (413). The message names the limit.
func TooLarge(format string, args ...any) *Error {
	return refuse(http.StatusRequestEntityTooLarge, "too_large", format, args)
}

// Unsupported is a content encoding or type that is not understood (415).
func Unsupported(format string, args ...any) *Error {
	return refuse(http.StatusUnsupportedMediaType, "unsupported", format, args)
}

// Unavailable is trouble of our own (503): the client keeps its events and tries again
// after the given time. Never 429: several SDKs drop the batch on it.
func Unavailable(after time.Duration, format string, args ...any) *Error {
	e := refuse(http.StatusServiceUnavailable, "unavailable", format, args)
	e.RetryAfter = after
	return e
}
