package lambda

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Version is the only version a function has.
const Version = "$LATEST"

// Unhandled is the FunctionError of every failed invocation of a custom runtime.
const Unhandled = "Unhandled"

// errorTimedOut is the error type of an invocation that took too long.
const errorTimedOut = "Sandbox.Timedout"

// Result is the end of an invocation that the host accepted. That of an event has a RequestID only.
type Result struct {
	// RequestID names the invocation in logs and headers.
	RequestID string
	// Payload is the function's response, or its error object {"errorMessage":…,"errorType":…}.
	Payload []byte
	// FunctionError is Unhandled when the function failed, crashed or timed out; empty on success.
	FunctionError string
	// LogTail holds up to the last 4 KiB of the invocation's log.
	LogTail []byte

	// hostError is the error type of a failure that the host saw, as opposed to one that the function reported.
	hostError string
}

// Failed reports whether the function failed.
func (r Result) Failed() bool { return r.FunctionError != "" }

// errorObject is how Lambda tells of an error.
type errorObject struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

// failure is the result of an invocation that failed in the eyes of the host.
func failure(errorType, format string, args ...any) Result {
	object := errorObject{fmt.Sprintf(format, args...), errorType}
	payload, _ := json.Marshal(object, jsontext.AllowInvalidUTF8(true)) // nothing else can be wrong with it
	return Result{Payload: payload, FunctionError: Unhandled, hostError: errorType}
}

// failure is one that names its invocation.
func (i *invocation) failure(errorType, format string, args ...any) Result {
	return failure(errorType, "RequestId: "+i.id+" Error: "+format, args...)
}
