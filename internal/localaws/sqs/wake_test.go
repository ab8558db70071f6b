package sqs_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// TestService_LongPoll_WakesForALetterThatALastCallMoved lets a message become a dead letter by the very call that deletes its queue, before the
// queue's timer gets to it. Which of the two is first is up to the scheduler, so it tries often.
func TestService_LongPoll_WakesForALetterThatALastCallMoved(t *testing.T) {
	t.Parallel()
	for range 50 {
		withLetters(t, func(t *testing.T, s *sqs.Service) {
			client := newClient(overProcess(t, s))
			send(t, s, "q", sqs.SendInput{Body: "poison"})
			must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))
			time.Sleep(10 * time.Second)
			must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))
			began := time.Now()
			var letters []sqs.Message
			var waited time.Duration
			go func() {
				letters, _ = s.Receive(t.Context(), "dlq", sqs.ReceiveInput{Wait: sqs.MaxWait})
				waited = time.Since(began)
			}()
			time.Sleep(10 * time.Second)
			must[*awssqs.DeleteQueueOutput](t)(client.DeleteQueue(t.Context(), &awssqs.DeleteQueueInput{QueueUrl: aws.String("q")}))
			time.Sleep(sqs.MaxWait)
			synctest.Wait()
			if len(letters) != 1 || waited != 10*time.Second {
				t.Fatalf("got %d dead letters after %s, want 1 after 10s", len(letters), waited)
			}
		})
	}
}

// TestService_MoveTask_MakesUpForALateTimer keeps the lock, and with it the timers, for a while on the real clock.
func TestService_MoveTask_MakesUpForALateTimer(t *testing.T) {
	t.Parallel()
	const late = 100 * time.Millisecond
	s := sqs.New(sqs.Options{})
	defer s.Close()
	client := newClient(overProcess(t, s))
	must[string](t)(s.CreateQueue(t.Context(), "dlq", nil))
	must[string](t)(s.CreateQueue(t.Context(), "q", map[string]string{
		"RedrivePolicy": `{"deadLetterTargetArn":"` + lettersARN + `","maxReceiveCount":1}`,
	}))
	for range 1000 {
		send(t, s, "dlq", sqs.SendInput{Body: "letter"})
	}
	start(t, client, &awssqs.StartMessageMoveTaskInput{DestinationArn: aws.String("arn:aws:sqs:us-east-1:000000000000:q")})
	held := false
	if _, err := s.Disturb("dlq", func(sqs.Held) (time.Duration, bool) {
		if !held {
			held = true
			<-time.After(late)
		}
		return 0, false
	}); err != nil {
		t.Fatal(err)
	}
	left := must[sqs.Depth](t)(s.Depth("dlq")).Visible
	if want := 1000 - sqs.MaxMoveRate*int(late/time.Millisecond)/1000; left > want {
		t.Errorf("%d of 1000 dead letters left after %s at %d a second, want at most %d", left, late, sqs.MaxMoveRate, want)
	}
}
