package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// moveTrials are about message move tasks.
func moveTrials() []trial {
	start, list, cancel := apiReference+"StartMessageMoveTask", apiReference+"ListMessageMoveTasks", apiReference+"CancelMessageMoveTask"
	return []trial{
		{"move/back to where it came from", start, moveBack},
		{"move/to a queue of choice", start, moveElsewhere},
		{"move/moved message is a new one", devGuide + "sqs-configure-dead-letter-queue-redrive", moveRenews},
		{"move/source that is no dead-letter queue is refused", start, func(s *session) error {
			arn, err := s.arn(s.queue(nil))
			if err != nil {
				return err
			}
			return refused(s.move(arn, nil, nil), badValue)
		}},
		{"move/source that does not exist is refused", start, func(s *session) error {
			arn, err := s.arn(s.queue(nil))
			if err != nil {
				return err
			}
			return refused(s.move(arn+"-not", nil, nil), "ResourceNotFoundException")
		}},
		{"move/target that does not exist is refused", start, func(s *session) error {
			_, _, arn, err := s.pair()
			if err != nil {
				return err
			}
			return refused(s.move(arn, aws.String(arn+"-not"), nil), "ResourceNotFoundException")
		}},
		{"move/more than 500 a second are refused", start, func(s *session) error {
			_, _, arn, err := s.pair()
			if err != nil {
				return err
			}
			return refused(s.move(arn, nil, aws.Int32(501)), badValue)
		}},
		{"move/second task on a source is refused", start, func(s *session) error {
			arn, err := s.slowMove()
			if err != nil {
				return err
			}
			return refused(s.move(arn, nil, nil), badValue, unsupported)
		}},
		{"move/finished task is listed without a handle", list, moveListed},
		{"move/running task is listed with its handle", list, func(s *session) error {
			arn, err := s.slowMove()
			if err != nil {
				return err
			}
			task, err := s.task(arn)
			if err != nil {
				return err
			}
			if aws.ToString(task.TaskHandle) == "" {
				return fmt.Errorf("no handle: %+v", task)
			}
			return same("status", "RUNNING", *task.Status)
		}},
		{"move/handle is base64 of JSON with task and source", devGuide + "sqs-configure-dead-letter-queue-redrive", moveHandle},
		{"move/cancel ends it", cancel, moveCancelled},
		{"move/cancel with a garbage handle is refused", cancel, func(s *session) error {
			_, err := s.client.CancelMessageMoveTask(s.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: aws.String("garbage")})
			return refused(err, badValue, "ResourceNotFoundException")
		}},
		{"move/list of more than ten is refused", list, func(s *session) error {
			_, _, arn, err := s.pair()
			if err != nil {
				return err
			}
			_, err = s.client.ListMessageMoveTasks(s.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn, MaxResults: aws.Int32(11)})
			return refused(err, badValue)
		}},
	}
}

func (s *session) move(from string, to *string, rate *int32) error {
	_, err := s.client.StartMessageMoveTask(s.ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &from, DestinationArn: to, MaxNumberOfMessagesPerSecond: rate})
	return err
}

// task returns the latest task of a source.
func (s *session) task(source string) (types.ListMessageMoveTasksResultEntry, error) {
	out, err := s.client.ListMessageMoveTasks(s.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &source})
	if err == nil && len(out.Results) == 0 {
		err = fmt.Errorf("no task is listed")
	}
	if err != nil {
		return types.ListMessageMoveTasksResultEntry{}, err
	}
	return out.Results[0], nil
}

// slowMove starts a task that takes seconds: three letters at one a second, to a queue of choice.
func (s *session) slowMove() (source string, err error) {
	_, letters, arn, err := s.pair()
	if err != nil {
		return "", err
	}
	for range 3 {
		if err := s.send(letters, "letter"); err != nil {
			return "", err
		}
	}
	to, err := s.arn(s.queue(nil))
	if err != nil {
		return "", err
	}
	return arn, s.move(arn, &to, aws.Int32(1))
}

// redriven moves a dead letter back to its queue. It returns the letter, and the message that came of it.
func (s *session) redriven() (letter, moved types.Message, err error) {
	queue, letters, arn, err := s.pair()
	if err != nil {
		return letter, moved, err
	}
	_, letter, err = s.bury(queue, letters)
	if err != nil {
		return letter, moved, err
	}
	if err := s.hide(letters, letter.ReceiptHandle, 0); err != nil {
		return letter, moved, err
	}
	if err := s.move(arn, nil, nil); err != nil {
		return letter, moved, err
	}
	moved, err = s.one(queue)
	return letter, moved, err
}

func moveBack(s *session) error {
	_, m, err := s.redriven()
	if err != nil {
		return err
	}
	return same("body", "poison", *m.Body)
}

func moveElsewhere(s *session) error {
	_, letters, arn, err := s.pair()
	if err != nil {
		return err
	}
	if err := s.send(letters, "letter"); err != nil {
		return err
	}
	elsewhere := s.queue(nil)
	to, err := s.arn(elsewhere)
	if err != nil {
		return err
	}
	if err := s.move(arn, &to, nil); err != nil {
		return err
	}
	_, err = s.one(elsewhere)
	return err
}

func moveRenews(s *session) error {
	letter, m, err := s.redriven()
	if err != nil {
		return err
	}
	if *m.MessageId == *letter.MessageId {
		return fmt.Errorf("it has its old id")
	}
	return same("ApproximateReceiveCount", "1", m.Attributes["ApproximateReceiveCount"])
}

func moveListed(s *session) error {
	_, letters, arn, err := s.pair()
	if err != nil {
		return err
	}
	if err := s.send(letters, "letter"); err != nil {
		return err
	}
	elsewhere := s.queue(nil)
	to, err := s.arn(elsewhere)
	if err != nil {
		return err
	}
	if err := s.move(arn, &to, nil); err != nil {
		return err
	}
	if _, err := s.one(elsewhere); err != nil {
		return err
	}
	if err := s.none(s.queue(attributes{"ReceiveMessageWaitTimeSeconds": "1"})); err != nil { // time to finish
		return err
	}
	task, err := s.task(arn)
	if err != nil {
		return err
	}
	return same("task", [4]string{"COMPLETED", "", "1", arn}, [4]string{
		*task.Status, aws.ToString(task.TaskHandle), fmt.Sprint(task.ApproximateNumberOfMessagesMoved), aws.ToString(task.SourceArn),
	})
}

func moveHandle(s *session) error {
	arn, err := s.slowMove()
	if err != nil {
		return err
	}
	task, err := s.task(arn)
	if err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(aws.ToString(task.TaskHandle))
	if err != nil {
		return err
	}
	var handle struct{ TaskID, SourceARN string }
	if err := json.Unmarshal(raw, &handle); err != nil { // encoding/json takes any case
		return err
	}
	return same("source", arn, handle.SourceARN)
}

func moveCancelled(s *session) error {
	arn, err := s.slowMove()
	if err != nil {
		return err
	}
	task, err := s.task(arn)
	if err != nil {
		return err
	}
	if _, err := s.client.CancelMessageMoveTask(s.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: task.TaskHandle}); err != nil {
		return err
	}
	if task, err = s.task(arn); err != nil {
		return err
	}
	if !strings.HasPrefix(*task.Status, "CANCELL") {
		return fmt.Errorf("status %s", *task.Status)
	}
	return nil
}
