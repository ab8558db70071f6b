package esm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// invocation is one call of the scripted function.
type invocation struct {
	at     time.Duration // since the bench began
	bodies []string
	ids    []string
}

// bench is a queue with a visibility timeout of 30 s, a scripted function and the mapping between them.
type bench struct {
	t       *testing.T
	begin   time.Time
	service *sqs.Service
	mapping *esm.Mapping

	mu    sync.Mutex
	calls []invocation
	peak  int
	busy  int
}

// script answers an invocation; n counts from 0.
type script func(n int, event events.SQSEvent) (lambda.Result, error)

func succeed(int, events.SQSEvent) (lambda.Result, error) { return lambda.Result{}, nil }

// newBench must run inside a synctest bubble.
func newBench(t *testing.T, options esm.Options, script script) *bench {
	t.Helper()
	b := &bench{t: t, begin: time.Now(), service: sqs.New(sqs.Options{})}
	if _, err := b.service.CreateQueue(t.Context(), "q", map[string]string{"VisibilityTimeout": "30"}); err != nil {
		t.Fatal(err)
	}
	options.Queue = "q"
	b.start(options, script)
	return b
}

func (b *bench) start(options esm.Options, script script) {
	mapping, err := esm.Start(b.service, func(_ context.Context, payload []byte) (lambda.Result, error) {
		return b.invoke(payload, script)
	}, options)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mapping = mapping
}

func (b *bench) invoke(payload []byte, script script) (lambda.Result, error) {
	var event events.SQSEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return lambda.Result{}, fmt.Errorf("payload %.100s: %w", payload, err)
	}
	call := invocation{at: time.Since(b.begin)}
	for _, record := range event.Records {
		call.bodies = append(call.bodies, record.Body)
		call.ids = append(call.ids, record.MessageId)
	}
	b.mu.Lock()
	n := len(b.calls)
	b.calls = append(b.calls, call)
	b.busy++
	b.peak = max(b.peak, b.busy)
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.busy--
		b.mu.Unlock()
	}()
	return script(n, event)
}

func (b *bench) send(bodies ...string) {
	b.t.Helper()
	for _, body := range bodies {
		if _, err := b.service.Send(b.t.Context(), "q", sqs.SendInput{Body: body}); err != nil {
			b.t.Fatal(err)
		}
	}
}

// end stops the mapping and the queue.
func (b *bench) end() {
	b.t.Helper()
	if err := b.mapping.Stop(b.t.Context()); err != nil {
		b.t.Error(err)
	}
	b.service.Close()
}

// left counts the messages that are on the queue, in flight or not.
func (b *bench) left() int {
	b.t.Helper()
	depth, err := b.service.Depth("q")
	if err != nil {
		b.t.Fatal(err)
	}
	return depth.Visible + depth.InFlight + depth.Delayed
}

func (b *bench) snapshot() []invocation {
	synctest.Wait() // sleeping alone does not order our reads after the script's writes
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

func numbered(n int) []string {
	bodies := make([]string, n)
	for i := range bodies {
		bodies[i] = fmt.Sprint("m", i)
	}
	return bodies
}

func sizes(calls []invocation) []int {
	var list []int
	for _, call := range calls {
		list = append(list, len(call.bodies))
	}
	return list
}

func TestMapping_LoneMessageGoesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, esm.Options{}, succeed)
		defer b.end()
		time.Sleep(3 * time.Second)
		b.send("hello")
		synctest.Wait()
		calls := b.snapshot()
		if len(calls) != 1 || calls[0].at != 3*time.Second || calls[0].bodies[0] != "hello" {
			t.Errorf("calls = %+v, want one at 3s", calls)
		}
		if got := b.left(); got != 0 {
			t.Errorf("%d messages left, want 0", got)
		}
	})
}

func TestMapping_WindowGathers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, esm.Options{BatchSize: 100, Window: 5 * time.Second}, succeed)
		defer b.end()
		time.Sleep(time.Second)
		for i := range 4 { // at 1, 3, 5 and 7 s: the window of the first ends at 6 s
			b.send(fmt.Sprint(i))
			time.Sleep(2 * time.Second)
		}
		time.Sleep(30 * time.Second)
		want := []invocation{{at: 6 * time.Second, bodies: []string{"0", "1", "2"}}, {at: 12 * time.Second, bodies: []string{"3"}}}
		got := b.snapshot()
		for i := range got {
			got[i].ids = nil
			slices.Sort(got[i].bodies)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(invocation{})); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

