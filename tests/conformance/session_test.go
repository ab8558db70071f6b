package conformance_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// session is one case's access to the server. Its queues are deleted at the end.
type session struct {
	ctx    context.Context //nolint:containedctx // a case is one call deep
	client *sqs.Client
	queues []string
}

// attributes are a queue's.
type attributes = map[string]string

func (s *session) cleanUp() {
	for _, queue := range s.queues {
		_, _ = s.client.DeleteQueue(context.WithoutCancel(s.ctx), &sqs.DeleteQueueInput{QueueUrl: &queue}) // the case may have done so
	}
}

// name is one that no other case has.
func (s *session) name() string { return "conformance-" + strings.ToLower(rand.Text()) }

// queue makes a queue and returns its URL. Cases cannot go on without.
func (s *session) queue(with attributes) string {
	name := s.name()
	out, err := s.client.CreateQueue(s.ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: with})
	if err != nil {
		panic(stuck{fmt.Errorf("CreateQueue(%v): %w", with, err)})
	}
	s.queues = append(s.queues, *out.QueueUrl)
	return *out.QueueUrl
}

// get reads one attribute, "" when it is not there.
func (s *session) get(queue, name string) (string, error) {
	out, err := s.client.GetQueueAttributes(s.ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{types.QueueAttributeName(name)},
	})
	if err != nil {
		return "", err
	}
	return out.Attributes[name], nil
}

func (s *session) set(queue string, to attributes) error {
	_, err := s.client.SetQueueAttributes(s.ctx, &sqs.SetQueueAttributesInput{QueueUrl: &queue, Attributes: to})
	return err
}

func (s *session) arn(queue string) (string, error) { return s.get(queue, "QueueArn") }

func (s *session) send(queue, body string) error {
	_, err := s.client.SendMessage(s.ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &body})
	return err
}

// receive takes up to ten messages with everything about them, waiting up to 10 s for a first one.
func (s *session) receive(queue string, change ...func(*sqs.ReceiveMessageInput)) ([]types.Message, error) {
	in := &sqs.ReceiveMessageInput{
		QueueUrl: &queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 10,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"},
	}
	for _, c := range change {
		c(in)
	}
	out, err := s.client.ReceiveMessage(s.ctx, in)
	if err != nil {
		return nil, err
	}
	return out.Messages, nil
}

// one is receive where exactly one message is expected.
func (s *session) one(queue string, change ...func(*sqs.ReceiveMessageInput)) (types.Message, error) {
	got, err := s.receive(queue, change...)
	if err == nil && len(got) != 1 {
		err = fmt.Errorf("received %d messages, want 1", len(got))
	}
	if err != nil {
		return types.Message{}, err
	}
	return got[0], nil
}

// none wants an empty receive, without waiting.
func (s *session) none(queue string) error {
	got, err := s.receive(queue, atOnce)
	if err == nil && len(got) > 0 {
		err = fmt.Errorf("received %d messages, want none", len(got))
	}
	return err
}

func atOnce(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = 0 }

func hiddenFor(seconds int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.VisibilityTimeout = seconds }
}

func (s *session) remove(queue string, handle *string) error {
	_, err := s.client.DeleteMessage(s.ctx, &sqs.DeleteMessageInput{QueueUrl: &queue, ReceiptHandle: handle})
	return err
}

func (s *session) hide(queue string, handle *string, seconds int32) error {
	_, err := s.client.ChangeMessageVisibility(s.ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &queue, ReceiptHandle: handle, VisibilityTimeout: seconds,
	})
	return err
}

// refused wants an error with one of AWS's codes, with or without the query protocol's prefix; one case is about that alone.
func refused(err error, codes ...string) error {
	if err == nil {
		return fmt.Errorf("accepted, want %s", strings.Join(codes, " or "))
	}
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	for _, code := range codes {
		if strings.TrimPrefix(refusal.ErrorCode(), legacyPrefix) == strings.TrimPrefix(code, legacyPrefix) {
			return nil
		}
	}
	return fmt.Errorf("error %s (%s), want %s", refusal.ErrorCode(), refusal.ErrorMessage(), strings.Join(codes, " or "))
}

// typed wants an error of one of the SDK's types.
func typed[E error](err error) error {
	if _, ok := errors.AsType[E](err); ok {
		return nil
	}
	var want E
	if err == nil {
		return fmt.Errorf("accepted, want %T", want)
	}
	return fmt.Errorf("error %T %w, want %T", err, err, want)
}

// same wants two values to be equal.
func same(what string, want, got any) error {
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("%s (-want +got):\n%s", what, diff)
	}
	return nil
}

func text(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

// The query protocol's codes that SDKs show.
const (
	legacyPrefix  = "AWS.SimpleQueueService."
	noQueue       = legacyPrefix + "NonExistentQueue"
	badValue      = "InvalidParameterValue"
	badAttribute  = "InvalidAttributeValue"
	noAttribute   = "InvalidAttributeName"
	missing       = "MissingParameter"
	unsupported   = legacyPrefix + "UnsupportedOperation"
	apiReference  = "APIReference/API_"
	devGuide      = "SQSDeveloperGuide/"
	pageMetadata  = devGuide + "sqs-message-metadata"
	pageQuotas    = devGuide + "quotas-messages"
	pageQueueName = devGuide + "quotas-queues"
)
