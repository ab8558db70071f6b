package sqs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// receiveAll takes a whole batch without waiting.
var receiveAll = sqs.ReceiveInput{MaxMessages: 10}

// inVirtualTime runs a test of the Go API with a fresh service and queue "q" on a virtual clock.
func inVirtualTime(t *testing.T, attributes map[string]string, test func(t *testing.T, s *sqs.Service)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := sqs.New(sqs.Options{})
		defer s.Close()
		must[string](t)(s.CreateQueue(t.Context(), "q", attributes))
		test(t, s)
	})
}

func send(t *testing.T, s *sqs.Service, queue string, in sqs.SendInput) string {
	t.Helper()
	return must[string](t)(s.Send(t.Context(), queue, in))
}

// bodies receives once and returns the bodies.
func bodies(t *testing.T, s *sqs.Service, queue string, in sqs.ReceiveInput) []string {
	t.Helper()
	var got []string
	for _, m := range must[[]sqs.Message](t)(s.Receive(t.Context(), queue, in)) {
		got = append(got, m.Body)
	}
	return got
}

func wantDepth(t *testing.T, s *sqs.Service, queue string, want sqs.Depth) {
	t.Helper()
	synctest.Wait() // timers that are due now have run then
	got := must[sqs.Depth](t)(s.Depth(queue))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("depth of %s (-want +got):\n%s", queue, diff)
	}
}

func TestService_Visibility_ReturnsWithCountAndNewHandle(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, map[string]string{"VisibilityTimeout": "30"}, func(t *testing.T, s *sqs.Service) {
		sent := time.Now().UnixMilli()
		id := send(t, s, "q", sqs.SendInput{Body: "a"})
		time.Sleep(time.Second)
		first := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))[0]
		time.Sleep(30*time.Second - 1)
		if got := bodies(t, s, "q", receiveAll); got != nil {
			t.Fatalf("received %v before the visibility timeout ended", got)
		}
		time.Sleep(1)
		second := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))[0]
		want := map[string]string{
			"SenderId": "000000000000", "ApproximateReceiveCount": "2", "SentTimestamp": fmt.Sprint(sent),
			"ApproximateFirstReceiveTimestamp": fmt.Sprint(sent + 1000),
		}
		if diff := cmp.Diff(want, second.Attributes); diff != "" {
			t.Errorf("attributes (-want +got):\n%s", diff)
		}
		if first.ID != id || second.ID != id || first.ReceiptHandle == second.ReceiptHandle {
			t.Errorf("ids %s and %s, want %s; handles %s and %s, want two", first.ID, second.ID, id, first.ReceiptHandle, second.ReceiptHandle)
		}
	})
}

func TestService_Handles_OldOnes(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, map[string]string{"VisibilityTimeout": "10"}, func(t *testing.T, s *sqs.Service) {
		ctx := t.Context()
		send(t, s, "q", sqs.SendInput{Body: "a"})
		first := must[[]sqs.Message](t)(s.Receive(ctx, "q", receiveAll))[0]
		time.Sleep(10 * time.Second)
		var refusal *sqs.Error
		if err := s.ChangeVisibility(ctx, "q", first.ReceiptHandle, time.Second); !errors.As(err, &refusal) || refusal.Type != "MessageNotInflight" {
			t.Errorf("change of a visible message: %v, want MessageNotInflight", err)
		}
		second := must[[]sqs.Message](t)(s.Receive(ctx, "q", receiveAll))[0]
		if err := s.Delete(ctx, "q", []string{first.ReceiptHandle}); err != nil {
			t.Errorf("delete with the older handle: %v, want success", err)
		}
		wantDepth(t, s, "q", sqs.Depth{InFlight: 1})
		if err := s.ChangeVisibility(ctx, "q", first.ReceiptHandle, 0); err != nil {
			t.Errorf("change with the older handle: %v, want success", err)
		}
		wantDepth(t, s, "q", sqs.Depth{Visible: 1})
		if err := s.Delete(ctx, "q", []string{second.ReceiptHandle}); err != nil {
			t.Errorf("delete with an expired handle: %v, want success", err)
		}
		wantDepth(t, s, "q", sqs.Depth{})
		if err := s.ChangeVisibility(ctx, "q", second.ReceiptHandle, 0); !errors.As(err, &refusal) || refusal.Type != "InvalidParameterValueException" {
			t.Errorf("change of a deleted message: %v, want InvalidParameterValueException", err)
		}
	})
}

