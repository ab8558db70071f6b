package lambda

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Version is the only version a function has.
const Version = "$LATEST"

// Unhandled is the FunctionError of every failed invocation of a custom runtime.
const Unhandled = "Unhandled"

// Result is the end of an invocation that the host accepted.
type Result struct {
	// RequestID names the invocation in logs and headers.
	RequestID string
	// Status is 200 for a finished invocation, 202 for an accepted event, 204 for a dry run.
	Status int
	// Payload is the function's response, or its error object {"errorMessage":…,"errorType":…}. Nil for events and dry runs.
	Payload []byte
	// FunctionError is Unhandled when the function failed, crashed or timed out; empty on success.
	FunctionError string
	// LogTail holds up to the last 4 KiB of the invocation's log when LogTypeTail asked for it.
	LogTail []byte
	// Duration is the time until the process asked for the next invocation, with the cold start if there was one.
	Duration time.Duration
}

// Failed reports whether the function failed.
func (r Result) Failed() bool { return r.FunctionError != "" }

// outcome is what an environment or the host says of one invocation.
type outcome struct {
	payload []byte
	failed  bool
	// errorType is that of a failure which the host saw, as opposed to one that the function reported.
	errorType string
}

// How an invocation ended, in the words of platform.report.
const (
	statusSuccess = "success"
	statusFailure = "failure"
	statusError   = "error"
	statusTimeout = "timeout"
)

func (o outcome) status() string {
	switch {
	case !o.failed:
		return statusSuccess
	case o.errorType == "":
		return statusFailure
	case o.errorType == errorTimedOut:
		return statusTimeout
	default:
		return statusError
	}
}

const errorTimedOut = "Sandbox.Timedout"

// errorObject is how Lambda tells of an error.
type errorObject struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

func failure(errorType, message string) outcome {
	payload, _ := json.Marshal(errorObject{message, errorType}, jsontext.AllowInvalidUTF8(true)) // nothing else can be wrong with it
	return outcome{payload: payload, failed: true, errorType: errorType}
}

func timedOut(requestID string, after time.Duration) outcome {
	return failure(errorTimedOut,
		fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", requestID, after.Seconds()))
}

func crashed(requestID, how string) outcome {
	return failure("Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: %s", requestID, how))
}

func noEntrypoint(requestID, bootstrap string, cause error) outcome {
	return failure("Runtime.InvalidEntrypoint",
		fmt.Sprintf("RequestId: %s Error: Couldn't find valid bootstrap(s): [%s]: %v", requestID, bootstrap, cause))
}

func responseTooLarge() outcome {
	return failure("Function.ResponseSizeTooLarge",
		fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxPayloadBytes))
}
