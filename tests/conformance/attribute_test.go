package conformance_test

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// attributeTrials are about a queue's attributes: defaults, bounds, counters.
func attributeTrials() []trial {
	page := apiReference + "SetQueueAttributes"
	trials := []trial{
		{"attribute/unknown name is refused", page, func(s *session) error {
			return refused(s.set(s.queue(nil), attributes{"Colour": "blue"}), noAttribute)
		}},
		{"attribute/error code is without the query protocol's prefix", page, func(s *session) error {
			err := s.set(s.queue(nil), attributes{"DelaySeconds": "-1"})
			refusal, _ := errors.AsType[smithy.APIError](err)
			if refusal == nil {
				return fmt.Errorf("error %w, want one of AWS", err)
			}
			return same("code", badAttribute, refusal.ErrorCode())
		}},
		{"attribute/one bad value changes nothing", page, func(s *session) error {
			queue := s.queue(nil)
			if err := refused(s.set(queue, attributes{"DelaySeconds": "5", "VisibilityTimeout": "-1"}), badAttribute); err != nil {
				return err
			}
			got, err := s.get(queue, "DelaySeconds")
			if err != nil {
				return err
			}
			return same("DelaySeconds", "0", got)
		}},
		{"attribute/unknown name cannot be asked for", apiReference + "GetQueueAttributes", func(s *session) error {
			_, err := s.get(s.queue(nil), "Colour")
			return refused(err, noAttribute)
		}},
		{"attribute/only what was asked for", apiReference + "GetQueueAttributes", func(s *session) error {
			queue := s.queue(nil)
			out, err := s.client.GetQueueAttributes(s.ctx, &sqs.GetQueueAttributesInput{
				QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{"DelaySeconds"},
			})
			if err != nil {
				return err
			}
			return same("attributes", map[string]string{"DelaySeconds": "0"}, out.Attributes)
		}},
		{"attribute/queue times are Unix seconds", apiReference + "GetQueueAttributes", func(s *session) error {
			queue := s.queue(nil)
			for _, name := range []string{"CreatedTimestamp", "LastModifiedTimestamp"} {
				value, err := s.get(queue, name)
				if err != nil {
					return err
				}
				if n, err := strconv.ParseInt(value, 10, 64); err != nil || n < 1_500_000_000 || n > 5_000_000_000 {
					return fmt.Errorf("%s = %q", name, value)
				}
			}
			return nil
		}},
		{"attribute/counters tell visible, in flight and delayed apart", apiReference + "GetQueueAttributes", counters},
	}
	trials = append(trials, defaultTrials()...)
	return append(trials, boundTrials(page)...)
}

// defaultTrials are the values of a queue that was made without any.
func defaultTrials() []trial {
	var trials []trial
	for _, row := range [][2]string{
		{"VisibilityTimeout", "30"},
		{"MessageRetentionPeriod", "345600"},
		{"DelaySeconds", "0"},
		{"ReceiveMessageWaitTimeSeconds", "0"},
		{"MaximumMessageSize", "1048576"},
		{"SqsManagedSseEnabled", "true"},
		{"RedrivePolicy", ""},
		{"Policy", ""},
	} {
		trials = append(trials, trial{"default/" + row[0], apiReference + "CreateQueue", func(s *session) error {
			got, err := s.get(s.queue(nil), row[0])
			if err != nil {
				return err
			}
			return same(row[0], row[1], got)
		}})
	}
	return trials
}

// boundTrials set the least and the most of each attribute, and one beyond.
func boundTrials(page string) []trial {
	var trials []trial
	for _, row := range []struct {
		name        string
		least, most int
	}{
		{"VisibilityTimeout", 0, 43200},
		{"MessageRetentionPeriod", 60, 1209600},
		{"DelaySeconds", 0, 900},
		{"ReceiveMessageWaitTimeSeconds", 0, 20},
		{"MaximumMessageSize", 1024, 1048576},
	} {
		for what, value := range map[string]int{"least": row.least, "most": row.most} {
			trials = append(trials, trial{fmt.Sprintf("bounds/%s may be its %s", row.name, what), page, func(s *session) error {
				queue := s.queue(nil)
				if err := s.set(queue, attributes{row.name: strconv.Itoa(value)}); err != nil {
					return err
				}
				got, err := s.get(queue, row.name)
				if err != nil {
					return err
				}
				return same(row.name, strconv.Itoa(value), got)
			}})
		}
		for what, value := range map[string]string{"below its least": strconv.Itoa(row.least - 1), "above its most": strconv.Itoa(row.most + 1), "no number": "ten"} {
			trials = append(trials, trial{fmt.Sprintf("bounds/%s may not be %s", row.name, what), page, func(s *session) error {
				return refused(s.set(s.queue(nil), attributes{row.name: value}), badAttribute)
			}})
		}
	}
	return trials
}

func counters(s *session) error {
	queue := s.queue(nil)
	for _, delay := range []int32{0, 0, 0, 900} {
		if _, err := s.client.SendMessage(s.ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: new("m"), DelaySeconds: delay}); err != nil {
			return err
		}
	}
	if _, err := s.receive(queue, func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = 1 }); err != nil {
		return err
	}
	out, err := s.client.GetQueueAttributes(s.ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{
		"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
	}})
	if err != nil {
		return err
	}
	return same("counters", map[string]string{
		"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessagesDelayed": "1",
	}, out.Attributes)
}