func TestMapping_FullBatchGoesBeforeItsWindowEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, esm.Options{BatchSize: 20, Window: 10 * time.Second, MaximumConcurrency: 2}, succeed)
		defer b.end()
		b.send(numbered(30)...)
		synctest.Wait()
		if diff := cmp.Diff([]int{20}, sizes(b.snapshot())); diff != "" {
			t.Errorf("batches at once (-want +got):\n%s", diff)
		}
		time.Sleep(11 * time.Second)
		if diff := cmp.Diff([]int{20, 10}, sizes(b.snapshot())); diff != "" {
			t.Errorf("batches after the window (-want +got):\n%s", diff)
		}
	})
}

func TestMapping_BatchesAreCutAtSixMegabytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, esm.Options{BatchSize: 100, Window: 5 * time.Second}, succeed)
		defer b.end()
		for range 8 {
			b.send(strings.Repeat("x", 1<<20))
		}
		time.Sleep(6 * time.Second)
		// Six bodies of 1 MiB are 6 MiB without the JSON around them, so five fit.
		if diff := cmp.Diff([]int{5, 3}, sizes(b.snapshot())); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
	})
}

// What did not fit was cut to 6 MB once more, and what was left then came back after the visibility timeout only.
func TestMapping_WhatDoesNotFitGoesWithTheNextBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b *bench
		var counts []string // guarded by b.mu
		b = newBench(t, esm.Options{MaximumConcurrency: 2}, func(_ int, event events.SQSEvent) (lambda.Result, error) {
			time.Sleep(time.Second)
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, record := range event.Records {
				counts = append(counts, record.Attributes["ApproximateReceiveCount"])
			}
			return lambda.Result{}, nil
		})
		defer b.end()
		for range 2 { // the others come to the queue while nobody waits there
			b.send("begin")
			synctest.Wait()
		}
		for range 5 {
			b.send(strings.Repeat(`"`, 1<<20)) // two fit when they are quoted
		}
		time.Sleep(10 * time.Second)
		if diff := cmp.Diff([]int{1, 1, 2, 2, 1}, sizes(b.snapshot())); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		if got := slices.Compact(counts); !slices.Equal(got, []string{"1"}) {
			t.Errorf("receive counts %v, want 1", got)
		}
	})
}

// watched counts the receives that are open, and the most there were.
type watched struct {
	esm.Queue

	mu              sync.Mutex
	open, peak, all int
}

func (w *watched) seen() (all, peak int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all, w.peak
}

func (w *watched) Receive(ctx context.Context, queue string, in sqs.ReceiveInput) ([]sqs.Message, error) {
	w.add(1)
	defer w.add(-1)
	return w.Queue.Receive(ctx, queue, in) //nolint:wrapcheck // as it is
}

func (w *watched) add(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open += n
	w.all += max(n, 0)
	w.peak = max(w.peak, w.open)
}

func TestMapping_PollersScaleWithTheBacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := sqs.New(sqs.Options{})
		defer service.Close()
		if _, err := service.CreateQueue(t.Context(), "q", nil); err != nil {
			t.Fatal(err)
		}
		queue := &watched{Queue: service}
		mapping, err := esm.Start(queue, func(context.Context, []byte) (lambda.Result, error) {
			time.Sleep(10 * time.Second)
			return lambda.Result{}, nil
		}, esm.Options{Queue: "q", MaximumConcurrency: 8})
		if err != nil {
			t.Fatal(err)
		}
		invocationsAt := func(at string, pause time.Duration, want int64) {
			t.Helper()
			time.Sleep(pause)
			synctest.Wait()
			if got := mapping.InFlight(); got != want {
				t.Errorf("%d invocations %s, want %d", got, at, want)
			}
		}
		send := func(messages int) {
			for range messages {
				if _, err := service.Send(t.Context(), "q", sqs.SendInput{Body: "x"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		invocationsAt("of an empty queue", time.Hour, 0)
		before, _ := queue.seen()
		if before != 180+1 {
			t.Errorf("%d receives in a quiet hour, want one after the other, each of 20 s", before)
		}
		send(10)
		invocationsAt("of a full batch", time.Second, 1)
		send(10)
		invocationsAt("of two full batches", time.Second, 2)
		send(100)
		invocationsAt("with a backlog", time.Second, 8)
		invocationsAt("of the last four batches", 10*time.Second, 4)
		invocationsAt("when all is done", 10*time.Second, 0)
		before, _ = queue.seen()
		invocationsAt("of an empty queue", time.Hour, 0)
		if all, peak := queue.seen(); peak != 1 || all-before > 181 {
			t.Errorf("%d receives in another quiet hour, at most %d at a time; want one after the other", all-before, peak)
		}
		if err := mapping.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestMapping_NeverMoreThanItsMaximumConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, esm.Options{MaximumConcurrency: 3}, func(int, events.SQSEvent) (lambda.Result, error) {
			time.Sleep(time.Second)
			return lambda.Result{}, nil
		})
		defer b.end()
		b.send(numbered(100)...)
		time.Sleep(time.Minute)
		synctest.Wait()
		if b.peak != 3 {
			t.Errorf("peak concurrency %d, want 3", b.peak)
		}
		if calls, left := len(b.snapshot()), b.left(); calls != 10 || left != 0 {
			t.Errorf("%d calls, %d messages left; want 10 and none", calls, left)
		}
	})
}

