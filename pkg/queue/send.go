package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/millrace-dev/millrace/pkg/batch"
)

// Outgoing is a pack to be put on a queue.
type Outgoing struct {
	Message batch.Message
	// Delay hides the message at first. At most MaxDelay; longer waits are chained
	// through the header's not_before.
	Delay time.Duration
}

// SendError reports the messages that are not on the queue; all others are.
type SendError struct {
	// Failed holds the indexes of the messages that were not confirmed.
	Failed []int
	Err    error
}

func (e *SendError) Error() string {
	return fmt.Sprintf("%d messages not confirmed: %v", len(e.Failed), e.Err)
}

func (e *SendError) Unwrap() error { return e.Err }

// Send puts messages on the queue, in as few calls as SQS allows. A nil error means
// that every message is confirmed; otherwise the error is a *SendError. A message that
// was not confirmed may be on the queue all the same (a lost reply).
//
// Events that belong into the bucket are stored first. A message whose events are not
// there is not sent.
func (q *Queue) Send(ctx context.Context, messages ...Outgoing) error {
	failure := q.checkIn(ctx, messages)
	for _, call := range calls(messages, failure.Failed) {
		if failed, err := q.sendCall(ctx, messages, call); err != nil {
			failure.Failed = append(failure.Failed, failed...)
			failure.Err = errors.Join(failure.Err, err)
		}
	}
	if failure.Err == nil {
		return nil
	}
	return &failure
}

// span is a run of messages that go in one call.
type span struct{ from, to int }

// calls cuts messages into runs that respect the limits of one call: ten entries and
// 1 MiB together. Those at the indexes in without, which are in order, are left out.
func calls(messages []Outgoing, without []int) []span {
	var spans []span
	bytes := 0
	for i := range messages {
		if len(without) > 0 && without[0] == i {
			without = without[1:]
			continue
		}
		size := messages[i].Message.Bytes()
		if last := len(spans) - 1; last >= 0 && spans[last].to == i && i-spans[last].from < MaxEntries && bytes+size <= batch.MaxMessageBytes {
			spans[last].to, bytes = i+1, bytes+size
			continue
		}
		spans, bytes = append(spans, span{i, i + 1}), size
	}
	return spans
}

func (q *Queue) sendCall(ctx context.Context, messages []Outgoing, s span) (failed []int, err error) {
	if s.to-s.from == 1 {
		if err := q.sendOne(ctx, &messages[s.from]); err != nil {
			return []int{s.from}, err
		}
		return nil, nil
	}
	return q.sendMany(ctx, messages, s)
}

func (q *Queue) sendOne(ctx context.Context, m *Outgoing) error {
	_, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl:          &q.url,
		MessageBody:       &m.Message.Body,
		MessageAttributes: attributes(&m.Message),
		MessageGroupId:    groupID(m.Message.Header.Tenant),
		DelaySeconds:      seconds(m.Delay, MaxDelay),
	})
	if err != nil {
		return fmt.Errorf("send to %s: %w", q.url, err)
	}
	return nil
}

func (q *Queue) sendMany(ctx context.Context, messages []Outgoing, s span) (failed []int, err error) {
	entries := make([]types.SendMessageBatchRequestEntry, 0, s.to-s.from)
	for i := s.from; i < s.to; i++ {
		m := &messages[i]
		entries = append(entries, types.SendMessageBatchRequestEntry{
			Id:                aws.String(strconv.Itoa(i)),
			MessageBody:       &m.Message.Body,
			MessageAttributes: attributes(&m.Message),
			MessageGroupId:    groupID(m.Message.Header.Tenant),
			DelaySeconds:      seconds(m.Delay, MaxDelay),
		})
	}
	out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		for i := s.from; i < s.to; i++ {
			failed = append(failed, i)
		}
		return failed, fmt.Errorf("send batch to %s: %w", q.url, err)
	}
	return unconfirmed(out, s)
}

// unconfirmed trusts only what the reply lists as successful: an entry that is missing
// from both lists was not sent as far as we know.
func unconfirmed(out *sqs.SendMessageBatchOutput, s span) (failed []int, err error) {
	confirmed := make(map[string]bool, len(out.Successful))
	for _, e := range out.Successful {
		confirmed[aws.ToString(e.Id)] = true
	}
	for i := s.from; i < s.to; i++ {
		if !confirmed[strconv.Itoa(i)] {
			failed = append(failed, i)
		}
	}
	switch {
	case len(failed) == 0:
		return nil, nil
	case len(out.Failed) == 0:
		return failed, errors.New("send batch: the reply does not list every entry")
	}
	return failed, failures("send batch", out.Failed)
}

// attributes are the events, but for those that are in the bucket.
func attributes(m *batch.Message) map[string]types.MessageAttributeValue {
	if m.Header.Claim != "" {
		return nil
	}
	return map[string]types.MessageAttributeValue{
		batch.AttributeName: {DataType: aws.String(batch.AttributeType), BinaryValue: m.Events},
	}
}
