package dynamodb

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// Error is a refusal in AWS's words.
type Error struct {
	// Type is the shape name that the reply's __type carries, e.g. "ResourceNotFoundException".
	Type string
	// Message says what is wrong.
	Message string
	// Status is the HTTP status.
	Status int
	// item is what a failed condition found, where the caller asked for it.
	item jsontext.Value
}

func (e *Error) Error() string { return fmt.Sprintf("dynamodb: %s: %s", e.Type, e.Message) }

// Throttled is the refusal to inject where a test wants DynamoDB to throttle, which SDKs retry.
func Throttled() *Error {
	return &Error{
		Type: "ThrottlingException", Message: "Throughput exceeds the current capacity of your table.", Status: http.StatusBadRequest,
	}
}

// Unavailable is the refusal to inject where a test wants DynamoDB to be away, which SDKs retry.
func Unavailable() *Error {
	return &Error{Type: "InternalServerError", Message: "Internal server error", Status: http.StatusInternalServerError}
}

func refuse(shape, format string, args ...any) *Error {
	return &Error{Type: shape, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

func errValidation(format string, args ...any) *Error {
	return refuse("ValidationException", format, args...)
}

func errSerialization(err error) *Error {
	return refuse("SerializationException", "The request body is not what this operation takes: %v", err)
}

func errMissingTable(name string) *Error {
	return refuse("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
}

func errTableExists(name string) *Error {
	return refuse("ResourceInUseException", "Table already exists: %s", name)
}

func errCondition(found item) *Error {
	e := refuse("ConditionalCheckFailedException", "The conditional request failed")
	e.item = found.raw
	return e
}

func errOperation(op string) *Error {
	return refuse("UnknownOperationException", "The embedded DynamoDB does not answer %q; it answers single items and batch reads.", op)
}

// errKept answers a write that did not reach the disk.
func errKept(err error) *Error {
	return &Error{Type: "InternalServerError", Message: err.Error(), Status: http.StatusInternalServerError}
}

var errNoTable = errors.New("an item of no table")

func errStored(err error) error {
	return fmt.Errorf("dynamodb journal: not what this version writes: %w", err)
}