func TestMapping_EveryResponseShape(t *testing.T) {
	t.Parallel()
	for _, test := range responses {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { runShape(t, test.response, test.failed, test.whole != "") })
		})
	}
}

// runShape sends the messages a, b and c, answers with the shape (its ids replaced by the real ones) and checks
// who comes back when the visibility timeout has passed, and not before.
func runShape(t *testing.T, response string, failed []string, whole bool) {
	var again []string
	b := newBench(t, esm.Options{ReportBatchItemFailures: true, Window: time.Second}, func(n int, event events.SQSEvent) (lambda.Result, error) {
		if n > 0 {
			for _, record := range event.Records {
				again = append(again, record.Body)
			}
			return lambda.Result{}, nil
		}
		answer := response
		for _, record := range event.Records {
			answer = strings.ReplaceAll(answer, `"itemIdentifier":"`+record.Body+`"`, `"itemIdentifier":"`+record.MessageId+`"`)
		}
		return lambda.Result{Payload: []byte(answer)}, nil
	})
	defer b.end()
	b.send("a", "b", "c")
	time.Sleep(29 * time.Second)
	want := failed
	if whole {
		want = []string{"a", "b", "c"}
	}
	if got := b.left(); got != len(want) || len(b.snapshot()) != 1 {
		t.Errorf("before the visibility timeout: %d messages left after %d calls, want %d after 1", got, len(b.snapshot()), len(want))
	}
	time.Sleep(10 * time.Second)
	synctest.Wait()
	slices.Sort(again)
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("messages that came back (-want +got):\n%s", diff)
	}
}

func TestMapping_FunctionErrorFailsTheBatch(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Handler.Error", "Sandbox.Timedout", "Runtime.ExitError", "Function.ResponseSizeTooLarge"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var counts []string
				b := newBench(t, esm.Options{ReportBatchItemFailures: true}, func(n int, event events.SQSEvent) (lambda.Result, error) {
					counts = append(counts, event.Records[0].Attributes["ApproximateReceiveCount"])
					if n == 0 {
						return lambda.Result{FunctionError: lambda.Unhandled, Payload: []byte(`{"errorType":"` + kind + `"}`)}, nil
					}
					return lambda.Result{}, nil
				})
				defer b.end()
				b.send("x")
				time.Sleep(time.Minute)
				calls := b.snapshot()
				if len(calls) != 2 || calls[1].at < 30*time.Second || calls[0].ids[0] != calls[1].ids[0] {
					t.Fatalf("calls = %+v, want the same message twice, 30 s apart", calls)
				}
				if diff := cmp.Diff([]string{"1", "2"}, counts); diff != "" {
					t.Errorf("receive counts (-want +got):\n%s", diff)
				}
				if got := b.left(); got != 0 {
					t.Errorf("%d messages left, want 0", got)
				}
			})
		})
	}
}

