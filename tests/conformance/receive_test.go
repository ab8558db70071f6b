package conformance_test

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// messageTrials send one message and look at what is received.
func messageTrials() []trial {
	var trials []trial
	for _, row := range []struct {
		id, page string
		change   func(in *sqs.SendMessageInput)
		check    func(m types.Message) error
	}{
		{"body and its MD5", apiReference + "Message", body("grüße"), func(m types.Message) error {
			return same("body and MD5", [2]string{"grüße", "fee40dc24d0ad6a90c608052aa4e9e66"}, [2]string{*m.Body, *m.MD5OfBody})
		}},
		{"String attribute", pageMetadata, attribute("a", text("välue")), func(m types.Message) error {
			return same("value", "välue", aws.ToString(m.MessageAttributes["a"].StringValue))
		}},
		{"Number attribute keeps its digits", pageMetadata, attribute("a", number("01.50")), func(m types.Message) error {
			return same("value", "01.50", aws.ToString(m.MessageAttributes["a"].StringValue))
		}},
		{"Binary attribute", pageMetadata, attribute("a", types.MessageAttributeValue{DataType: aws.String("Binary"), BinaryValue: []byte{0, 1, 254, 255}}), func(m types.Message) error {
			return same("value", []byte{0, 1, 254, 255}, m.MessageAttributes["a"].BinaryValue)
		}},
		{"custom type suffix", pageMetadata, attribute("a", types.MessageAttributeValue{DataType: aws.String("Number.int"), StringValue: aws.String("7")}), func(m types.Message) error {
			return same("type", "Number.int", aws.ToString(m.MessageAttributes["a"].DataType))
		}},
		{"MD5 of attributes", pageMetadata, attribute("a", text("v")), func(m types.Message) error {
			if aws.ToString(m.MD5OfMessageAttributes) == "" {
				return fmt.Errorf("no MD5OfMessageAttributes")
			}
			return nil
		}},
		{"no attributes, no MD5 of them", apiReference + "Message", body("m"), func(m types.Message) error {
			return same("MD5OfMessageAttributes", "", aws.ToString(m.MD5OfMessageAttributes))
		}},
		{"AWSTraceHeader", apiReference + "SendMessage", func(in *sqs.SendMessageInput) {
			in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
				"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-5759e988-bd862e3fe1be46a994272793")},
			}
		}, func(m types.Message) error {
			return same("AWSTraceHeader", "Root=1-5759e988-bd862e3fe1be46a994272793", m.Attributes["AWSTraceHeader"])
		}},
		{"MessageGroupId on a standard queue", devGuide + "sqs-fair-queues", group("tenant-1"), func(m types.Message) error {
			return same("MessageGroupId", "tenant-1", m.Attributes["MessageGroupId"])
		}},
		{"SentTimestamp in milliseconds", apiReference + "ReceiveMessage", body("m"), func(m types.Message) error {
			return recent(m.Attributes["SentTimestamp"])
		}},
		{"ApproximateFirstReceiveTimestamp in milliseconds", apiReference + "ReceiveMessage", body("m"), func(m types.Message) error {
			return recent(m.Attributes["ApproximateFirstReceiveTimestamp"])
		}},
		{"ApproximateReceiveCount starts at 1", apiReference + "ReceiveMessage", body("m"), func(m types.Message) error {
			return same("ApproximateReceiveCount", "1", m.Attributes["ApproximateReceiveCount"])
		}},
		{"SenderId", apiReference + "ReceiveMessage", body("m"), func(m types.Message) error {
			if m.Attributes["SenderId"] == "" {
				return fmt.Errorf("no SenderId")
			}
			return nil
		}},
	} {
		trials = append(trials, trial{"message/" + row.id, row.page, func(s *session) error {
			queue := s.queue(nil)
			in := &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("m")}
			row.change(in)
			sent, err := s.client.SendMessage(s.ctx, in)
			if err != nil {
				return err
			}
			m, err := s.one(queue)
			if err != nil {
				return err
			}
			if err := same("message id and MD5s", [3]string{*sent.MessageId, *sent.MD5OfMessageBody, aws.ToString(sent.MD5OfMessageAttributes)},
				[3]string{*m.MessageId, *m.MD5OfBody, aws.ToString(m.MD5OfMessageAttributes)}); err != nil {
				return err
			}
			return row.check(m)
		}})
	}
	return trials
}

// recent checks a time in Unix milliseconds, within a day of this machine's clock.
func recent(millis string) error {
	n, err := strconv.ParseInt(millis, 10, 64)
	if err != nil || time.Since(time.UnixMilli(n)).Abs() > 24*time.Hour {
		return fmt.Errorf("%q is no recent time in milliseconds", millis)
	}
	return nil
}

