package lambda

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Error is a refusal of the Lambda API: the function did not run. Functions that fail give a Result with FunctionError instead.
type Error struct {
	// Type is AWS's exception name, e.g. "TooManyRequestsException".
	Type string
	// Message is AWS's text, or ours where we refuse what AWS would do.
	Message string
	// Status is the HTTP status code.
	Status int
}

// Error joins the exception's name and its message.
func (e *Error) Error() string { return fmt.Sprintf("lambda: %s: %s", e.Type, e.Message) }

// invalidContent is the type of the refusals of what a request carries.
const invalidContent = "InvalidRequestContentException"

func refusal(status int, errorType, format string, args ...any) *Error {
	return &Error{Type: errorType, Message: fmt.Sprintf(format, args...), Status: status}
}

// IsThrottled reports whether err says that the function's concurrency is used up.
func IsThrottled(err error) bool { return hasStatus(err, http.StatusTooManyRequests) }

// IsTooLarge reports whether err says that the request payload is over the limit.
func IsTooLarge(err error) bool { return hasStatus(err, http.StatusRequestEntityTooLarge) }

func hasStatus(err error, status int) bool {
	refused, ok := errors.AsType[*Error](err)
	return ok && refused.Status == status
}

// writeError answers with AWS's error object: {"Type":"User","Reason":…,"message":…}, the reason only for a throttled function.
func writeError(w http.ResponseWriter, err error) {
	refused, ok := errors.AsType[*Error](err)
	if !ok {
		refused = refusal(http.StatusInternalServerError, "ServiceException", "%v", err)
	}
	w.Header().Set("X-Amzn-ErrorType", refused.Type)
	// AWS spells the message with a small letter for some exceptions and with a capital one for others; clients accept both.
	object := map[string]string{"Type": "User", "message": refused.Message}
	if refused.Status >= http.StatusInternalServerError {
		object["Type"] = "Service"
	}
	if IsThrottled(refused) {
		w.Header().Set("Retry-After", "1")
		object["Reason"] = "ReservedFunctionConcurrentInvocationLimitExceeded"
	}
	writeJSON(w, refused.Status, object)
}

// writeJSON answers with a value of ours, whose texts may come from anywhere.
func writeJSON(w http.ResponseWriter, status int, value any) {
	body, _ := json.Marshal(value, jsontext.AllowInvalidUTF8(true)) // nothing else can be wrong with it
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
