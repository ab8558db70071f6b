package dynamodb

import (
	"net/http"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// Error is a refusal in AWS's words.
type Error = awsjson.Error

// Faults makes a service fail on purpose.
type Faults = awsjson.Faults

// Throttled is the refusal to inject where a test wants DynamoDB to throttle, which SDKs retry.
func Throttled() *Error {
	return awsjson.Refuse("ThrottlingException", "Throughput exceeds the current capacity of your table.")
}

// Unavailable is the refusal to inject where a test wants DynamoDB to be away, which SDKs retry.
func Unavailable() *Error {
	refusal := awsjson.Refuse("InternalServerError", "Internal server error")
	refusal.Status = http.StatusInternalServerError
	return refusal
}

func errValidation(format string, args ...any) error {
	return awsjson.Refuse("ValidationException", format, args...)
}