func TestService_ChangeVisibility_TwelveHoursInAll(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, nil, func(t *testing.T, s *sqs.Service) {
		send(t, s, "q", sqs.SendInput{Body: "a"})
		m := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{Visibility: 12 * time.Hour}))[0]
		time.Sleep(time.Hour)
		if err := s.ChangeVisibility(t.Context(), "q", m.ReceiptHandle, 11*time.Hour); err != nil {
			t.Errorf("up to the limit: %v", err)
		}
		if err := s.ChangeVisibility(t.Context(), "q", m.ReceiptHandle, 11*time.Hour+time.Second); err == nil {
			t.Error("beyond 12 hours since the receive: no error")
		}
	})
}

func TestService_Delay_PerQueueAndPerMessage(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, map[string]string{"DelaySeconds": "5"}, func(t *testing.T, s *sqs.Service) {
		none, long := time.Duration(0), 15*time.Minute
		send(t, s, "q", sqs.SendInput{Body: "queue's"})
		send(t, s, "q", sqs.SendInput{Body: "none", Delay: &none})
		send(t, s, "q", sqs.SendInput{Body: "long", Delay: &long})
		wantDepth(t, s, "q", sqs.Depth{Visible: 1, Delayed: 2})
		if got := bodies(t, s, "q", receiveAll); !slices.Equal(got, []string{"none"}) {
			t.Errorf("at once: %v, want none", got)
		}
		time.Sleep(5 * time.Second)
		if got := bodies(t, s, "q", receiveAll); !slices.Equal(got, []string{"queue's"}) {
			t.Errorf("after 5 s: %v, want queue's", got)
		}
		time.Sleep(15*time.Minute - 5*time.Second)
		if got := bodies(t, s, "q", receiveAll); !slices.Contains(got, "long") {
			t.Errorf("after 15 min: %v, want long among them", got)
		}
	})
}

func TestService_Retention_ExpiresInEveryState(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, map[string]string{"MessageRetentionPeriod": "60"}, func(t *testing.T, s *sqs.Service) {
		delay := time.Minute * 2
		send(t, s, "q", sqs.SendInput{Body: "in flight"})
		must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{Visibility: time.Hour}))
		send(t, s, "q", sqs.SendInput{Body: "visible"})
		send(t, s, "q", sqs.SendInput{Body: "delayed", Delay: &delay})
		time.Sleep(time.Minute - 1)
		wantDepth(t, s, "q", sqs.Depth{Visible: 1, InFlight: 1, Delayed: 1})
		time.Sleep(1)
		wantDepth(t, s, "q", sqs.Depth{})
	})
}

func TestService_LongPoll_WakesForEachReason(t *testing.T) {
	t.Parallel()
	delay := 7 * time.Second
	tests := []struct {
		name string
		// begin runs before the poll, during at 3 s into it.
		begin, during func(t *testing.T, s *sqs.Service)
		want          []string
		after         time.Duration
	}{
		{"nothing comes", nil, nil, nil, 20 * time.Second},
		{"a message is there already", func(t *testing.T, s *sqs.Service) { send(t, s, "q", sqs.SendInput{Body: "m"}) }, nil, []string{"m"}, 0},
		{"a message arrives", nil, func(t *testing.T, s *sqs.Service) { send(t, s, "q", sqs.SendInput{Body: "m"}) }, []string{"m"}, 3 * time.Second},
		{"a delay ends", func(t *testing.T, s *sqs.Service) { send(t, s, "q", sqs.SendInput{Body: "m", Delay: &delay}) }, nil, []string{"m"}, delay},
		{"a visibility timeout ends", func(t *testing.T, s *sqs.Service) {
			send(t, s, "q", sqs.SendInput{Body: "m"})
			bodies(t, s, "q", sqs.ReceiveInput{Visibility: 9 * time.Second})
		}, nil, []string{"m"}, 9 * time.Second},
		{"the service is closed", nil, func(_ *testing.T, s *sqs.Service) { s.Close() }, nil, 3 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inVirtualTime(t, nil, func(t *testing.T, s *sqs.Service) {
				if test.begin != nil {
					test.begin(t, s)
				}
				started := time.Now()
				if test.during != nil {
					time.AfterFunc(3*time.Second, func() { test.during(t, s) })
				}
				got := bodies(t, s, "q", sqs.ReceiveInput{MaxMessages: 10, Wait: sqs.MaxWait})
				if waited := time.Since(started); waited != test.after || !slices.Equal(got, test.want) {
					t.Errorf("got %v after %v, want %v after %v", got, waited, test.want, test.after)
				}
			})
		})
	}
}

