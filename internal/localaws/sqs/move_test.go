package sqs_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

const lettersARN = "arn:aws:sqs:us-east-1:000000000000:dlq"

// withMoves runs a test on a virtual clock with queue "q", its dead-letter queue with n letters of "q", and an SDK client.
func withMoves(t *testing.T, n int, test func(t *testing.T, s *sqs.Service, client *awssqs.Client)) {
	t.Helper()
	withLetters(t, func(t *testing.T, s *sqs.Service) {
		for i := range n {
			send(t, s, "q", sqs.SendInput{Body: fmt.Sprint(i), Attributes: map[string]sqs.Attribute{"a": {DataType: "String", StringValue: "v"}}})
		}
		for range 2 {
			must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{MaxMessages: 1000}))
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		_, httpClient := overProcess(t, s)
		test(t, s, newClient("http://sqs.test", httpClient))
	})
}

func start(t *testing.T, client *awssqs.Client, in *awssqs.StartMessageMoveTaskInput) string {
	t.Helper()
	in.SourceArn = aws.String(lettersARN)
	return *must[*awssqs.StartMessageMoveTaskOutput](t)(client.StartMessageMoveTask(t.Context(), in)).TaskHandle
}

// lastTask returns what ListMessageMoveTasks shows first.
func lastTask(t *testing.T, client *awssqs.Client) types.ListMessageMoveTasksResultEntry {
	t.Helper()
	synctest.Wait()
	out := must[*awssqs.ListMessageMoveTasksOutput](t)(client.ListMessageMoveTasks(t.Context(), &awssqs.ListMessageMoveTasksInput{SourceArn: aws.String(lettersARN)}))
	return out.Results[0]
}

func wantTask(t *testing.T, client *awssqs.Client, want string) {
	t.Helper()
	task := lastTask(t, client)
	got := fmt.Sprintf("%s %d/%d %s", *task.Status, task.ApproximateNumberOfMessagesMoved, aws.ToInt64(task.ApproximateNumberOfMessagesToMove), aws.ToString(task.FailureReason))
	if got != want {
		t.Errorf("task = %q, want %q", got, want)
	}
	if running := *task.Status == "RUNNING"; running != (task.TaskHandle != nil) {
		t.Errorf("task handle shown: %t while %s", task.TaskHandle != nil, *task.Status)
	}
}

func TestService_MoveTask_BackToTheSource(t *testing.T) {
	t.Parallel()
	withMoves(t, 25, func(t *testing.T, s *sqs.Service, client *awssqs.Client) {
		wantDepth(t, s, "dlq", sqs.Depth{Visible: 25})
		start(t, client, &awssqs.StartMessageMoveTaskInput{})
		wantTask(t, client, "RUNNING 0/25 ")
		time.Sleep(time.Second)
		wantTask(t, client, "COMPLETED 25/25 ")
		wantDepth(t, s, "dlq", sqs.Depth{})
		got := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))
		m := got[0]
		if m.Attributes["ApproximateReceiveCount"] != "1" || m.Attributes["DeadLetterQueueSourceArn"] != "" || m.MessageAttributes["a"].StringValue != "v" {
			t.Errorf("moved message = %+v, want a new one with the same attributes", m)
		}
	})
}

