package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/gofrs/uuid/v5"
)

// InvocationType says whether the caller waits.
type InvocationType string

// The invocation types of the Invoke API. The zero value means RequestResponse.
const (
	InvocationRequestResponse InvocationType = "RequestResponse"
	InvocationEvent           InvocationType = "Event"
	InvocationDryRun          InvocationType = "DryRun"
)

// LogType says whether the caller wants the end of the log.
type LogType string

// The log types of the Invoke API. The zero value means None.
const (
	LogTypeNone LogType = "None"
	LogTypeTail LogType = "Tail"
)

// InvokeOptions refine one Invoke. The zero value is a synchronous call without a log tail.
type InvokeOptions struct {
	// Type is the invocation type; default RequestResponse.
	Type InvocationType
	// Log is the log type; default None. It is ignored for events.
	Log LogType
	// TraceID is an X-Amzn-Trace-Id to pass on; default a new one that is not sampled.
	TraceID string
	// ClientContext is the caller's client context, base64 of JSON; default none.
	ClientContext string
}

// invocation is one event on its way through an environment.
type invocation struct {
	id            string
	arn           string
	traceID       string
	clientContext string
	payload       []byte
	wantTail      bool

	deadline time.Time     // set before the hand-over
	finished chan struct{} // closed when the process asks for the next invocation

	// answer is set once, by the process's response or error, under the environment's lock.
	answer *outcome
}

func newInvocation(arn string, payload []byte, options InvokeOptions) *invocation {
	inv := &invocation{
		id: uuid.Must(uuid.NewV4()).String(), arn: arn, payload: payload,
		traceID: options.TraceID, clientContext: options.ClientContext,
		wantTail: options.Log == LogTypeTail,
		finished: make(chan struct{}),
	}
	if inv.traceID == "" {
		inv.traceID = newTraceID(time.Now())
	}
	return inv
}

// newTraceID returns an unsampled X-Ray trace header value.
func newTraceID(now time.Time) string {
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0",
		now.Unix(), hex.EncodeToString(random[:12]), hex.EncodeToString(random[12:]))
}
