package conformance_test

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// visibilityTrials follow a message through visibility timeouts, receipt handles and deletes.
func visibilityTrials() []trial {
	page, change, remove := devGuide+"sqs-visibility-timeout", apiReference+"ChangeMessageVisibility", apiReference+"DeleteMessage"
	rows := []struct {
		id, page string
		// check gets a queue and the one message that was received from it, hidden for a second.
		check func(s *session, queue string, m types.Message) error
	}{
		{"received message is hidden", page, func(s *session, queue string, _ types.Message) error { return s.none(queue) }},
		{"message comes back with count 2 and another handle", page, func(s *session, queue string, m types.Message) error {
			again, err := s.one(queue)
			if err != nil {
				return err
			}
			if *again.ReceiptHandle == *m.ReceiptHandle || *again.MessageId != *m.MessageId {
				return errors.New("want the same message with another handle")
			}
			return same("count", "2", again.Attributes["ApproximateReceiveCount"])
		}},
		{"first receive time stays", apiReference + "ReceiveMessage", func(s *session, queue string, m types.Message) error {
			again, err := s.one(queue)
			if err != nil {
				return err
			}
			return same("time", m.Attributes["ApproximateFirstReceiveTimestamp"], again.Attributes["ApproximateFirstReceiveTimestamp"])
		}},
		{"zero makes it visible at once", change, func(s *session, queue string, m types.Message) error {
			if err := s.hide(queue, m.ReceiptHandle, 0); err != nil {
				return err
			}
			_, err := s.one(queue, atOnce)
			return err
		}},
		{"longer keeps it hidden", change, func(s *session, queue string, m types.Message) error {
			if err := s.hide(queue, m.ReceiptHandle, 60); err != nil {
				return err
			}
			got, err := s.receive(queue, func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 2 })
			if err == nil && len(got) > 0 {
				return errors.New("it came back")
			}
			return err
		}},
		{"beyond 12 hours is refused", change, func(s *session, queue string, m types.Message) error {
			return refused(s.hide(queue, m.ReceiptHandle, 43201), badValue)
		}},
		{"negative is refused", change, func(s *session, queue string, m types.Message) error {
			return refused(s.hide(queue, m.ReceiptHandle, -1), badValue)
		}},
		{"12 hours count from the receive", devGuide + "sqs-visibility-timeout", func(s *session, queue string, m types.Message) error {
			return refused(s.hide(queue, m.ReceiptHandle, 43200), badValue)
		}},
		{"message that is not in flight is refused", change, func(s *session, queue string, m types.Message) error {
			if err := s.hide(queue, m.ReceiptHandle, 0); err != nil {
				return err
			}
			err := s.hide(queue, m.ReceiptHandle, 10)
			if err := refused(err, "AWS.SimpleQueueService.MessageNotInflight"); err != nil {
				return err
			}
			return typed[*types.MessageNotInflight](err)
		}},
		{"deleted message is refused", change, func(s *session, queue string, m types.Message) error {
			if err := s.remove(queue, m.ReceiptHandle); err != nil {
				return err
			}
			return refused(s.hide(queue, m.ReceiptHandle, 10), badValue)
		}},
		{"garbage handle is refused", change, func(s *session, queue string, _ types.Message) error {
			err := s.hide(queue, aws.String("garbage"), 10)
			if err := refused(err, "ReceiptHandleIsInvalid"); err != nil {
				return err
			}
			return typed[*types.ReceiptHandleIsInvalid](err)
		}},
		{"deleted message does not come back", remove, func(s *session, queue string, m types.Message) error {
			if err := s.remove(queue, m.ReceiptHandle); err != nil {
				return err
			}
			got, err := s.receive(queue, func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 2 })
			if err == nil && len(got) > 0 {
				return errors.New("it came back")
			}
			return err
		}},
		{"deleting twice is success", remove, func(s *session, queue string, m types.Message) error {
			return errors.Join(s.remove(queue, m.ReceiptHandle), s.remove(queue, m.ReceiptHandle))
		}},
		{"deleting with an expired handle is success", remove, func(s *session, queue string, m types.Message) error {
			if _, err := s.one(queue); err != nil {
				return err
			}
			return s.remove(queue, m.ReceiptHandle)
		}},
		{"deleting with a garbage handle is refused", remove, func(s *session, queue string, _ types.Message) error {
			return refused(s.remove(queue, aws.String("garbage")), "ReceiptHandleIsInvalid")
		}},
		{"deleting with a handle of another queue is refused", remove, func(s *session, _ string, m types.Message) error {
			return refused(s.remove(s.queue(nil), m.ReceiptHandle), "ReceiptHandleIsInvalid", badValue)
		}},
		{"handle is text without spaces", devGuide + "sqs-queue-message-identifiers", func(_ *session, _ string, m types.Message) error {
			if n := len(*m.ReceiptHandle); n == 0 || n > 1024 {
				return fmt.Errorf("a handle of %d characters", n)
			}
			return nil
		}},
	}
	var trials []trial
	for _, row := range rows {
		trials = append(trials, trial{"visibility/" + row.id, row.page, func(s *session) error {
			queue := s.queue(nil)
			if err := s.send(queue, "m"); err != nil {
				return err
			}
			m, err := s.one(queue, hiddenFor(1))
			if err != nil {
				return err
			}
			return row.check(s, queue, m)
		}})
	}
	return trials
}
