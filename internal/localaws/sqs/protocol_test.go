package sqs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

func TestService_SendReceiveDelete_RoundTrip(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(b bundle) {
		url := b.queue("round", nil)
		attributes := map[string]types.MessageAttributeValue{
			"text":   {DataType: aws.String("String"), StringValue: aws.String("żółw")},
			"number": {DataType: aws.String("Number.int"), StringValue: aws.String("-12.5e3")},
			"bytes":  {DataType: aws.String("Binary.zstd"), BinaryValue: []byte{0, 1, 254, 255}},
		}
		sent := must[*awssqs.SendMessageOutput](b.t)(b.client.SendMessage(b.t.Context(), &awssqs.SendMessageInput{
			QueueUrl: &url, MessageBody: aws.String("hello\tworld"), MessageAttributes: attributes, MessageGroupId: aws.String("acme"),
			MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
				"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-2-3")},
			},
		}))
		if sent.MD5OfMessageSystemAttributes == nil {
			b.t.Error("no MD5OfMessageSystemAttributes")
		}
		got := must[*awssqs.ReceiveMessageOutput](b.t)(b.client.ReceiveMessage(b.t.Context(), &awssqs.ReceiveMessageInput{
			QueueUrl: &url, MessageAttributeNames: []string{"All"},
			AttributeNames:              []types.QueueAttributeName{"SenderId"}, //nolint:staticcheck // old clients ask this way; both are merged
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{"AWSTraceHeader", "MessageGroupId", "ApproximateReceiveCount"},
		}))
		if len(got.Messages) != 1 {
			b.t.Fatalf("got %d messages, want 1", len(got.Messages))
		}
		m := got.Messages[0]
		if *m.Body != "hello\tworld" || *m.MessageId != *sent.MessageId || *m.MD5OfMessageAttributes != *sent.MD5OfMessageAttributes {
			b.t.Errorf("got message %+v, sent %+v", m, sent)
		}
		if diff := cmp.Diff(attributes["bytes"].BinaryValue, m.MessageAttributes["bytes"].BinaryValue); diff != "" {
			b.t.Error(diff)
		}
		want := map[string]string{
			"SenderId": "000000000000", "AWSTraceHeader": "Root=1-2-3", "MessageGroupId": "acme", "ApproximateReceiveCount": "1",
		}
		if diff := cmp.Diff(want, m.Attributes); diff != "" {
			b.t.Errorf("system attributes (-want +got):\n%s", diff)
		}
		must[*awssqs.DeleteMessageOutput](b.t)(b.client.DeleteMessage(b.t.Context(), &awssqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}))
		must[*awssqs.DeleteMessageOutput](b.t)(b.client.DeleteMessage(b.t.Context(), &awssqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}))
		depth, err := b.service.Depth("round")
		if err != nil || depth.Visible+depth.InFlight+depth.Delayed != 0 {
			b.t.Errorf("depth after delete = %+v, %v; want empty", depth, err)
		}
	})
}

func TestService_SendMessageBatch_PartialFailure(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(b bundle) {
		url := b.queue("partial", nil)
		out := must[*awssqs.SendMessageBatchOutput](b.t)(b.client.SendMessageBatch(b.t.Context(), &awssqs.SendMessageBatchInput{
			QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
				{Id: aws.String("good"), MessageBody: aws.String("fine")},
				{Id: aws.String("bad"), MessageBody: aws.String("control \x01 character")},
				{Id: aws.String("late"), MessageBody: aws.String("fine"), DelaySeconds: 901},
			},
		}))
		if len(out.Successful) != 1 || *out.Successful[0].Id != "good" {
			b.t.Errorf("successful = %+v, want good alone", out.Successful)
		}
		var failed []string
		for _, f := range out.Failed {
			failed = append(failed, fmt.Sprintf("%s %s %t", *f.Id, *f.Code, f.SenderFault))
		}
		want := []string{"bad InvalidMessageContents true", "late InvalidParameterValue true"}
		if diff := cmp.Diff(want, failed); diff != "" {
			b.t.Errorf("failed (-want +got):\n%s", diff)
		}
	})
}

