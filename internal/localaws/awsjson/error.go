package awsjson

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is a refusal in AWS's words. It is what every call returns when AWS would refuse.
type Error struct {
	// Type is the shape name that the reply's __type carries, e.g. "QueueDoesNotExist".
	Type string `json:"__type"`
	// Code is what the header X-Amzn-Query-Error carries, the code of the query protocol of old, e.g. "AWS.SimpleQueueService.NonExistentQueue".
	Code string `json:"-"`
	// Message says what is wrong and quotes the offending value.
	Message string `json:"message"`
	// Item is what DynamoDB found where a condition failed, if the caller asked for it.
	Item any `json:"Item,omitempty"`
	// Status is the HTTP status; 4xx are the sender's fault.
	Status int `json:"-"`
}

// Error joins the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// SenderFault says whether the sender has to change something.
func (e *Error) SenderFault() bool { return e.Status < http.StatusInternalServerError }

// Refuse returns an error that is the sender's fault, with one name in both protocols.
func Refuse(name, format string, args ...any) *Error { return RefuseAs(name, name, format, args...) }

// RefuseAs is Refuse for an error that the query protocol knows by another code.
func RefuseAs(name, code, format string, args ...any) *Error {
	return &Error{Type: name, Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// AsError turns any error into AWS's shape. What is no refusal is a failure of the server.
func AsError(err error) *Error {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal
	}
	failure := Refuse("InternalFailure", "%v", err)
	failure.Status = http.StatusInternalServerError
	return failure
}
