package sqs

// Faults makes a service fail on purpose, for chaos and end-to-end tests. Each hook may be nil and must be safe for concurrent use.
// op is the AWS operation's name ("SendMessageBatch", "ReceiveMessage", ...).
type Faults struct {
	// Intercept is asked before each call. A non-nil error is the answer, and nothing else happens: an *Error as it is,
	// anything else as a 500 InternalFailure.
	Intercept func(op string) error
	// Lose is asked after each call that succeeded. A non-nil error is the answer although the call was carried out: the
	// reply that got lost on its way. What a lost ReceiveMessage has taken stays hidden until its visibility timeout ends.
	Lose func(op string) error
	// Entry is asked for each entry of a batch call. A refusal fails this entry and no other.
	Entry func(op string) *Error
}

func (f *Faults) intercept(op string) error {
	if f == nil || f.Intercept == nil {
		return nil
	}
	return f.Intercept(op)
}

func (f *Faults) lose(op string) error {
	if f == nil || f.Lose == nil {
		return nil
	}
	return f.Lose(op)
}

func (f *Faults) refuseEntry(op string) *Error {
	if f == nil || f.Entry == nil {
		return nil
	}
	return f.Entry(op)
}