func TestService_MoveTask_RateCancelAndOneAtATime(t *testing.T) {
	t.Parallel()
	withMoves(t, 10, func(t *testing.T, s *sqs.Service, client *awssqs.Client) {
		must[string](t)(s.CreateQueue(t.Context(), "target", nil))
		in := &awssqs.StartMessageMoveTaskInput{DestinationArn: aws.String("arn:aws:sqs:us-east-1:000000000000:target"), MaxNumberOfMessagesPerSecond: aws.Int32(1)}
		handle := start(t, client, in)
		time.Sleep(3 * time.Second)
		wantTask(t, client, "RUNNING 3/10 ")
		if _, err := client.StartMessageMoveTask(t.Context(), in); err == nil {
			t.Error("a second task on the same source: no error")
		}
		out := must[*awssqs.CancelMessageMoveTaskOutput](t)(client.CancelMessageMoveTask(t.Context(), &awssqs.CancelMessageMoveTaskInput{TaskHandle: &handle}))
		if out.ApproximateNumberOfMessagesMoved != 3 {
			t.Errorf("moved before the cancel: %d, want 3", out.ApproximateNumberOfMessagesMoved)
		}
		time.Sleep(10 * time.Second)
		wantTask(t, client, "CANCELLED 3/10 ")
		wantDepth(t, s, "target", sqs.Depth{Visible: 3})
		var absent *types.ResourceNotFoundException
		if _, err := client.CancelMessageMoveTask(t.Context(), &awssqs.CancelMessageMoveTaskInput{TaskHandle: &handle}); !errors.As(err, &absent) {
			t.Errorf("cancel again: %v, want ResourceNotFoundException", err)
		}
	})
}

func TestService_MoveTask_FailsWithoutATarget(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		in    awssqs.StartMessageMoveTaskInput
		spoil func(t *testing.T, s *sqs.Service, client *awssqs.Client)
		want  string
	}{
		{"the source queue was deleted, the destination is given", awssqs.StartMessageMoveTaskInput{
			DestinationArn: aws.String("arn:aws:sqs:us-east-1:000000000000:q"), MaxNumberOfMessagesPerSecond: aws.Int32(2),
		}, func(t *testing.T, _ *sqs.Service, client *awssqs.Client) {
			must[*awssqs.DeleteQueueOutput](t)(client.DeleteQueue(t.Context(), &awssqs.DeleteQueueInput{QueueUrl: aws.String("q")}))
		}, "FAILED 2/5 AWS.SimpleQueueService.NonExistentQueue"},
		{"a message was sent to the dead-letter queue itself", awssqs.StartMessageMoveTaskInput{}, func(*testing.T, *sqs.Service, *awssqs.Client) {},
			"FAILED 5/6 CouldNotDetermineMessageSource"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			withMoves(t, 5, func(t *testing.T, s *sqs.Service, client *awssqs.Client) {
				left := 3
				if test.in.DestinationArn == nil {
					send(t, s, "dlq", sqs.SendInput{Body: "no source"})
					left = 1
				}
				start(t, client, &test.in)
				time.Sleep(1250 * time.Millisecond)
				test.spoil(t, s, client)
				time.Sleep(10 * time.Second)
				wantTask(t, client, test.want)
				if got := must[sqs.Depth](t)(s.Depth("dlq")); got.Visible != left {
					t.Errorf("dead letters left = %d, want %d", got.Visible, left)
				}
			})
		})
	}
}

func TestService_MoveTask_RefusesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	withMoves(t, 0, func(t *testing.T, s *sqs.Service, client *awssqs.Client) {
		ctx := t.Context()
		_, err := client.StartMessageMoveTask(ctx, &awssqs.StartMessageMoveTaskInput{
			SourceArn: aws.String(lettersARN), DestinationArn: aws.String("arn:aws:sqs:us-east-1:000000000000:nowhere"),
		})
		var absent *types.ResourceNotFoundException
		if !errors.As(err, &absent) {
			t.Errorf("unknown destination: %v, want ResourceNotFoundException", err)
		}
		handle := start(t, client, &awssqs.StartMessageMoveTaskInput{})
		time.Sleep(time.Second)
		wantTask(t, client, "COMPLETED 0/0 ")
		must[*awssqs.DeleteQueueOutput](t)(client.DeleteQueue(ctx, &awssqs.DeleteQueueInput{QueueUrl: aws.String("dlq")}))
		if _, err := client.CancelMessageMoveTask(ctx, &awssqs.CancelMessageMoveTaskInput{TaskHandle: &handle}); !errors.As(err, &absent) {
			t.Errorf("cancel after the queue went: %v, want ResourceNotFoundException", err)
		}
		wantMissing := must[string](t)(s.CreateQueue(ctx, "other", nil))
		if wantMissing == "" {
			t.Error("no URL")
		}
	})
}
