package receiver

import (
	"net/http"
	"net/url"
	"time"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Receiver speaks one SDK protocol. Implementations are stateless and safe for
// concurrent use.
type Receiver interface {
	// Name is what configuration, routes and packs call the receiver: "posthog".
	Name() string

	// Routes lists what the receiver answers. It is read once, at start.
	Routes() []Route

	// Decode reads the events of a request. The body's content encoding has been
	// undone and its size checked.
	//
	// It refuses single events (Decoded.Refused) rather than the request wherever the
	// rest can still be told apart. An *Error refuses the whole request.
	Decode(req *Request) (Decoded, error)

	// Reply answers a request whose events were taken, some perhaps refused, or that
	// failed as a whole (answer.Err). It writes status, headers and body.
	Reply(w http.ResponseWriter, req *Request, answer Answer)
}

// Route is one path a receiver answers.
type Route struct {
	// Methods the path takes events by, for example POST.
	Methods []string
	// Path is exact and without a trailing slash: "/i/v0/e". A segment may be a
	// wildcard, "/array/{token}/config".
	Path string
	// Encodings are content encodings that Decode undoes by itself, in lower case.
	// All others are undone before, or refused.
	Encodings []string
	// Stub, when set, answers the request without events: it keeps an SDK quiet that
	// asks for more than taking events.
	Stub http.HandlerFunc
}

// Request is what Decode and Reply see of an HTTP request.
type Request struct {
	Method string
	// Path is the matched route's path.
	Path   string
	Query  url.Values
	Header http.Header
	// Body is the request body with the content encoding undone.
	Body []byte
	// Now is when the request arrived; events without a time of their own may use it.
	Now time.Time
	// Limits bound what Decode may make of Body.
	Limits Limits
}

// Decoded is what a request held.
type Decoded struct {
	// Key is the write key that the request carries, empty when it has none.
	Key string
	// Events are the good events, in order. Tenant and Receiver are still empty; an
	// empty Source means the name of the write key.
	Events []event.Event
	// Positions are the places of Events among the items of the request, from 0.
	Positions []int
	// Refused are the items that are not events.
	Refused []Refusal
	// Unreported says that the protocol cannot name refused items in its reply: they
	// become dead letters, so that nothing is lost without a word.
	Unreported bool
}

// Refusal is one item that is not an event.
type Refusal struct {
	// Position of the item in the request, from 0.
	Position int
	// ID of the item, where it had a readable one.
	ID string
	// Cause says which field broke which rule.
	Cause string
	// Data is the item as it came, capped at the event limit.
	Data []byte
}

// Answer is what became of a request.
type Answer struct {
	// Decoded is what Decode returned; its events are durable unless Err is set.
	Decoded Decoded
	// Err is why the whole request failed, nil when it did not.
	Err *Error
}
