package sqs

// Waiting counts the long polls that wait on a queue.
func (s *Service) Waiting(queue string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queues[queue].waiters.length
}

// Restored decodes a stored message with its state and encodes what came of it.
func Restored(message, state []byte) (messageAgain, stateAgain []byte, err error) {
	r, err := restoreMessage(1, message)
	if err != nil {
		return nil, nil, err
	}
	if err := r.restoreProgress(state); err != nil {
		return nil, nil, err
	}
	return encode(&r.payload), appendBinary(nil, r.progress), nil
}