func TestService_LongPoll_ClientLeavesNothingInFlight(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, nil, func(t *testing.T, s *sqs.Service) {
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := s.Receive(ctx, "q", sqs.ReceiveInput{Wait: sqs.MaxWait})
			left <- err
		}()
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled receive: %v, want context.Canceled", err)
		}
		send(t, s, "q", sqs.SendInput{Body: "m"})
		wantDepth(t, s, "q", sqs.Depth{Visible: 1})
	})
}

func TestService_LongPoll_LeaverPassesTheWakeOn(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, nil, func(t *testing.T, s *sqs.Service) {
		ctx, leave := context.WithCancel(t.Context())
		got := make(chan int)
		poll := func(ctx context.Context) {
			messages, _ := s.Receive(ctx, "q", sqs.ReceiveInput{Wait: sqs.MaxWait})
			got <- len(messages)
		}
		go poll(ctx)
		synctest.Wait()
		go poll(t.Context())
		synctest.Wait()
		started := time.Now()
		leave() // both happen before the first poller runs: it may be woken and gone at once
		send(t, s, "q", sqs.SendInput{Body: "m"})
		if total := <-got + <-got; total != 1 || time.Since(started) != 0 {
			t.Errorf("pollers got %d messages after %v, want 1 at once", total, time.Since(started))
		}
	})
}

func TestService_LongPoll_TenThousandWaiters(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, nil, func(t *testing.T, s *sqs.Service) {
		const pollers = 10_000
		got := make(chan []sqs.Message, pollers)
		for range pollers {
			go func() {
				messages, _ := s.Receive(t.Context(), "q", sqs.ReceiveInput{MaxMessages: 1, Wait: sqs.MaxWait})
				got <- messages
			}()
		}
		synctest.Wait()
		started := time.Now()
		for range pollers {
			send(t, s, "q", sqs.SendInput{Body: "m"})
		}
		for range pollers {
			if len(<-got) != 1 {
				t.Fatal("a poller got nothing although there was a message for each")
			}
		}
		if waited := time.Since(started); waited != 0 {
			t.Errorf("pollers woke after %v, want at once", waited)
		}
	})
}

func TestService_LongPoll_DeletedQueue(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, nil, func(t *testing.T, s *sqs.Service) {
		refused := make(chan error)
		for range 3 {
			go func() {
				_, err := s.Receive(t.Context(), "q", sqs.ReceiveInput{Wait: sqs.MaxWait})
				refused <- err
			}()
		}
		synctest.Wait()
		started := time.Now()
		_, httpClient := overProcess(t, s)
		must[*awssqs.DeleteQueueOutput](t)(newClient("http://sqs.test", httpClient).DeleteQueue(t.Context(), &awssqs.DeleteQueueInput{QueueUrl: aws.String("q")}))
		for range 3 {
			if refusal, ok := errors.AsType[*sqs.Error](<-refused); !ok || refusal.Type != "QueueDoesNotExist" || time.Since(started) != 0 {
				t.Errorf("long poll of a deleted queue: %v after %v, want QueueDoesNotExist at once", refusal, time.Since(started))
			}
		}
	})
}

// withLetters adds a dead-letter queue "dlq" and makes "q" send there after two receives.
func withLetters(t *testing.T, test func(t *testing.T, s *sqs.Service)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := sqs.New(sqs.Options{})
		defer s.Close()
		must[string](t)(s.CreateQueue(t.Context(), "dlq", map[string]string{"MessageRetentionPeriod": "1209600"}))
		must[string](t)(s.CreateQueue(t.Context(), "q", map[string]string{
			"VisibilityTimeout": "10",
			"RedrivePolicy":     `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dlq","maxReceiveCount":2}`,
		}))
		test(t, s)
	})
}

