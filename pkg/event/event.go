package event

import "time"

// Event is one thing that happened.
//
// An Event is plain data and safe to copy; Data is shared between the copies and
// must not be modified.
type Event struct {
	// ID identifies the event within its Source, as its SDK gave it (see the
	// receivers for what each protocol uses). Never empty after a receiver.
	ID string
	// Source is the CloudEvents source: the context in which IDs are unique.
	// Receivers whose protocol has none use the name of the write key.
	Source string
	// Type is what happened, in the producer's words, for example
	// "checkout_started". Routes match on it.
	Type string
	// Name is the name a person gave the event, where the protocol has one apart
	// from the type (Segment: type "track", name "Signed Up"). Empty elsewhere.
	Name string
	// Subject is what it happened to, for example a user id. May be empty.
	Subject string
	// Severity is the lower-case log severity ("error"), empty where the protocol has none.
	Severity string
	// TraceID is the W3C trace id in lower-case hex, empty when unknown.
	TraceID string
	// Kind names the shape of Data ("event", "log", "span", …). A batch holds one kind.
	Kind string
	// Group is request-level context shared by many events (service, environment,
	// workspace) as a JSON object, in the bytes of the first event that carried it.
	// Events are batched together only when their groups are equal. May be empty.
	Group string
	// Tenant is the owner, named by the write key.
	Tenant string
	// Receiver is the name of the receiver that decoded the event.
	Receiver string
	// Time is when it happened; the zero time means the producer did not say.
	Time time.Time
	// Data is the original JSON of the event, byte for byte.
	Data []byte
}

// Identity is what makes two events the same event. It is comparable, so it can be
// a map key. It never contains a queue's message id: redrive changes those.
type Identity struct {
	Tenant, Source, ID string
}

// Identity returns the event's identity.
func (e *Event) Identity() Identity {
	return Identity{Tenant: e.Tenant, Source: e.Source, ID: e.ID}
}

// GroupKey says which events may share a batch: one tenant, one group, one kind.
// It is comparable.
type GroupKey struct {
	Tenant, Group, Kind string
}

// GroupKey returns the event's group key.
func (e *Event) GroupKey() GroupKey {
	return GroupKey{Tenant: e.Tenant, Group: e.Group, Kind: e.Kind}
}
