package sqs

import "time"

// Peek returns every message of a queue, whatever its state, in order of arrival, and changes nothing. It is no
// operation of AWS: it lets the owner of the emulator say where each event is at one moment. Receipt handles of
// messages that were never received are not valid.
func (s *Service) Peek(queueName string) ([]Message, error) {
	var all []delivery
	err := s.withQueue(queueName, func(q *queue, _ time.Time) error {
		for _, r := range q.all() {
			all = append(all, q.delivery(r))
		}
		return nil
	})
	return s.show(all, everything, everything), err
}