func TestService_ReceiveMessage_AttributeFilters(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(b bundle) {
		url := b.queue("filters", map[string]string{"VisibilityTimeout": "0"})
		text := func(value string) types.MessageAttributeValue {
			return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
		}
		must[*awssqs.SendMessageOutput](b.t)(b.client.SendMessage(b.t.Context(), &awssqs.SendMessageInput{
			QueueUrl: &url, MessageBody: aws.String("msg"),
			MessageAttributes: map[string]types.MessageAttributeValue{"Help.Me": text("Me"), "Hello": text("There"), "General": text("Kenobi")},
		}))
		// The sums are those that AWS returned for this message.
		tests := []struct {
			name   string
			filter []string
			want   []string
			sum    string
		}{
			{"none", nil, nil, ""},
			{"All", []string{"All"}, []string{"General", "Hello", "Help.Me"}, "4c360f3fdafd970e05fae2f149d997f5"},
			{"asterisk", []string{"*"}, []string{"General", "Hello", "Help.Me"}, "4c360f3fdafd970e05fae2f149d997f5"},
			{"dot asterisk", []string{".*"}, []string{"General", "Hello", "Help.Me"}, "4c360f3fdafd970e05fae2f149d997f5"},
			{"unknown name", []string{"Nothing"}, nil, ""},
			{"two names", []string{"Hello", "General"}, []string{"General", "Hello"}, "fca026605781cb4126a1e9044df24232"},
			{"known and unknown", []string{"Hello", "Nothing"}, []string{"Hello"}, "a311262e065454b75da111d535b8dacd"},
			{"prefix", []string{"Hel.*"}, []string{"Hello", "Help.Me"}, "83fee93c1bcd8b9a5a923ffacdc636c7"},
		}
		for _, test := range tests {
			out := must[*awssqs.ReceiveMessageOutput](b.t)(b.client.ReceiveMessage(b.t.Context(), &awssqs.ReceiveMessageInput{
				QueueUrl: &url, MessageAttributeNames: test.filter,
			}))
			var names []string
			for name := range out.Messages[0].MessageAttributes {
				names = append(names, name)
			}
			slices.Sort(names)
			if sum := aws.ToString(out.Messages[0].MD5OfMessageAttributes); sum != test.sum || !slices.Equal(names, test.want) {
				b.t.Errorf("%s: got %v with sum %q, want %v with %q", test.name, names, sum, test.want, test.sum)
			}
		}
	})
}

func TestService_Queues_LifeCycle(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(b bundle) {
		ctx := b.t.Context()
		var want []string
		for _, name := range []string{"a-1", "a-2", "a-3", "b-1"} {
			want = append(want, b.queue(name, nil))
		}
		var listed []string
		pages := awssqs.NewListQueuesPaginator(b.client, &awssqs.ListQueuesInput{QueueNamePrefix: aws.String("a-"), MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			page := must[*awssqs.ListQueuesOutput](b.t)(pages.NextPage(ctx))
			listed = append(listed, page.QueueUrls...)
		}
		if diff := cmp.Diff(want[:3], listed); diff != "" {
			b.t.Errorf("listed (-want +got):\n%s", diff)
		}
		got := must[*awssqs.GetQueueUrlOutput](b.t)(b.client.GetQueueUrl(ctx, &awssqs.GetQueueUrlInput{QueueName: aws.String("b-1")}))
		if *got.QueueUrl != b.url+"/000000000000/b-1" {
			b.t.Errorf("queue URL = %s, want under %s", *got.QueueUrl, b.url)
		}
		must[*awssqs.DeleteQueueOutput](b.t)(b.client.DeleteQueue(ctx, &awssqs.DeleteQueueInput{QueueUrl: got.QueueUrl}))
		_, err := b.client.GetQueueUrl(ctx, &awssqs.GetQueueUrlInput{QueueName: aws.String("b-1")})
		var gone *types.QueueDoesNotExist
		if !errors.As(err, &gone) || gone.ErrorCode() != "AWS.SimpleQueueService.NonExistentQueue" {
			b.t.Errorf("after delete: %v, want typed QueueDoesNotExist", err)
		}
	})
}

