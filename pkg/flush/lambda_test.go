package flush_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
	"github.com/millrace-dev/millrace/pkg/retry"
)

var _ lambda.Handler = (*flush.Handler)(nil)

// sqsEvent is what an event-source mapping sends, by AWS's own structs.
func sqsEvent(t testing.TB, messages ...queue.Received) []byte {
	t.Helper()
	var e events.SQSEvent
	for _, m := range messages {
		e.Records = append(e.Records, events.SQSMessage{
			MessageId: m.ID, ReceiptHandle: m.Receipt, Body: string(m.Body), EventSource: "aws:sqs", AWSRegion: "eu-west-1",
			Attributes: map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "1772359200120", "SenderId": "x"},
			MessageAttributes: map[string]events.SQSMessageAttribute{
				batch.AttributeName: {DataType: "Binary", BinaryValue: m.Events, StringListValues: []string{}, BinaryListValues: [][]byte{}},
				"other":             {DataType: "String", StringValue: new(string)},
			},
		})
	}
	payload, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func TestHandler_SQSEvent_DeliversAndAnswersAnEmptyList(t *testing.T) {
	t.Parallel()
	s := &scripted{}
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
	reported := false
	h := flush.Handler{Flusher: b.flusher, Source: &hiding{}, Report: func(context.Context) { reported = true }}
	reply, err := h.Invoke(t.Context(), sqsEvent(t, message(t, "m1", meta(), eventsNamed("ü", `quote"d`, "line\nbreak"))))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(reply); got != `{"batchItemFailures":[]}` {
		t.Errorf("reply %s: the list must be there and empty", got)
	}
	if diff := cmp.Diff([]string{"ü", `quote"d`, "line\nbreak"}, s.taken); diff != "" || !reported {
		t.Errorf("reported %v, delivered (-want +got):\n%s", reported, diff)
	}
}

func eventsNamed(ids ...string) []event.Event {
	es := orders(len(ids))
	for i, id := range ids {
		es[i].ID = id
	}
	return es
}

func TestHandler_FailedMessages_AreNamedByMessageID(t *testing.T) {
	t.Parallel()
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": {script: always(fails(retry.Permanent, 0), 9)}})
	b.letters.refuse = func(int) bool { return true }
	h := flush.Handler{Flusher: b.flusher, Source: &hiding{}}
	reply, err := h.Invoke(t.Context(), sqsEvent(t, message(t, "first", meta(), orders(1)), message(t, "second", meta(), orders(1))))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"batchItemFailures":[{"itemIdentifier":"first"},{"itemIdentifier":"second"}]}`
	if string(reply) != want {
		t.Errorf("reply %s, want %s", reply, want)
	}
}

func TestHandler_BadPayload_IsAnError(t *testing.T) {
	t.Parallel()
	b := setup(t, retry.Policy{}, map[string]*scripted{"http": {}})
	h := flush.Handler{Flusher: b.flusher, Source: &hiding{}}
	for name, payload := range map[string]string{
		"nothing":              ``,
		"not JSON":             `hello`,
		"another event":        `{"detail":{}}`,
		"drain switched off":   `{"drain":false}`,
		"records not a list":   `{"Records":{}}`,
		"a record without id":  `{"Records":[{"body":"x"}]}`,
		"a body not a string":  `{"Records":[{"messageId":"1","body":{}}]}`,
		"attributes cut short": `{"Records":[{"messageId":"1","messageAttributes":{"events":`,
		"broken base64":        `{"Records":[{"messageId":"1","messageAttributes":{"events":{"binaryValue":"%%"}}}]}`,
	} {
		if reply, err := h.Invoke(t.Context(), []byte(payload)); err == nil {
			t.Errorf("%s: answered %s; every message would be deleted", name, reply)
		}
	}
}

func FuzzHandler_Payload(f *testing.F) {
	packed, err := batch.Encode(meta(), orders(2))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sqsEvent(f, queue.Received{ID: "1", Body: []byte(packed[0].Body), Events: packed[0].Events}))
	f.Add([]byte(`{"Records":[{"messageId":"1","body":"x","messageAttributes":null}]}`))
	f.Add([]byte(`{"Records":[]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if strings.Contains(string(payload), "drain") {
			return // there is no queue here to drain
		}
		b := setup(t, retry.Policy{}, map[string]*scripted{"http": {}})
		reply, err := (&flush.Handler{Flusher: b.flusher, Source: &hiding{}}).Invoke(t.Context(), payload)
		if err == nil && !strings.HasPrefix(string(reply), `{"batchItemFailures":[`) {
			t.Fatalf("reply %s", reply)
		}
	})
}

// drained is a flusher between two real queues.
func drained(t *testing.T, s *scripted) (*flush.Flusher, *queue.Queue, *queue.Queue) {
	t.Helper()
	server := queuetest.Start(t, sqs.Options{})
	main, letters := server.Queue(t, "main"), server.Queue(t, "letters")
	f, err := flush.New(flush.Options{
		Targets: map[string]flush.Target{"http": {Sink: s}}, Router: toAll{"http"}, Queue: main, DeadLetters: letters, Logger: discard(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f, main, letters
}

func send(t *testing.T, q *queue.Queue, id string, n int) {
	t.Helper()
	es := orders(n)
	for i := range es {
		es[i].ID = fmt.Sprintf("%s-%d", id, i)
	}
	packed, err := batch.Encode(meta(), es)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Send(t.Context(), queue.Outgoing{Message: packed[0]}); err != nil {
		t.Fatal(err)
	}
}

func TestHandler_Drain_EmptiesTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: []step{refuses("pack3-0")}}
		f, main, letters := drained(t, s)
		for i := range 25 {
			send(t, main, fmt.Sprintf("pack%d", i), 4)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		reply, err := (&flush.Handler{Flusher: f, Source: main}).Invoke(ctx, []byte(`{"drain":true}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(reply); got != `{"messages":25,"back":0,"empty":true}` {
			t.Errorf("reply %s", got)
		}
		if len(s.taken) != 99 || len(s.attempts) != 1 {
			t.Errorf("%d requests delivered %d events, want one with 99", len(s.attempts), len(s.taken))
		}
		if depth, err := main.Depth(t.Context()); err != nil || depth.Total() != 0 {
			t.Errorf("the queue holds %+v (%v)", depth, err)
		}
		if packs := queuetest.Packs(t, letters); len(packs) != 1 || packs[0].Events[0].ID != "pack3-0" {
			t.Errorf("letters %+v", packs)
		}
	})
}

func TestHandler_Drain_StopsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: []step{hangs}}
		f, main, _ := drained(t, s)
		send(t, main, "pack", 4)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		done, err := f.Drain(ctx, main)
		if err != nil {
			t.Fatal(err)
		}
		if done.Empty || done.Messages != 1 || ctx.Err() != nil {
			t.Errorf("drained %+v, context %v; want one message settled before the deadline", done, ctx.Err())
		}
		if depth, err := main.Depth(t.Context()); err != nil || depth.Total() != 1 {
			t.Errorf("the queue holds %+v (%v), want the residue", depth, err)
		}
	})
}
