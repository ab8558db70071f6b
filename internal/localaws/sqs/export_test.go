package sqs

// Waiting counts the long polls that wait on a queue.
func (s *Service) Waiting(queue string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queues[queue].waiters.length
}