func TestService_QueueAttributes_SetAndGet(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(b bundle) {
		ctx := b.t.Context()
		url := b.queue("attributes", map[string]string{"VisibilityTimeout": "20", "MessageRetentionPeriod": "604800"})
		if again := b.queue("attributes", map[string]string{"VisibilityTimeout": "20"}); again != url {
			b.t.Errorf("created again: %s, want %s", again, url)
		}
		_, err := b.client.CreateQueue(ctx, &awssqs.CreateQueueInput{QueueName: aws.String("attributes"), Attributes: map[string]string{"DelaySeconds": "1"}})
		var exists *types.QueueNameExists
		if !errors.As(err, &exists) || !strings.Contains(exists.ErrorMessage(), "different value for attribute DelaySeconds") {
			b.t.Errorf("created with another value: %v, want QueueNameExists for DelaySeconds", err)
		}
		must[*awssqs.SetQueueAttributesOutput](b.t)(b.client.SetQueueAttributes(ctx, &awssqs.SetQueueAttributesInput{
			QueueUrl: &url, Attributes: map[string]string{"DelaySeconds": "420", "MaximumMessageSize": "2048", "KmsMasterKeyId": "alias/k"},
		}))
		got := must[*awssqs.GetQueueAttributesOutput](b.t)(b.client.GetQueueAttributes(ctx, &awssqs.GetQueueAttributesInput{
			QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"},
		})).Attributes
		delete(got, "CreatedTimestamp")
		delete(got, "LastModifiedTimestamp")
		want := map[string]string{
			"QueueArn":                    "arn:aws:sqs:us-east-1:000000000000:attributes",
			"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
			"VisibilityTimeout": "20", "MaximumMessageSize": "2048", "MessageRetentionPeriod": "604800", "DelaySeconds": "420",
			"ReceiveMessageWaitTimeSeconds": "0", "KmsMasterKeyId": "alias/k", "SqsManagedSseEnabled": "true",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			b.t.Errorf("attributes (-want +got):\n%s", diff)
		}
		one := must[*awssqs.GetQueueAttributesOutput](b.t)(b.client.GetQueueAttributes(ctx, &awssqs.GetQueueAttributesInput{
			QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"DelaySeconds", "FifoQueue", "Policy"},
		})).Attributes
		if diff := cmp.Diff(map[string]string{"DelaySeconds": "420"}, one); diff != "" {
			b.t.Errorf("chosen attributes (-want +got):\n%s", diff)
		}
	})
}

func TestService_Tags_AddReplaceRemove(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(b bundle) {
		ctx := b.t.Context()
		url := b.queue("tags", nil)
		for _, tags := range []map[string]string{{"team": "a", "env": "dev"}, {"team": "b"}} {
			must[*awssqs.TagQueueOutput](b.t)(b.client.TagQueue(ctx, &awssqs.TagQueueInput{QueueUrl: &url, Tags: tags}))
		}
		must[*awssqs.UntagQueueOutput](b.t)(b.client.UntagQueue(ctx, &awssqs.UntagQueueInput{QueueUrl: &url, TagKeys: []string{"env", "absent"}}))
		got := must[*awssqs.ListQueueTagsOutput](b.t)(b.client.ListQueueTags(ctx, &awssqs.ListQueueTagsInput{QueueUrl: &url}))
		if diff := cmp.Diff(map[string]string{"team": "b"}, got.Tags); diff != "" {
			b.t.Errorf("tags (-want +got):\n%s", diff)
		}
	})
}

