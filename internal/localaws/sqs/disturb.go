package sqs

import "time"

// Disturb lets a test do to messages what a distributed SQS may do to them at any time. pick is asked for every message of the
// queue, oldest first; a message that it picks becomes visible after the delay that it returns. For a message in flight that
// means a second delivery while the first is being worked on, or a redelivery that comes late; for a visible one, being
// overtaken by others. It returns how many were picked.
//
// It is no operation of AWS, and pick must not call the service.
func (s *Service) Disturb(queueName string, pick func(Held) (delay time.Duration, picked bool)) (n int, err error) {
	err = s.withQueue(queueName, func(q *queue, now time.Time) error {
		for _, r := range q.all() {
			if delay, picked := pick(r.held); picked {
				q.hide(r, now.Add(delay))
				n++
			}
		}
		return nil
	})
	return n, err
}
