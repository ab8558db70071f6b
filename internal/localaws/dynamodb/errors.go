package dynamodb

import (
	"errors"
	"fmt"
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

func errValidation(format string, args ...any) *Error {
	return awsjson.Refuse("ValidationException", format, args...)
}

func errSerialization(err error) *Error {
	return awsjson.Refuse("SerializationException", "The request body is not what this operation takes: %v", err)
}

func errMissingTable(name string) *Error {
	return awsjson.Refuse("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
}

func errTableExists(name string) *Error {
	return awsjson.Refuse("ResourceInUseException", "Table already exists: %s", name)
}

func errCondition(found item) *Error {
	e := awsjson.Refuse("ConditionalCheckFailedException", "The conditional request failed")
	if found.raw != nil {
		e.Item = found.raw
	}
	return e
}

// errKept answers a write that did not reach the disk.
func errKept(err error) *Error { return awsjson.AsError(err) }

var errNoTable = errors.New("an item of no table")

func errStored(err error) error {
	return fmt.Errorf("dynamodb journal: not what this version writes: %w", err)
}
