package lambda

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofrs/uuid/v5"
)

// InvocationType says whether the caller waits.
type InvocationType string

// The invocation types of the Invoke API that are emulated. The zero value means RequestResponse.
const (
	InvocationRequestResponse InvocationType = "RequestResponse"
	InvocationEvent           InvocationType = "Event"
)

// InvokeOptions refine one Invoke. The zero value is a synchronous call.
type InvokeOptions struct {
	// Type is the invocation type; default RequestResponse.
	Type InvocationType
	// TraceID is an X-Amzn-Trace-Id to pass on; default a new one that is not sampled.
	TraceID string
}

// invocation is one event on its way to a process; the tries of an asynchronous event are one invocation, as on AWS.
type invocation struct {
	id      string
	traceID string
	payload []byte
}

// newInvocation checks what the caller asks for and fills in what he leaves out.
func newInvocation(payload []byte, options InvokeOptions) (*invocation, error) {
	limits := map[InvocationType]int{"": MaxPayloadBytes, InvocationRequestResponse: MaxPayloadBytes, InvocationEvent: MaxEventBytes}
	limit, emulated := limits[options.Type]
	if !emulated {
		return nil, refusal(http.StatusBadRequest, "InvalidParameterValueException",
			"The invocation type %s is not emulated; RequestResponse and Event are", options.Type)
	}
	if len(payload) > limit {
		return nil, refusal(http.StatusRequestEntityTooLarge, "RequestTooLargeException",
			"Request must be smaller than %d bytes for the InvokeFunction operation", limit)
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if !jsontext.Value(payload).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		return nil, refusal(http.StatusBadRequest, invalidContent, "Could not parse request body into json: the payload is not valid JSON")
	}
	traceID := cmp.Or(options.TraceID, newTraceID(time.Now()))
	return &invocation{id: uuid.Must(uuid.NewV4()).String(), traceID: traceID, payload: payload}, nil
}

// newTraceID returns an unsampled X-Ray trace header value.
func newTraceID(now time.Time) string {
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	return fmt.Sprintf("Root=1-%08x-%x;Parent=%x;Sampled=0", now.Unix(), random[:12], random[12:])
}