func TestMapping_WithoutReportBatchItemFailuresEveryResponseIsSuccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, esm.Options{}, func(int, events.SQSEvent) (lambda.Result, error) {
			return lambda.Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"nobody"}]}`)}, nil
		})
		defer b.end()
		b.send("x")
		synctest.Wait()
		if got := b.left(); got != 0 {
			t.Errorf("%d messages left, want 0", got)
		}
	})
}

func refused() error {
	return &lambda.Error{Type: "TooManyRequestsException", Status: http.StatusTooManyRequests}
}

func TestMapping_ThrottledFunctionIsRetriedWithoutReceives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		count := ""
		b := newBench(t, esm.Options{}, func(n int, event events.SQSEvent) (lambda.Result, error) {
			if n == 0 {
				time.Sleep(50 * time.Millisecond) // until the next long poll is open
			}
			if n < 4 {
				return lambda.Result{}, refused()
			}
			count = event.Records[0].Attributes["ApproximateReceiveCount"]
			return lambda.Result{}, nil
		})
		defer b.end()
		b.send("x")
		time.Sleep(time.Second)
		b.send("y") // taken by the long poll that was open already
		synctest.Wait()
		b.send("z") // waits until the function takes invocations again
		time.Sleep(10 * time.Second)
		var at []time.Duration
		for _, call := range b.snapshot() {
			at = append(at, call.at)
		}
		ms := time.Millisecond
		if diff := cmp.Diff([]time.Duration{0, 300 * ms, 800 * ms, 1000 * ms, 1250 * ms, 1800 * ms, 2000 * ms}, at); diff != "" {
			t.Errorf("times of the calls (-want +got):\n%s", diff)
		}
		if count != "1" || b.left() != 0 {
			t.Errorf("receive count %q, %d left; want 1 and 0", count, b.left())
		}
	})
}

func TestMapping_ThrottledForGoodCostsOneReceivePerVisibilityTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var counts []string
		b := newBench(t, esm.Options{}, func(_ int, event events.SQSEvent) (lambda.Result, error) {
			counts = append(counts, event.Records[0].Attributes["ApproximateReceiveCount"])
			return lambda.Result{}, refused()
		})
		b.send("x")
		time.Sleep(95 * time.Second) // three visibility timeouts and the beginning of a fourth
		b.end()
		if got := slices.Compact(counts); !slices.Equal(got, []string{"1", "2", "3", "4"}) {
			t.Errorf("receive counts over 95 s = %v, want 1 to 4", got)
		}
		if got := b.left(); got != 1 {
			t.Errorf("%d messages left, want 1", got)
		}
	})
}

func TestMapping_StopDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, esm.Options{BatchSize: 100, Window: time.Minute}, func(int, events.SQSEvent) (lambda.Result, error) {
			time.Sleep(5 * time.Second)
			return lambda.Result{}, nil
		})
		b.send("gathered")
		synctest.Wait()
		b.end()
		if calls := b.snapshot(); len(calls) != 1 || b.left() != 0 {
			t.Errorf("calls %+v, %d left; want one call and nothing left", calls, b.left())
		}
		b.send("late")
		time.Sleep(time.Hour)
		if got := len(b.snapshot()); got != 1 {
			t.Errorf("%d calls after Stop, want 1", got)
		}
	})
}

func TestMapping_StopAbandonsWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, begin: time.Now(), service: sqs.New(sqs.Options{})}
		defer b.service.Close()
		if _, err := b.service.CreateQueue(t.Context(), "q", nil); err != nil {
			t.Fatal(err)
		}
		mapping, err := esm.Start(b.service, func(ctx context.Context, _ []byte) (lambda.Result, error) {
			<-ctx.Done()
			return lambda.Result{}, ctx.Err()
		}, esm.Options{Queue: "q"})
		if err != nil {
			t.Fatal(err)
		}
		b.send("x")
		synctest.Wait()
		if got := mapping.InFlight(); got != 1 {
			t.Errorf("%d batches in flight, want 1", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := mapping.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop = %v, want DeadlineExceeded", err)
		}
		if got := b.left(); got != 1 {
			t.Errorf("%d messages left, want 1", got)
		}
	})
}

func TestMapping_SurvivesAQueueInTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		trouble := map[string]int{"ReceiveMessage": 3, "DeleteMessage": 1}
		faults := &sqs.Faults{Intercept: func(op string, _ []byte) error {
			mu.Lock()
			defer mu.Unlock()
			if trouble[op] > 0 {
				trouble[op]--
				return errors.New("trouble")
			}
			return nil
		}}
		b := &bench{t: t, begin: time.Now(), service: sqs.New(sqs.Options{Faults: faults})}
		if _, err := b.service.CreateQueue(t.Context(), "q", map[string]string{"VisibilityTimeout": "30"}); err != nil {
			t.Fatal(err)
		}
		b.start(esm.Options{Queue: "q"}, succeed)
		defer b.end()
		b.send("x")
		time.Sleep(time.Minute)
		var at []time.Duration
		for _, call := range b.snapshot() {
			at = append(at, call.at)
		}
		if diff := cmp.Diff([]time.Duration{3 * time.Second, 33 * time.Second}, at); diff != "" || b.left() != 0 {
			t.Errorf("%d left, times of the calls (-want +got):\n%s", b.left(), diff)
		}
	})
}

func TestMapping_RecordsHaveAWSsShape(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var payload []byte
		service := sqs.New(sqs.Options{})
		defer service.Close()
		if _, err := service.CreateQueue(t.Context(), "q", nil); err != nil {
			t.Fatal(err)
		}
		mapping, err := esm.Start(service, func(_ context.Context, event []byte) (lambda.Result, error) {
			payload = event
			return lambda.Result{}, nil
		}, esm.Options{Queue: "q"})
		if err != nil {
			t.Fatal(err)
		}
		id, err := service.Send(t.Context(), "q", sqs.SendInput{Body: "say \"hi\"\n", GroupID: "acme", Attributes: map[string]sqs.Attribute{
			"pack": {DataType: "Binary", BinaryValue: []byte{0, 255}}, "n": {DataType: "Number", StringValue: "7"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := stopWhenIdle(t, mapping); err != nil {
			t.Fatal(err)
		}
		var event struct{ Records []map[string]any }
		if err := json.Unmarshal(payload, &event); err != nil || len(event.Records) != 1 {
			t.Fatalf("payload %s: %v", payload, err)
		}
		record := event.Records[0]
		attributes, _ := record["attributes"].(map[string]any)
		for _, name := range []string{"ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp", "MessageGroupId"} {
			if _, isString := attributes[name].(string); !isString {
				t.Errorf("attribute %s = %v, want a string", name, attributes[name])
			}
		}
		for _, name := range []string{"receiptHandle", "md5OfMessageAttributes"} {
			if record[name] == "" || record[name] == nil {
				t.Errorf("%s is missing", name)
			}
		}
		delete(record, "attributes")
		delete(record, "receiptHandle")
		delete(record, "md5OfMessageAttributes")
		want := map[string]any{
			"messageId": id, "body": "say \"hi\"\n", "md5OfBody": "f962a00bf94a7c606b601bf328b1fc75",
			"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q", "awsRegion": "us-east-1",
			"messageAttributes": map[string]any{
				"pack": map[string]any{"binaryValue": "AP8=", "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": "Binary"},
				"n":    map[string]any{"stringValue": "7", "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": "Number"},
			},
		}
		if diff := cmp.Diff(want, record); diff != "" {
			t.Errorf("record (-want +got):\n%s", diff)
		}
	})
}

func stopWhenIdle(t *testing.T, mapping *esm.Mapping) error {
	t.Helper()
	synctest.Wait()
	return mapping.Stop(t.Context())
}

// startAndStop says whether Start takes the options.
func startAndStop(t *testing.T, options esm.Options) error {
	t.Helper()
	service := sqs.New(sqs.Options{})
	defer service.Close()
	mapping, err := esm.Start(service, nil, options)
	if err != nil {
		return err //nolint:wrapcheck // as it is
	}
	return mapping.Stop(t.Context()) //nolint:wrapcheck // as it is
}

func TestStart_RefusesWhatAWSDoes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options esm.Options
		wants   string // part of the error, empty for none
	}{
		{"the zero value is fine", esm.Options{}, ""},
		{"the largest of everything is fine", esm.Options{BatchSize: 10_000, Window: 300 * time.Second, MaximumConcurrency: 1000}, ""},
		{"a batch above ten needs a window", esm.Options{BatchSize: 11}, "needs a batching window"},
		{"a batch above ten thousand", esm.Options{BatchSize: 10_001, Window: time.Second}, "batch size"},
		{"a window above five minutes", esm.Options{Window: 301 * time.Second}, "window"},
		{"a maximum concurrency of one", esm.Options{MaximumConcurrency: 1}, "maximum concurrency"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if err := startAndStop(t, test.options); (err == nil) != (test.wants == "") || err != nil && !strings.Contains(err.Error(), test.wants) {
				t.Errorf("Start = %v, want %q", err, test.wants)
			}
		})
	}
}