// receiveTrials are about ReceiveMessage itself.
func receiveTrials() []trial {
	page := apiReference + "ReceiveMessage"
	trials := []trial{
		{"receive/empty queue gives an empty list at once", page, func(s *session) error { return s.none(s.queue(nil)) }},
		{"receive/one message by default", page, func(s *session) error {
			queue := s.queue(nil)
			for range 3 {
				if err := s.send(queue, "m"); err != nil {
					return err
				}
			}
			got, err := s.receive(queue, func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = 0 })
			if err != nil {
				return err
			}
			return same("messages", 1, len(got))
		}},
		{"receive/long poll wakes on arrival", devGuide + "sqs-short-and-long-polling", longPoll},
		{"receive/queue's own wait time", devGuide + "sqs-short-and-long-polling", func(s *session) error {
			queue := s.queue(attributes{"ReceiveMessageWaitTimeSeconds": "1"})
			began := time.Now()
			if err := s.none(queue); err != nil {
				return err
			}
			if waited := time.Since(began); waited < 900*time.Millisecond {
				return fmt.Errorf("answered after %v, want a wait of 1s", waited)
			}
			return nil
		}},
		{"receive/delayed message comes later", devGuide + "sqs-message-timers", delayed},
		{"receive/queue's own delay", devGuide + "sqs-delay-queues", func(s *session) error {
			queue := s.queue(attributes{"DelaySeconds": "3"})
			if err := s.send(queue, "m"); err != nil {
				return err
			}
			if err := s.none(queue); err != nil {
				return err
			}
			_, err := s.one(queue)
			return err
		}},
		{"receive/no attributes unless asked for", page, func(s *session) error {
			m, err := s.sendAttributes(func(in *sqs.ReceiveMessageInput) {
				in.MessageSystemAttributeNames, in.MessageAttributeNames = nil, nil
			})
			if err != nil {
				return err
			}
			return same("attributes", 0, len(m.Attributes)+len(m.MessageAttributes))
		}},
		{"receive/MD5 covers the returned attributes only", page, func(s *session) error {
			all, err := s.sendAttributes(func(*sqs.ReceiveMessageInput) {})
			if err != nil {
				return err
			}
			some, err := s.sendAttributes(func(in *sqs.ReceiveMessageInput) { in.MessageAttributeNames = []string{"alpha.one"} })
			if err != nil {
				return err
			}
			if aws.ToString(all.MD5OfMessageAttributes) == aws.ToString(some.MD5OfMessageAttributes) {
				return fmt.Errorf("both MD5s are %s", aws.ToString(all.MD5OfMessageAttributes))
			}
			return nil
		}},
		{"receive/AttributeNames and MessageSystemAttributeNames add up", page, func(s *session) error {
			m, err := s.sendAttributes(func(in *sqs.ReceiveMessageInput) {
				in.AttributeNames = []types.QueueAttributeName{"SentTimestamp"} //nolint:staticcheck // old clients use it
				in.MessageSystemAttributeNames = []types.MessageSystemAttributeName{"SenderId"}
			})
			if err != nil {
				return err
			}
			if m.Attributes["SentTimestamp"] == "" || m.Attributes["SenderId"] == "" {
				return fmt.Errorf("got %v, want both", m.Attributes)
			}
			return nil
		}},
		{"receive/unknown system attribute is refused", page, func(s *session) error {
			_, err := s.receive(s.queue(nil), atOnce, func(in *sqs.ReceiveMessageInput) {
				in.MessageSystemAttributeNames = []types.MessageSystemAttributeName{"Colour"}
			})
			return refused(err, noAttribute, badValue)
		}},
	}
	for _, row := range []struct {
		filter string
		want   int
	}{{"All", 3}, {".*", 3}, {"alpha.*", 2}, {"alpha.one", 1}, {"beta", 1}, {"gamma", 0}} {
		trials = append(trials, trial{fmt.Sprintf("receive/attribute filter %s", row.filter), page, func(s *session) error {
			m, err := s.sendAttributes(func(in *sqs.ReceiveMessageInput) { in.MessageAttributeNames = []string{row.filter} })
			if err != nil {
				return err
			}
			return same("attributes", row.want, len(m.MessageAttributes))
		}})
	}
	for what, change := range map[string]func(*sqs.ReceiveMessageInput){
		"11 messages are refused":                  func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = 11 },
		"a negative number is refused":             func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = -1 },
		"a wait of 21 s is refused":                func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 21 },
		"a negative wait is refused":               func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = -1 },
		"a visibility beyond 12 hours is refused":  hiddenFor(43201),
		"a negative visibility timeout is refused": hiddenFor(-1),
	} {
		trials = append(trials, trial{"receive/" + what, page, func(s *session) error {
			_, err := s.receive(s.queue(nil), atOnce, change)
			return refused(err, badValue)
		}})
	}
	return trials
}

// sendAttributes sends a message with three attributes and receives it.
func (s *session) sendAttributes(change func(*sqs.ReceiveMessageInput)) (types.Message, error) {
	queue := s.queue(nil)
	_, err := s.client.SendMessage(s.ctx, &sqs.SendMessageInput{
		QueueUrl: &queue, MessageBody: aws.String("m"),
		MessageAttributes: map[string]types.MessageAttributeValue{"alpha.one": text("1"), "alpha.two": text("2"), "beta": text("3")},
	})
	if err != nil {
		return types.Message{}, err
	}
	return s.one(queue, change)
}

func longPoll(s *session) error {
	queue := s.queue(nil)
	type outcome struct {
		err  error
		took time.Duration
	}
	done := make(chan outcome, 1)
	go func() {
		began := time.Now()
		_, err := s.one(queue)
		done <- outcome{err, time.Since(began)}
	}()
	if err := s.none(s.queue(attributes{"ReceiveMessageWaitTimeSeconds": "1"})); err != nil { // a second passes
		return err
	}
	if err := s.send(queue, "m"); err != nil {
		return err
	}
	got := <-done
	if got.err == nil && got.took > 5*time.Second {
		return fmt.Errorf("answered after %v, and the message came after 1s", got.took)
	}
	return got.err
}

func delayed(s *session) error {
	queue := s.queue(nil)
	if _, err := s.client.SendMessage(s.ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("m"), DelaySeconds: 3}); err != nil {
		return err
	}
	if err := s.none(queue); err != nil {
		return err
	}
	_, err := s.one(queue)
	return err
}
