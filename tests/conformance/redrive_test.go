package conformance_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// pair makes a queue with a dead-letter queue, after one receive.
func (s *session) pair() (queue, letters, lettersARN string, err error) {
	letters = s.queue(nil)
	if lettersARN, err = s.arn(letters); err != nil {
		return "", "", "", err
	}
	return s.queue(attributes{"VisibilityTimeout": "1", "RedrivePolicy": policy(lettersARN, "1")}), letters, lettersARN, nil
}

func policy(arn, receives string) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%s}`, arn, receives)
}

// bury sends a message, lets it fail and returns its dead letter.
func (s *session) bury(queue, letters string) (sent, letter types.Message, err error) {
	_, err = s.client.SendMessage(s.ctx, &sqs.SendMessageInput{
		QueueUrl: &queue, MessageBody: aws.String("poison"), MessageAttributes: map[string]types.MessageAttributeValue{"a": text("v")},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-1")}},
	})
	if err != nil {
		return sent, letter, err
	}
	if sent, err = s.one(queue); err != nil {
		return sent, letter, err
	}
	if got, err := s.receive(queue, func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 2 }); err != nil || len(got) > 0 {
		return sent, letter, fmt.Errorf("received %d messages (%w), want the message to move to the dead letters", len(got), err)
	}
	letter, err = s.one(letters, hiddenFor(1))
	return sent, letter, err
}

// redriveTrials are about dead-letter queues.
func redriveTrials() []trial {
	page, set := devGuide+"sqs-dead-letter-queues", apiReference+"SetQueueAttributes"
	trials := []trial{
		{"redrive/list of sources", apiReference + "ListDeadLetterSourceQueues", func(s *session) error {
			queue, letters, _, err := s.pair()
			if err != nil {
				return err
			}
			out, err := s.client.ListDeadLetterSourceQueues(s.ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &letters})
			if err != nil {
				return err
			}
			return same("sources", []string{queue}, out.QueueUrls)
		}},
		{"redrive/policy is taken off by an empty value", set, func(s *session) error {
			queue, _, _, err := s.pair()
			if err != nil {
				return err
			}
			if err := s.set(queue, attributes{"RedrivePolicy": ""}); err != nil {
				return err
			}
			got, err := s.get(queue, "RedrivePolicy")
			if err != nil {
				return err
			}
			return same("RedrivePolicy", "", got)
		}},
		{"redrive/count may be text", set, func(s *session) error {
			_, _, arn, err := s.pair()
			if err != nil {
				return err
			}
			return s.set(s.queue(nil), attributes{"RedrivePolicy": policy(arn, `"5"`)})
		}},
		{"redrive/denyAll keeps queues away", set, func(s *session) error {
			letters := s.queue(attributes{"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`})
			arn, err := s.arn(letters)
			if err != nil {
				return err
			}
			return refused(s.set(s.queue(nil), attributes{"RedrivePolicy": policy(arn, "1")}), badValue, badAttribute)
		}},
		{"redrive/byQueue lets the named queue in", set, func(s *session) error {
			queue, letters := s.queue(nil), s.queue(nil)
			source, err := s.arn(queue)
			if err != nil {
				return err
			}
			arn, err := s.arn(letters)
			if err != nil {
				return err
			}
			if err := s.set(letters, attributes{"RedriveAllowPolicy": fmt.Sprintf(`{"redrivePermission":"byQueue","sourceQueueArns":[%q]}`, source)}); err != nil {
				return err
			}
			if err := s.set(queue, attributes{"RedrivePolicy": policy(arn, "1")}); err != nil {
				return err
			}
			return refused(s.set(s.queue(nil), attributes{"RedrivePolicy": policy(arn, "1")}), badValue, badAttribute)
		}},
		{"redrive/unknown permission is refused", set, func(s *session) error {
			return refused(s.set(s.queue(nil), attributes{"RedriveAllowPolicy": `{"redrivePermission":"some"}`}), badValue, badAttribute)
		}},
		{"redrive/message moves when received by the next", page, movesAtReceive},
	}
	return slices.Concat(trials, policyTrials(set), letterTrials(page))
}

