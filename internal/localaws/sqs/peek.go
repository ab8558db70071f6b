package sqs

import "time"

// Peek returns every message of a queue, whatever its state, in order of arrival, and changes nothing. It is no
// operation of AWS: it lets the owner of the emulator say where each event is at one moment. Receipt handles of
// messages that were never received are not valid.
func (s *Service) Peek(queueName string) ([]Message, error) {
	view := view{account: s.options.AccountID, attributes: attributeFilter{"All"}, system: attributeFilter{"All"}}
	var messages []Message
	err := s.withQueue(queueName, func(q *liveQueue, _ time.Time) error {
		for r := q.arrivals.head; r != nil; r = r.inArrival.next {
			messages = append(messages, view.message(delivery{
				payload: r.payload, queueID: q.id, number: r.number, receives: r.receives, received: r.received,
				firstReceived: r.firstReceived, sourceARN: r.sourceARN,
			}))
		}
		return nil
	})
	return messages, err
}
