package sqs

// Restored decodes a stored message with its state and encodes what came of it.
func Restored(message, state []byte) (messageAgain, stateAgain []byte, err error) {
	r := new(record)
	if err := r.restoreMessage(message); err != nil {
		return nil, nil, err
	}
	if err := r.restoreProgress(state); err != nil {
		return nil, nil, err
	}
	return encode(&r.payload), appendBinary(nil, r.progress), nil
}
