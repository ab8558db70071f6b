package queue_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	embedded "github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
)

// doctored passes calls on to the embedded SQS and changes what comes back, for the
// answers that a healthy SQS never gives.
type doctored struct {
	queue.Client

	request  func(in *sqs.SendMessageBatchInput)
	send     func(out *sqs.SendMessageBatchOutput) error
	sendOne  func() error
	remove   func(out *sqs.DeleteMessageBatchOutput) error
	change   func(out *sqs.ChangeMessageVisibilityBatchOutput) error
	attempts int
}

func (d *doctored) SendMessage(ctx context.Context, in *sqs.SendMessageInput, options ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	d.attempts++
	out, err := d.Client.SendMessage(ctx, in, options...)
	if err == nil && d.sendOne != nil {
		err = d.sendOne()
	}
	return out, err
}

func (d *doctored) SendMessageBatch(
	ctx context.Context, in *sqs.SendMessageBatchInput, options ...func(*sqs.Options),
) (*sqs.SendMessageBatchOutput, error) {
	d.attempts++
	if d.request != nil {
		d.request(in)
	}
	out, err := d.Client.SendMessageBatch(ctx, in, options...)
	if err == nil && d.send != nil {
		err = d.send(out)
	}
	return out, err
}

func (d *doctored) DeleteMessageBatch(
	ctx context.Context, in *sqs.DeleteMessageBatchInput, options ...func(*sqs.Options),
) (*sqs.DeleteMessageBatchOutput, error) {
	d.attempts++
	out, err := d.Client.DeleteMessageBatch(ctx, in, options...)
	if err == nil && d.remove != nil {
		err = d.remove(out)
	}
	return out, err
}

func (d *doctored) ChangeMessageVisibilityBatch(
	ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput, options ...func(*sqs.Options),
) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	d.attempts++
	out, err := d.Client.ChangeMessageVisibilityBatch(ctx, in, options...)
	if err == nil && d.change != nil {
		err = d.change(out)
	}
	return out, err
}

// newDoctored returns a queue behind a doctored client, and the same queue without.
func newDoctored(t *testing.T, d *doctored, options embedded.Options) (doctoredQueue, healthy *queue.Queue) {
	t.Helper()
	server := queuetest.Start(t, options)
	healthy = server.Queue(t, "packs")
	d.Client = server.Client
	return queue.New(d, healthy.URL()), healthy
}

var errReset = errors.New("connection reset by peer")

func TestQueue_Send_WhatIsNotConfirmedIsNamed(t *testing.T) {
	t.Parallel()
	isID := func(id string) func(types.SendMessageBatchResultEntry) bool {
		return func(e types.SendMessageBatchResultEntry) bool { return aws.ToString(e.Id) == id }
	}
	for _, row := range []struct {
		name     string
		count    int
		doctored doctored
		failed   []int
		cause    string
		onQueue  int
	}{
		{
			name: "SQS refuses two entries", count: 10,
			doctored: doctored{request: func(in *sqs.SendMessageBatchInput) {
				in.Entries[2].MessageBody, in.Entries[7].MessageBody = aws.String("\ufffe"), aws.String("\ufffe")
			}},
			failed: []int{2, 7}, cause: "InvalidMessageContents", onQueue: 8,
		},
		{
			name: "an entry is missing from the reply", count: 5,
			doctored: doctored{send: func(out *sqs.SendMessageBatchOutput) error {
				out.Successful = slices.DeleteFunc(out.Successful, isID("3"))
				return nil
			}},
			failed: []int{3}, cause: "does not list every entry", onQueue: 5,
		},
		{
			name: "the reply is empty", count: 3,
			doctored: doctored{send: func(out *sqs.SendMessageBatchOutput) error {
				out.Successful = nil
				return nil
			}},
			failed: []int{0, 1, 2}, cause: "does not list every entry", onQueue: 3,
		},
		{
			name: "the reply lists an entry nobody sent", count: 3,
			doctored: doctored{send: func(out *sqs.SendMessageBatchOutput) error {
				out.Failed = []types.BatchResultErrorEntry{{Id: aws.String("99"), Code: aws.String("Odd")}}
				return nil
			}},
			onQueue: 3,
		},
		{
			name: "the reply of a batch is lost", count: 4,
			doctored: doctored{send: func(*sqs.SendMessageBatchOutput) error { return errReset }},
			failed:   []int{0, 1, 2, 3}, cause: errReset.Error(), onQueue: 4,
		},
		{
			name: "the reply of a single message is lost", count: 1,
			doctored: doctored{sendOne: func() error { return errReset }},
			failed:   []int{0}, cause: errReset.Error(), onQueue: 1,
		},
		{
			name: "only the last of two calls is lost", count: 11,
			doctored: doctored{sendOne: func() error { return errReset }},
			failed:   []int{10}, cause: errReset.Error(), onQueue: 11,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			q, healthy := newDoctored(t, &row.doctored, embedded.Options{})
			err := q.Send(t.Context(), packs(t, row.count, 10)...)
			var failure *queue.SendError
			if errors.As(err, &failure) != (row.failed != nil) {
				t.Fatalf("error is %v, want a *SendError: %v", err, row.failed != nil)
			}
			if failure != nil {
				if diff := cmp.Diff(row.failed, failure.Failed); diff != "" {
					t.Errorf("failed (-want +got):\n%s", diff)
				}
				if !strings.Contains(err.Error(), row.cause) {
					t.Errorf("error is %q, want it to say %q", err, row.cause)
				}
				if row.cause == errReset.Error() && !errors.Is(err, errReset) {
					t.Errorf("errors.Is(%v, %v) is false", err, errReset)
				}
			}
			wantDepth(t, healthy, queue.Depth{Visible: row.onQueue})
			if calls := (row.count + 9) / 10; row.doctored.attempts != calls {
				t.Errorf("%d calls, want %d: nothing here retries", row.doctored.attempts, calls)
			}
		})
	}
}

