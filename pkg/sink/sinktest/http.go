package sinktest

import (
	"net/http"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// HTTP is what RunHTTP needs to know of a sink that speaks HTTP.
type HTTP struct {
	// New makes a sink that sends to a destination. The suite closes it. Configure it
	// with credentials in headers: the suite checks that they never show.
	New func(t *testing.T, to Destination) sink.Sink
	// Timeout of one attempt of the sinks that New makes.
	Timeout time.Duration
	// Event makes the i-th event, as in Suite.
	Event func(i int) event.Event
	// IDs reads the ids of a request's events. Nil means RecordIDs.
	IDs func(*Request) ([]string, error)
	// Key reads the idempotency key of a request. Nil means its Idempotency-Key header.
	Key func(*Request) string
	// Success makes the reply that says that all events of a request arrived. Nil
	// means 200 without a body.
	Success func(*Request) Step
	// PerItem makes the reply that has these results, which may be fewer than the
	// events of the request and may speak of others. Nil when the protocol has none.
	PerItem func(items []Item) Step
	// Classes are the status codes whose meaning in this protocol is not that of
	// httpsend.Defaults. The empty class means delivered.
	Classes map[int]retry.Class
	// JSONReplies: a 2xx reply that is not JSON is a setup failure. Otherwise it is a
	// delivery.
	JSONReplies bool
}

// Item is what a destination says of one event.
type Item struct {
	// ID of the event.
	ID string
	// Status as HTTP would say it: 200, 400, 429 or 503.
	Status int
}

// RunHTTP checks what holds for every sink that speaks HTTP, and all that Run checks.
func RunHTTP(t *testing.T, h HTTP) {
	t.Helper()
	h = h.withDefaults()
	Run(t, Suite{Event: h.Event, New: func(t *testing.T) Fixture {
		server := h.server(t, Loopback, nil)
		return Fixture{Sink: h.New(t, server.Destination()), Arrived: func(*testing.T) []string { return server.Taken().list() }}
	}})
	for name, run := range map[string]func(*testing.T, HTTP){
		"status codes":               statusCodes,
		"Retry-After":                retryAfter,
		"broken replies":             brokenReplies,
		"unreachable":                unreachable,
		"requests":                   requests,
		"time":                       timeouts,
		"secrets stay out of causes": hidesSecrets,
		"results per item":           perItem,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, h)
		})
	}
}

func (h HTTP) withDefaults() HTTP {
	if h.Event == nil {
		h.Event = NewEvent
	}
	if h.Key == nil {
		h.Key = func(r *Request) string { return r.Header.Get("Idempotency-Key") }
	}
	if h.Success == nil {
		h.Success = func(*Request) Step { return Step{} }
	}
	return h
}

func (h *HTTP) server(t *testing.T, network Network, script []Step) *Server {
	t.Helper()
	return NewServer(t, ServerOptions{Network: network, Script: script, Respond: h.Success, IDs: h.IDs})
}

// start makes a server with a script and a sink that sends to it.
func (h *HTTP) start(t *testing.T, network Network, script ...Step) (*Server, sink.Sink) {
	t.Helper()
	server := h.server(t, network, script)
	return server, h.open(t, server.Destination())
}

func (h *HTTP) open(t *testing.T, to Destination) sink.Sink {
	t.Helper()
	s := h.New(t, to)
	t.Cleanup(func() { closeSink(t, s) })
	return s
}

// send makes one attempt and returns the outcome, which must be the same for all events.
func (h *HTTP) send(t *testing.T, s sink.Sink, b sink.Batch) sink.Outcome {
	t.Helper()
	result, err := s.Send(t.Context(), b)
	if err == nil {
		checkLength(t, &b, result)
	}
	outcomes := Outcomes(&b, result, err, false)
	for i, o := range outcomes {
		if o.Verdict != sink.Delivered {
			checkOutcome(t, o)
		}
		if o != outcomes[0] {
			t.Errorf("event %d: got %+v, want %+v as for the first", i, o, outcomes[0])
		}
	}
	return outcomes[0]
}

func (h *HTTP) batch(from, count int) sink.Batch {
	return NewBatch(row(h.Event, from, count)...)
}

// want is the outcome that a test expects: a class, or none for a delivery.
func want(t *testing.T, what string, got sink.Outcome, class retry.Class) {
	t.Helper()
	if class == "" && got.Verdict == sink.Delivered {
		return
	}
	if got.Verdict == sink.Delivered || got.Class != class {
		t.Errorf("%s: got %s (%s: %s), want class %q", what, got.Verdict, got.Class, got.Cause, class)
	}
}

// classFor is the class of a status code in the sink's protocol.
func (h *HTTP) classFor(status int) retry.Class {
	if class, ok := h.Classes[status]; ok {
		return class
	}
	switch {
	case status >= 200 && status <= 299:
		return ""
	case status >= 300 && status <= 399, status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		return retry.Setup
	case status == http.StatusRequestEntityTooLarge:
		return retry.TooLarge
	case status == http.StatusTooManyRequests:
		return retry.Throttled
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500:
		return retry.Transient
	}
	return retry.Permanent
}

// list returns the multiset as a list.
func (ids IDs) list() []string {
	var list []string
	for id, n := range ids {
		for range n {
			list = append(list, id)
		}
	}
	return list
}