// policyTrials are redrive policies that are refused.
func policyTrials(page string) []trial {
	var trials []trial
	for id, write := range map[string]func(arn string) string{
		"count of 0 is refused":                 func(arn string) string { return policy(arn, "0") },
		"count of 1001 is refused":              func(arn string) string { return policy(arn, "1001") },
		"policy without a count is refused":     func(arn string) string { return fmt.Sprintf(`{"deadLetterTargetArn":%q}`, arn) },
		"policy without a target is refused":    func(string) string { return `{"maxReceiveCount":1}` },
		"target that does not exist is refused": func(arn string) string { return policy(arn+"-not", "1") },
		"target that is no ARN is refused":      func(string) string { return policy("letters", "1") },
	} {
		trials = append(trials, trial{"redrive/" + id, page, func(s *session) error {
			arn, err := s.arn(s.queue(nil))
			if err != nil {
				return err
			}
			return refused(s.set(s.queue(nil), attributes{"RedrivePolicy": write(arn)}), badValue, badAttribute, "AWS.SimpleQueueService.NonExistentQueue")
		}})
	}
	slices.SortFunc(trials, func(a, b trial) int { return strings.Compare(a.id, b.id) })
	return trials
}

// letterTrials look at a dead letter.
func letterTrials(page string) []trial {
	var trials []trial
	for id, check := range map[string]func(sourceARN string, sent, letter types.Message) error{
		"letter keeps id and body": func(_ string, sent, letter types.Message) error {
			return same("id and body", [2]string{*sent.MessageId, *sent.Body}, [2]string{*letter.MessageId, *letter.Body})
		},
		"letter keeps its attributes": func(_ string, sent, letter types.Message) error {
			return same("attribute", aws.ToString(sent.MessageAttributes["a"].StringValue), aws.ToString(letter.MessageAttributes["a"].StringValue))
		},
		"letter keeps the time it was sent": func(_ string, sent, letter types.Message) error {
			return same("SentTimestamp", sent.Attributes["SentTimestamp"], letter.Attributes["SentTimestamp"])
		},
		"letter keeps its trace header": func(_ string, _, letter types.Message) error {
			return same("AWSTraceHeader", "Root=1-1", letter.Attributes["AWSTraceHeader"])
		},
		"letter counts on": func(_ string, _, letter types.Message) error {
			return same("ApproximateReceiveCount", "2", letter.Attributes["ApproximateReceiveCount"])
		},
		"letter names its source": func(sourceARN string, _, letter types.Message) error {
			return same("DeadLetterQueueSourceArn", sourceARN, letter.Attributes["DeadLetterQueueSourceArn"])
		},
	} {
		trials = append(trials, trial{"redrive/" + id, page, func(s *session) error {
			queue, letters, _, err := s.pair()
			if err != nil {
				return err
			}
			arn, err := s.arn(queue)
			if err != nil {
				return err
			}
			sent, letter, err := s.bury(queue, letters)
			if err != nil {
				return err
			}
			return check(arn, sent, letter)
		}})
	}
	slices.SortFunc(trials, func(a, b trial) int { return strings.Compare(a.id, b.id) })
	return trials
}

// movesAtReceive checks that a message whose last visibility timeout ended is still in its queue until somebody receives.
func movesAtReceive(s *session) error {
	queue, _, _, err := s.pair()
	if err != nil {
		return err
	}
	if err := s.send(queue, "poison"); err != nil {
		return err
	}
	if _, err := s.one(queue); err != nil {
		return err
	}
	if err := s.none(s.queue(attributes{"ReceiveMessageWaitTimeSeconds": "2"})); err != nil { // two seconds pass
		return err
	}
	visible, err := s.get(queue, "ApproximateNumberOfMessages")
	if err == nil && visible != "1" {
		err = errors.New("it moved by itself")
	}
	return err
}
