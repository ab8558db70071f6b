package awsjson

// Fault decides whether a call fails on purpose: a non-nil error is its answer, an *Error as it is, anything else as a 500 InternalFailure.
// operation is AWS's name of it ("SendMessageBatch"), body the request as it was sent, to be read during the call only, and nil for
// a call that did not come over the wire. A fault must be safe for concurrent use; a nil one never strikes.
type Fault func(operation string, body []byte) error

// Ask returns the answer of a fault, nil when it does not strike.
func (f Fault) Ask(operation string, body []byte) error {
	if f == nil {
		return nil
	}
	return f(operation, body)
}

// Faults makes a service fail on purpose, for chaos and end-to-end tests. A fault that takes its time makes it slow.
type Faults struct {
	// Intercept is asked before each call. When it strikes nothing else happens.
	Intercept Fault
	// Lose is asked after each call that succeeded, and strikes although the call was carried out: the
	// reply that got lost on its way. What a lost ReceiveMessage has taken stays hidden until its visibility timeout ends.
	Lose Fault
	// Entry is asked for each entry of a batch call of SQS. It fails this entry and no other.
	Entry Fault
}
