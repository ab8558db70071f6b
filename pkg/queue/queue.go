package queue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/millrace-dev/millrace/pkg/batch"
)

// Client is what a Queue needs of the SDK; *sqs.Client has it.
type Client interface {
	SendMessage(ctx context.Context, in *sqs.SendMessageInput, opts ...option) (*sqs.SendMessageOutput, error)
	SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, opts ...option) (*sqs.SendMessageBatchOutput, error)
	ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, opts ...option) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, opts ...option) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput, opts ...option) (
		*sqs.ChangeMessageVisibilityBatchOutput, error)
	GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, opts ...option) (*sqs.GetQueueAttributesOutput, error)
}

type option = func(*sqs.Options)

var _ Client = (*sqs.Client)(nil)

// Limits of SQS calls. Source: Amazon SQS Developer Guide, "Message quotas".
const (
	// MaxEntries is the most messages one batch call may name.
	MaxEntries = 10
	// MaxDelay is the longest DelaySeconds.
	MaxDelay = 15 * time.Minute
	// MaxVisibility is the longest a message may be hidden, in all.
	MaxVisibility = 12 * time.Hour
	// MaxWait is the longest long poll.
	MaxWait = 20 * time.Second
)

// Queue is one SQS queue that holds packs. It is safe for concurrent use.
type Queue struct {
	client Client
	url    string
	bucket Bucket // nil for none
}

// New returns the queue at url.
func New(client Client, url string) *Queue { return &Queue{client: client, url: url} }

// WithBucket returns the same queue with a bucket for the events of packs that do not fit a
// message. Without one, such packs are not sent.
func (q *Queue) WithBucket(b Bucket) *Queue { return &Queue{client: q.client, url: q.url, bucket: b} }

// URL returns the queue's URL.
func (q *Queue) URL() string { return q.url }

// Received is a message taken from the queue: hidden from others until its visibility
// timeout ends, it is deleted or it is released.
type Received struct {
	// ID is SQS's message id. Redrive changes it: never use it to recognise events.
	ID string
	// Receipt names this receipt of the message, to delete or release it.
	Receipt string
	// Body and Events are the two parts of a pack; see batch.Decode. Events of a pack that
	// is checked in are in the bucket, and nil here.
	Body, Events []byte
	// ReceiveCount is how often the message was received, this time included.
	ReceiveCount int
	// Sent is when the message was put on the queue.
	Sent time.Time
}

// Receive takes up to limit messages (at most MaxEntries), waits up to wait for the first, and
// hides them for visibility.
func (q *Queue) Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]Received, error) {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:              &q.url,
		MaxNumberOfMessages:   int32(min(limit, MaxEntries)), //nolint:gosec // at most ten
		WaitTimeSeconds:       seconds(wait, MaxWait),
		VisibilityTimeout:     seconds(visibility, MaxVisibility),
		MessageAttributeNames: []string{batch.AttributeName},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameSentTimestamp,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", q.url, err)
	}
	messages := make([]Received, len(out.Messages))
	for i := range out.Messages {
		messages[i] = received(&out.Messages[i])
	}
	return messages, nil
}

func received(m *types.Message) Received {
	count, _ := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	millis, _ := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	return Received{
		ID: aws.ToString(m.MessageId), Receipt: aws.ToString(m.ReceiptHandle),
		Body: []byte(aws.ToString(m.Body)), Events: m.MessageAttributes[batch.AttributeName].BinaryValue,
		ReceiveCount: count, Sent: time.UnixMilli(millis).UTC(),
	}
}

// Depth is how many messages a queue holds, by SQS's own approximate count.
type Depth struct {
	Visible  int `json:"visible"`
	InFlight int `json:"in_flight"`
	Delayed  int `json:"delayed"`
}

// Total is all messages, whatever their state.
func (d Depth) Total() int { return d.Visible + d.InFlight + d.Delayed }

// Depth asks how many messages the queue holds.
func (q *Queue) Depth(ctx context.Context) (Depth, error) {
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url,
		AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameApproximateNumberOfMessages,
			types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
			types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
		},
	})
	if err != nil {
		return Depth{}, fmt.Errorf("attributes of %s: %w", q.url, err)
	}
	count := func(name types.QueueAttributeName) int {
		n, _ := strconv.Atoi(out.Attributes[string(name)])
		return n
	}
	return Depth{
		Visible:  count(types.QueueAttributeNameApproximateNumberOfMessages),
		InFlight: count(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible),
		Delayed:  count(types.QueueAttributeNameApproximateNumberOfMessagesDelayed),
	}, nil
}

// seconds rounds d up to whole seconds within [0, most], so that a short wait is not
// turned into none.
func seconds(d, most time.Duration) int32 {
	d = max(0, min(d, most))
	return int32((d + time.Second - 1) / time.Second) //nolint:gosec // at most 12 hours
}
