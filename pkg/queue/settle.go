package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Delete removes received messages for good. Deleting twice is no error. On an error
// some may still be there: they come back when their visibility ends.
func (q *Queue) Delete(ctx context.Context, receipts ...string) error {
	return inCalls(receipts, func(chunk []string) error {
		entries := make([]types.DeleteMessageBatchRequestEntry, len(chunk))
		for i := range chunk {
			entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &chunk[i]}
		}
		out, err := q.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
		if err != nil {
			return fmt.Errorf("delete from %s: %w", q.url, err)
		}
		return failures("delete from "+q.url, out.Failed)
	})
}

// Hide sets how long from now received messages stay hidden. A message that was
// deleted or came back meanwhile is reported as an error, unless d is zero: that
// releases messages at once, and one that is not hidden any more is as it should be.
func (q *Queue) Hide(ctx context.Context, d time.Duration, receipts ...string) error {
	return inCalls(receipts, func(chunk []string) error {
		entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(chunk))
		for i := range chunk {
			entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &chunk[i], VisibilityTimeout: seconds(d, MaxVisibility),
			}
		}
		out, err := q.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url, Entries: entries})
		if err != nil {
			return fmt.Errorf("change visibility on %s: %w", q.url, err)
		}
		failed := out.Failed
		if d == 0 {
			failed = slices.DeleteFunc(failed, notHidden)
		}
		return failures("change visibility on "+q.url, failed)
	})
}

// notHidden says whether SQS refused because the message is visible already or gone.
// With the timeout zero no other parameter value can be wrong; a receipt that is none
// has a code of its own. Source: SQS API reference, ChangeMessageVisibility.
func notHidden(e types.BatchResultErrorEntry) bool {
	code := aws.ToString(e.Code)
	return code == "InvalidParameterValue" || strings.HasSuffix(code, "MessageNotInflight")
}

// inCalls gives all receipts to call, as many at a time as one call may name. A part
// that fails does not keep the others from being tried.
func inCalls(receipts []string, call func(chunk []string) error) error {
	var errs []error
	for len(receipts) > 0 {
		n := min(MaxEntries, len(receipts))
		errs = append(errs, call(receipts[:n]))
		receipts = receipts[n:]
	}
	return errors.Join(errs...)
}

func failures(operation string, failed []types.BatchResultErrorEntry) error {
	errs := make([]error, len(failed))
	for i, e := range failed {
		errs[i] = fmt.Errorf("%s: %s: %s", operation, aws.ToString(e.Code), aws.ToString(e.Message))
	}
	return errors.Join(errs...)
}
