package esm_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// TestMapping_NothingIsLostAndNothingComesBackAfterItsEnd lets a function do anything: succeed, fail some, fail all, answer
// nonsense, be throttled. In the end every message was taken exactly once as done, whatever happened before.
func TestMapping_NothingIsLostAndNothingComesBackAfterItsEnd(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { runConservation(t, seed) })
		})
	}
}

func runConservation(t *testing.T, seed uint64) {
	const messages = 300
	done := map[string]int{} // guarded by b.mu
	var b *bench
	whim := rand.New(rand.NewPCG(seed, 1))
	b = newBench(t, esm.Options{ReportBatchItemFailures: true, BatchSize: 25, Window: time.Second, MaximumConcurrency: 4},
		func(_ int, event events.SQSEvent) (lambda.Result, error) {
			b.mu.Lock()
			choice, pause := whim.IntN(10), time.Duration(whim.IntN(3000))*time.Millisecond
			failing := map[string]bool{}
			for _, record := range event.Records {
				failing[record.MessageId] = whim.IntN(3) == 0
			}
			b.mu.Unlock()
			time.Sleep(pause)
			switch choice {
			case 0:
				return lambda.Result{}, &lambda.Error{Status: http.StatusTooManyRequests}
			case 1:
				return lambda.Result{FunctionError: lambda.Unhandled}, nil
			case 2:
				return lambda.Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"stranger"}]}`)}, nil
			}
			var items []string
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, record := range event.Records {
				if failing[record.MessageId] {
					items = append(items, `{"itemIdentifier":"`+record.MessageId+`"}`)
				} else {
					done[record.Body]++
				}
			}
			return lambda.Result{Payload: []byte(`{"batchItemFailures":[` + strings.Join(items, ",") + `]}`)}, nil
		})
	b.send(numbered(messages)...)
	time.Sleep(6 * time.Hour)
	b.end()
	for _, body := range numbered(messages) {
		if done[body] != 1 {
			t.Errorf("message %s was done %d times, want once", body, done[body])
		}
	}
	if left, out := b.left(), b.mapping.InFlight(); left != 0 || out != 0 {
		t.Errorf("%d messages left, %d batches in flight; want none", left, out)
	}
}