func TestService_Batches_DeleteAndChangeVisibility(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(b bundle) {
		ctx := b.t.Context()
		url := b.queue("batches", nil)
		entries := make([]types.SendMessageBatchRequestEntry, 10)
		for i := range entries {
			entries[i] = types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String(strings.Repeat("x", 100_000))}
		}
		must[*awssqs.SendMessageBatchOutput](b.t)(b.client.SendMessageBatch(ctx, &awssqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries}))
		got, err := b.service.Receive(ctx, "batches", receiveAll)
		if err != nil || len(got) != 10 {
			b.t.Fatalf("received %d, %v; want 10", len(got), err)
		}
		visibility := must[*awssqs.ChangeMessageVisibilityBatchOutput](b.t)(b.client.ChangeMessageVisibilityBatch(ctx, &awssqs.ChangeMessageVisibilityBatchInput{
			QueueUrl: &url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
				{Id: aws.String("now"), ReceiptHandle: &got[0].ReceiptHandle, VisibilityTimeout: 0},
				{Id: aws.String("long"), ReceiptHandle: &got[1].ReceiptHandle, VisibilityTimeout: 43201},
				{Id: aws.String("garbage"), ReceiptHandle: aws.String("garbage"), VisibilityTimeout: 1},
			},
		}))
		if len(visibility.Successful) != 1 || len(visibility.Failed) != 2 {
			b.t.Errorf("visibility batch = %+v, want one good and two failed", visibility)
		}
		deleted := must[*awssqs.DeleteMessageBatchOutput](b.t)(b.client.DeleteMessageBatch(ctx, &awssqs.DeleteMessageBatchInput{
			QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
				{Id: aws.String("good"), ReceiptHandle: &got[2].ReceiptHandle}, {Id: aws.String("bad"), ReceiptHandle: aws.String("bad")},
			},
		}))
		if len(deleted.Successful) != 1 || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
			b.t.Errorf("delete batch = %+v, want one good and one ReceiptHandleIsInvalid", deleted)
		}
		depth, err := b.service.Depth("batches")
		if err != nil || depth.Visible != 1 || depth.InFlight != 8 {
			b.t.Errorf("depth = %+v, %v; want 1 visible, 8 in flight", depth, err)
		}
	})
}

func TestService_PurgeQueue_EmptiesOncePerMinute(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(b bundle) {
		ctx := b.t.Context()
		url := b.queue("purge", nil)
		for range 3 {
			must[*awssqs.SendMessageOutput](b.t)(b.client.SendMessage(ctx, &awssqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")}))
		}
		must[*awssqs.PurgeQueueOutput](b.t)(b.client.PurgeQueue(ctx, &awssqs.PurgeQueueInput{QueueUrl: &url}))
		if depth, err := b.service.Depth("purge"); err != nil || depth.Visible != 0 {
			b.t.Errorf("depth = %+v, %v; want empty", depth, err)
		}
		_, err := b.client.PurgeQueue(ctx, &awssqs.PurgeQueueInput{QueueUrl: &url})
		if _, ok := errors.AsType[*types.PurgeQueueInProgress](err); !ok {
			b.t.Errorf("second purge: %v, want PurgeQueueInProgress", err)
		}
	})
}

func TestService_RedrivePolicy_ListsSources(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(b bundle) {
		dlq := b.queue("letters", nil)
		source := b.queue("source", map[string]string{
			"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:letters","maxReceiveCount":"2"}`,
		})
		out := must[*awssqs.ListDeadLetterSourceQueuesOutput](b.t)(b.client.ListDeadLetterSourceQueues(b.t.Context(),
			&awssqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dlq}))
		if diff := cmp.Diff([]string{source}, out.QueueUrls); diff != "" {
			b.t.Errorf("sources (-want +got):\n%s", diff)
		}
	})
}