func TestService_Redrive_ExactlyTwoReceives(t *testing.T) {
	t.Parallel()
	withLetters(t, func(t *testing.T, s *sqs.Service) {
		sent := fmt.Sprint(time.Now().UnixMilli())
		id := send(t, s, "q", sqs.SendInput{Body: "poison", GroupID: "acme", TraceHeader: "Root=1"})
		poll := sqs.ReceiveInput{Wait: sqs.MaxWait}
		for range 2 {
			if got := bodies(t, s, "q", poll); !slices.Equal(got, []string{"poison"}) {
				t.Fatalf("got %v, want poison twice", got)
			}
		}
		letters := must[[]sqs.Message](t)(s.Receive(t.Context(), "dlq", poll))
		if len(letters) != 1 || letters[0].ID != id {
			t.Fatalf("dead letters = %+v, want the message %s", letters, id)
		}
		want := map[string]string{
			"SenderId": "000000000000", "SentTimestamp": sent, "ApproximateFirstReceiveTimestamp": sent, "ApproximateReceiveCount": "3",
			"AWSTraceHeader": "Root=1", "MessageGroupId": "acme", "DeadLetterQueueSourceArn": "arn:aws:sqs:us-east-1:000000000000:q",
		}
		if diff := cmp.Diff(want, letters[0].Attributes); diff != "" {
			t.Errorf("attributes of the dead letter (-want +got):\n%s", diff)
		}
		wantDepth(t, s, "q", sqs.Depth{})
		wantDepth(t, s, "dlq", sqs.Depth{InFlight: 1})
	})
}

func TestService_Redrive_VisibilityZeroMovesAtOnce(t *testing.T) {
	t.Parallel()
	withLetters(t, func(t *testing.T, s *sqs.Service) {
		send(t, s, "q", sqs.SendInput{Body: "poison"})
		for range 2 {
			m := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))[0]
			if err := s.ChangeVisibility(t.Context(), "q", m.ReceiptHandle, 0); err != nil {
				t.Fatal(err)
			}
		}
		wantDepth(t, s, "q", sqs.Depth{})
		wantDepth(t, s, "dlq", sqs.Depth{Visible: 1})
	})
}

func TestService_Redrive_WithoutTheQueueMessagesStay(t *testing.T) {
	t.Parallel()
	withLetters(t, func(t *testing.T, s *sqs.Service) {
		_, httpClient := overProcess(t, s)
		must[*awssqs.DeleteQueueOutput](t)(newClient("http://sqs.test", httpClient).DeleteQueue(t.Context(), &awssqs.DeleteQueueInput{QueueUrl: aws.String("dlq")}))
		send(t, s, "q", sqs.SendInput{Body: "poison"})
		for range 5 {
			if got := bodies(t, s, "q", sqs.ReceiveInput{Wait: sqs.MaxWait}); len(got) != 1 {
				t.Fatalf("received %v, want the message: there is nowhere else for it", got)
			}
		}
		must[string](t)(s.CreateQueue(t.Context(), "dlq", nil))
		time.Sleep(10 * time.Second)
		wantDepth(t, s, "dlq", sqs.Depth{Visible: 1})
	})
}

func TestService_DeadLetter_KeepsItsAge(t *testing.T) {
	t.Parallel()
	withLetters(t, func(t *testing.T, s *sqs.Service) {
		send(t, s, "q", sqs.SendInput{Body: "poison"})
		time.Sleep(3 * 24 * time.Hour)
		bodies(t, s, "q", receiveAll)
		time.Sleep(10 * time.Second)
		bodies(t, s, "q", receiveAll)
		time.Sleep(10 * time.Second)
		wantDepth(t, s, "dlq", sqs.Depth{Visible: 1})
		time.Sleep(11*24*time.Hour - 20*time.Second - 1)
		wantDepth(t, s, "dlq", sqs.Depth{Visible: 1})
		time.Sleep(1)
		wantDepth(t, s, "dlq", sqs.Depth{})
	})
}