func TestQueue_Settle_FailuresInTheReplyAreErrors(t *testing.T) {
	t.Parallel()
	refused := []types.BatchResultErrorEntry{
		{Id: aws.String("1"), Code: aws.String("InternalError"), Message: aws.String("try later")},
		{Id: aws.String("2"), Code: aws.String("AccessDenied"), Message: aws.String("no")},
	}
	d := &doctored{
		remove: func(out *sqs.DeleteMessageBatchOutput) error { out.Failed = slices.Clone(refused); return nil },
		change: func(out *sqs.ChangeMessageVisibilityBatchOutput) error {
			out.Failed = slices.Clone(refused)
			return nil
		},
	}
	q, healthy := newDoctored(t, d, embedded.Options{})
	if err := healthy.Send(t.Context(), packs(t, 3, 10)...); err != nil {
		t.Fatal(err)
	}
	var receipts []string
	for _, m := range receive(t, healthy, 0) {
		receipts = append(receipts, m.Receipt)
	}
	for name, err := range map[string]error{
		"hide":    q.Hide(t.Context(), 5, receipts...),
		"release": q.Hide(t.Context(), 0, receipts...),
		"delete":  q.Delete(t.Context(), receipts...),
	} {
		if err == nil || !strings.Contains(err.Error(), "InternalError: try later") || !strings.Contains(err.Error(), "AccessDenied: no") {
			t.Errorf("%s: error is %v, want both refusals", name, err)
		}
	}
	if d.attempts != 3 {
		t.Errorf("%d calls, want 3: nothing here retries", d.attempts)
	}
}

// TestQueue_Throttled_NothingHereRetries uses a client without retries of its own.
func TestQueue_Throttled_NothingHereRetries(t *testing.T) {
	t.Parallel()
	throttled := counted{fail: func(op string, _ int) error {
		if op == "CreateQueue" {
			return nil
		}
		return embedded.Throttled()
	}}
	q := queuetest.Start(t, throttled.options()).Queue(t, "packs")
	clear(throttled.calls)
	_, receiveErr := q.Receive(t.Context(), 1, 0, 0)
	_, depthErr := q.Depth(t.Context())
	for name, err := range map[string]error{
		"send":    q.Send(t.Context(), packs(t, 1, 10)...),
		"many":    q.Send(t.Context(), packs(t, 2, 10)...),
		"receive": receiveErr,
		"depth":   depthErr,
		"delete":  q.Delete(t.Context(), "a"),
		"hide":    q.Hide(t.Context(), 0, "a"),
	} {
		if err == nil || !strings.Contains(err.Error(), "RequestThrottled") {
			t.Errorf("%s: error is %v, want RequestThrottled", name, err)
		}
	}
	want := map[string]int{
		"SendMessage": 1, "SendMessageBatch": 1, "ReceiveMessage": 1, "GetQueueAttributes": 1,
		"DeleteMessageBatch": 1, "ChangeMessageVisibilityBatch": 1,
	}
	if diff := cmp.Diff(want, throttled.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
