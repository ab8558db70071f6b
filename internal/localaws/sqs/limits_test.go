package sqs_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// TestLimits_AreAWS pins the numbers of the SQS quotas pages.
func TestLimits_AreAWS(t *testing.T) {
	t.Parallel()
	for name, pair := range map[string][2]int64{
		"message bytes": {sqs.MaxMessageBytes, 1_048_576}, "batch bytes": {sqs.MaxBatchBytes, 1_048_576}, "entries": {sqs.MaxBatchEntries, 10},
		"entry id": {sqs.MaxEntryIDLength, 80}, "attributes": {sqs.MaxAttributes, 10}, "attribute name": {sqs.MaxAttributeNameLength, 256},
		"group id": {sqs.MaxGroupIDLength, 128}, "in flight": {sqs.MaxInFlight, 120_000}, "delay": {int64(sqs.MaxDelay.Seconds()), 900},
		"visibility": {int64(sqs.MaxVisibility.Seconds()), 43_200}, "wait": {int64(sqs.MaxWait.Seconds()), 20},
		"least retention": {int64(sqs.MinRetention.Seconds()), 60}, "retention": {int64(sqs.MaxRetention.Seconds()), 1_209_600},
		"move rate": {sqs.MaxMoveRate, 500}, "queue name": {sqs.MaxQueueNameLength, 80}, "tags": {sqs.MaxTags, 50},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s = %d, want %d", name, pair[0], pair[1])
		}
	}
}

func TestService_InFlightLimit_OverLimitOnlyForShortPolls(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, map[string]string{"VisibilityTimeout": "60"}, func(t *testing.T, s *sqs.Service) {
		for range sqs.MaxInFlight + 1 {
			send(t, s, "q", sqs.SendInput{Body: "m"})
		}
		var last []sqs.Message
		for range sqs.MaxInFlight / sqs.MaxDirectReceive {
			last = must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{MaxMessages: sqs.MaxDirectReceive}))
		}
		wantDepth(t, s, "q", sqs.Depth{Visible: 1, InFlight: sqs.MaxInFlight})
		var refusal *sqs.Error
		if _, err := s.Receive(t.Context(), "q", receiveAll); !errors.As(err, &refusal) || refusal.Type != "OverLimit" {
			t.Errorf("short poll: %v, want OverLimit", err)
		}
		if got := bodies(t, s, "q", sqs.ReceiveInput{Wait: sqs.MaxWait}); got != nil {
			t.Errorf("long poll at the limit: %v, want nothing", got)
		}
		time.AfterFunc(time.Second, func() { _ = s.Delete(context.Background(), "q", []string{last[0].ReceiptHandle}) })
		started := time.Now()
		if got := bodies(t, s, "q", sqs.ReceiveInput{Wait: sqs.MaxWait}); len(got) != 1 || time.Since(started) != time.Second {
			t.Errorf("long poll with a delete after 1 s: %d messages after %v, want 1 after 1 s", len(got), time.Since(started))
		}
	})
}

func TestService_Memory_BelowTwoKilobytesPerMessage(t *testing.T) { //nolint:paralleltest // it reads the size of the whole heap
	s := sqs.New(sqs.Options{})
	defer s.Close()
	must[string](t)(s.CreateQueue(t.Context(), "q", nil))
	const messages = 50_000
	before := heapBytes()
	for range messages {
		send(t, s, "q", sqs.SendInput{Body: strings.Clone(benchBody)})
	}
	each := (heapBytes() - before) / messages
	t.Logf("%d bytes for a message of %d", each, len(benchBody))
	if each > 2048 {
		t.Errorf("a message of %d bytes takes %d, want at most 2048", len(benchBody), each)
	}
}

func heapBytes() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestService_ReceiptHandle_OfAnotherQueue(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(b bundle) {
		here, there := b.queue("here", nil), b.queue("there", nil)
		must[string](b.t)(b.service.Send(b.t.Context(), "here", sqs.SendInput{Body: "m"}))
		m := must[[]sqs.Message](b.t)(b.service.Receive(b.t.Context(), "here", receiveAll))[0]
		_, err := b.client.DeleteMessage(b.t.Context(), &awssqs.DeleteMessageInput{QueueUrl: &there, ReceiptHandle: &m.ReceiptHandle})
		if _, ok := errors.AsType[*types.ReceiptHandleIsInvalid](err); !ok {
			b.t.Errorf("handle of another queue: %v, want ReceiptHandleIsInvalid", err)
		}
		must[*awssqs.ChangeMessageVisibilityOutput](b.t)(b.client.ChangeMessageVisibility(b.t.Context(), &awssqs.ChangeMessageVisibilityInput{
			QueueUrl: &here, ReceiptHandle: &m.ReceiptHandle, VisibilityTimeout: 0,
		}))
		if depth := must[sqs.Depth](b.t)(b.service.Depth("here")); depth.Visible != 1 {
			b.t.Errorf("depth = %+v, want 1 visible", depth)
		}
	})
}

// brokenWriter is a connection that breaks when the reply is written.
type brokenWriter struct{ header http.Header }

func (w brokenWriter) Header() http.Header       { return w.header }
func (w brokenWriter) WriteHeader(int)           {}
func (w brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestService_Receive_BrokenReplyIsUndone(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, nil, func(t *testing.T, s *sqs.Service) {
		for _, body := range []string{"a", "b", "c"} {
			send(t, s, "q", sqs.SendInput{Body: body})
		}
		request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{"QueueUrl":"q","MaxNumberOfMessages":2}`)))
		request.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
		s.ServeHTTP(brokenWriter{http.Header{}}, request)
		synctest.Wait()
		wantDepth(t, s, "q", sqs.Depth{Visible: 3})
		got := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))
		for _, m := range got {
			if m.Attributes["ApproximateReceiveCount"] != "1" {
				t.Errorf("message %s has count %s, want 1", m.Body, m.Attributes["ApproximateReceiveCount"])
			}
		}
	})
}

func TestService_SetAttributes_ActAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sqs.New(sqs.Options{})
		defer s.Close()
		url := must[string](t)(s.CreateQueue(t.Context(), "q", map[string]string{"VisibilityTimeout": "3600"}))
		if url != "http://sqs.us-east-1.amazonaws.com/000000000000/q" {
			t.Errorf("URL = %s, want AWS's, there is no host that was called", url)
		}
		must[string](t)(s.CreateQueue(t.Context(), "dlq", nil))
		_, httpClient := overProcess(t, s)
		client := newClient("http://sqs.test", httpClient)
		set := func(name, value string) {
			must[*awssqs.SetQueueAttributesOutput](t)(client.SetQueueAttributes(t.Context(), &awssqs.SetQueueAttributesInput{
				QueueUrl: aws.String("q"), Attributes: map[string]string{name: value},
			}))
		}
		send(t, s, "q", sqs.SendInput{Body: "hidden"})
		bodies(t, s, "q", receiveAll)
		send(t, s, "q", sqs.SendInput{Body: "received once"})
		m := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))[0]
		if err := s.ChangeVisibility(t.Context(), "q", m.ReceiptHandle, 0); err != nil {
			t.Fatal(err)
		}
		set("RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dlq","maxReceiveCount":1}`)
		if got := bodies(t, s, "q", receiveAll); got != nil {
			t.Errorf("received %v, want nothing: it was received as often as the new policy allows", got)
		}
		wantDepth(t, s, "dlq", sqs.Depth{Visible: 1})
		set("RedrivePolicy", "")
		set("MessageRetentionPeriod", "60")
		time.Sleep(time.Minute)
		wantDepth(t, s, "q", sqs.Depth{})
	})
}