// TestService_Fairness_QuietTenantWaitsAtMostTwice drains one queue that a noisy and a quiet tenant share, and
// compares the quiet one's waits with those it has alone.
func TestService_Fairness_QuietTenantWaitsAtMostTwice(t *testing.T) {
	t.Parallel()
	const noisy, quiet = 100_000, 100
	tests := []struct {
		name    string
		batch   int
		workers int
		// slow and fast are the time one message of the noisy and the quiet tenant takes.
		slow, fast time.Duration
	}{
		{"batches of ten, one worker", 10, 1, time.Millisecond, time.Millisecond},
		{"single messages, one worker", 1, 1, time.Millisecond, time.Millisecond},
		{"single messages, ten workers, slow noisy tenant", 1, 10, 50 * time.Millisecond, 10 * time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			measure := func(backlog int) (p99 time.Duration) {
				inVirtualTime(t, map[string]string{"VisibilityTimeout": "43200"}, func(t *testing.T, s *sqs.Service) {
					for range backlog {
						send(t, s, "q", sqs.SendInput{Body: "n", GroupID: "noisy"})
					}
					drain := startDrain(t, s, drainSpec{test.batch, test.workers, quiet, map[string]time.Duration{"n": test.slow, "q": test.fast}})
					time.Sleep(time.Second) // the noisy tenant has the workers to itself first
					for range quiet {
						send(t, s, "q", sqs.SendInput{Body: "q", GroupID: "quiet"})
					}
					waits := drain()
					slices.Sort(waits)
					p99 = waits[len(waits)*99/100-1]
				})
				return p99
			}
			alone, shared := measure(0), measure(noisy)
			if shared > 2*alone {
				t.Errorf("p99 wait beside the noisy tenant = %v, alone %v; want at most twice", shared, alone)
			}
		})
	}
}

type drainSpec struct {
	batch, workers, stopAfter int
	// takes is how long a message with that body takes.
	takes map[string]time.Duration
}

// startDrain receives with some workers until stopAfter messages with body "q" were received. The
// returned function waits for that and returns how long each of them had waited.
func startDrain(t *testing.T, s *sqs.Service, spec drainSpec) (waits func() []time.Duration) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	waited := make(chan time.Duration, spec.stopAfter)
	done := make(chan struct{})
	for range spec.workers {
		go func() {
			defer func() { done <- struct{}{} }()
			for ctx.Err() == nil {
				messages, _ := s.Receive(ctx, "q", sqs.ReceiveInput{MaxMessages: spec.batch, Wait: sqs.MaxWait})
				for _, m := range messages {
					if m.Body == "q" {
						var sent int64
						_, _ = fmt.Sscan(m.Attributes["SentTimestamp"], &sent)
						waited <- time.Since(time.UnixMilli(sent))
					}
					time.Sleep(spec.takes[m.Body])
					_ = s.Delete(context.WithoutCancel(ctx), "q", []string{m.ReceiptHandle})
				}
			}
		}()
	}
	return func() []time.Duration {
		var all []time.Duration
		for range spec.stopAfter {
			all = append(all, <-waited)
		}
		stop()
		for range spec.workers {
			<-done
		}
		return all
	}
}

func TestService_Fairness_StuckTenantIsNotStarved(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, map[string]string{"VisibilityTimeout": "43200"}, func(t *testing.T, s *sqs.Service) {
		for range 500 {
			send(t, s, "q", sqs.SendInput{Body: "stuck", GroupID: "stuck"})
		}
		for range 40 {
			bodies(t, s, "q", receiveAll) // 400 stay in flight for hours
		}
		for range 5000 {
			send(t, s, "q", sqs.SendInput{Body: "brisk", GroupID: "brisk"})
		}
		stuck := 0
		for range 1000 {
			m := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{}))[0]
			if m.Body == "stuck" {
				stuck++
			}
			if err := s.Delete(t.Context(), "q", []string{m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
		if stuck < 20 || stuck > 100 {
			t.Errorf("the tenant with 400 messages in flight got %d of 1000 picks, want a few per cent", stuck)
		}
	})
}

func TestService_Order_AsTheyBecameVisible(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, nil, func(t *testing.T, s *sqs.Service) {
		for i := range 4 {
			send(t, s, "q", sqs.SendInput{Body: fmt.Sprint(i)})
		}
		for _, m := range must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{MaxMessages: 2})) {
			if err := s.ChangeVisibility(t.Context(), "q", m.ReceiptHandle, 0); err != nil {
				t.Fatal(err)
			}
		}
		got := bodies(t, s, "q", receiveAll)
		if !slices.Equal(got, []string{"2", "3", "0", "1"}) {
			t.Errorf("order = %v, want the ones that came back behind those that waited", got)
		}
	})
}
