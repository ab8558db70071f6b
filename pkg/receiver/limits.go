package receiver

// Limits bound what a request may make us hold. The zero value is not usable; see
// DefaultLimits.
type Limits struct {
	// BodyBytes bounds the body as it arrives.
	BodyBytes int
	// DecodedBytes bounds the body after its encodings are undone.
	DecodedBytes int
	// EventBytes bounds one event.
	EventBytes int
	// Events bounds the events of one request.
	Events int
	// Depth bounds the nesting of one event's JSON.
	Depth int
}

// DefaultLimits are the limits of the ingest function.
func DefaultLimits() Limits {
	return Limits{
		BodyBytes:    10 << 20, // API Gateway, HTTP and REST: payload 10 MB
		DecodedBytes: 20 << 20, // PostHog's /batch allows 20 MB, the most of the protocols spoken
		EventBytes:   1 << 20,  // SQS message size; packs need a little of it for themselves
		Events:       20_000,   // what one pack may hold
		Depth:        64,       // far above any SDK's events, far below what hurts a recursive reader
	}
}
