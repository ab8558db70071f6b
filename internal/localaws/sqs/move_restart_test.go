package sqs_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// TestService_MoveTask_GoesOnAfterARestart stops a service in the middle of a task, twice: the task keeps its handle and its rate, moves every
// message once and stays listed.
func TestService_MoveTask_GoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := vfs.NewMem()
		again := func() (s *sqs.Service, client *awssqs.Client, stop func()) {
			s, stop = openUntil(t, "data", disk)
			_, httpClient := overProcess(t, s)
			return s, newClient("http://sqs.test", httpClient), stop
		}
		s, client, stop := again()
		must[string](t)(s.CreateQueue(t.Context(), "dlq", nil))
		must[string](t)(s.CreateQueue(t.Context(), "q", map[string]string{
			"RedrivePolicy": `{"deadLetterTargetArn":"` + lettersARN + `","maxReceiveCount":1}`,
		}))
		must[string](t)(s.CreateQueue(t.Context(), "elsewhere", nil))
		for range 30 {
			send(t, s, "dlq", sqs.SendInput{Body: "letter"})
		}
		handle := start(t, client, &awssqs.StartMessageMoveTaskInput{
			DestinationArn: aws.String("arn:aws:sqs:us-east-1:000000000000:elsewhere"), MaxNumberOfMessagesPerSecond: aws.Int32(10),
		})
		time.Sleep(time.Second + time.Millisecond)
		wantTask(t, client, "RUNNING 10/30 ")
		stop()
		time.Sleep(time.Hour) // nothing moves meanwhile, and nothing is made up for

		_, client, stop = again()
		wantTask(t, client, "RUNNING 10/30 ")
		if got := *lastTask(t, client).TaskHandle; got != handle {
			t.Errorf("handle after the restart %q, before %q", got, handle)
		}
		time.Sleep(time.Second + time.Millisecond)
		wantTask(t, client, "RUNNING 20/30 ")
		stop()

		s, client, stop = again()
		time.Sleep(2 * time.Second)
		wantTask(t, client, "COMPLETED 30/30 ")
		wantDepth(t, s, "dlq", sqs.Depth{})
		if got := must[sqs.Depth](t)(s.Depth("elsewhere")).Visible; got != 30 {
			t.Errorf("%d messages arrived, want 30", got)
		}
		stop()

		_, client, stop = again()
		defer stop()
		wantTask(t, client, "COMPLETED 30/30 ")
	})
}
