package sinktest_test

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
	"github.com/millrace-dev/millrace/pkg/sink/record"
	"github.com/millrace-dev/millrace/pkg/sink/sinktest"
)

// BulkSink is a worked sink: it posts records to an API that answers for each of them,
// {"items":[{"id":"…","status":200},{"id":"…","status":429,"message":"…"}]}.
type BulkSink struct{ sender *httpsend.Sender }

// NewBulkSink returns a sink for the API at a destination.
func NewBulkSink(o httpsend.Options) (*BulkSink, error) {
	o.ContentType, o.Compression, o.Reply = "application/x-ndjson", httpsend.Gzip, httpsend.ReadReply
	sender, err := httpsend.New(o)
	if err != nil {
		return nil, fmt.Errorf("bulk sink: %w", err)
	}
	return &BulkSink{sender}, nil
}

// Limits are those that the API documents.
func (s *BulkSink) Limits() batch.Limits {
	return batch.Limits{MaxEvents: 1000, MaxBytes: 1 << 20, Size: record.Size}
}

// Send posts the batch once and reads the results.
func (s *BulkSink) Send(ctx context.Context, b sink.Batch) (sink.Result, error) {
	reply, err := s.sender.Send(ctx, httpsend.Request{
		Key:    b.Key,
		Append: func(dst []byte) []byte { return record.AppendLines(dst, b.Events) },
	})
	if err != nil {
		return sink.Result{}, err // refused as a whole: a *sink.Failure says how
	}
	items := readItems(reply.Body)
	if len(items) == 0 {
		return sink.Result{}, nil // the status said 2xx, and nothing contradicts it
	}
	return s.match(b.Events, items), nil
}

type item struct {
	ID      string `json:"id"`
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// readItems returns nothing for a body that cannot be read.
func readItems(body []byte) []item {
	var results struct {
		Items []item `json:"items"`
	}
	if err := json.Unmarshal(body, &results); err != nil {
		return nil
	}
	return results.Items
}

// match carries the results back to the events. One that has none is tried again.
func (s *BulkSink) match(events []event.Event, items []item) sink.Result {
	byID := make(map[string]sink.Outcome, len(items))
	for _, i := range items {
		byID[i.ID] = s.outcome(i)
	}
	outcomes := make([]sink.Outcome, len(events))
	for i := range events {
		outcome, ok := byID[events[i].ID]
		if !ok {
			outcome = sink.Outcome{Verdict: sink.Retry, Class: retry.Transient, Cause: "the reply has no result for this event"}
		}
		outcomes[i] = outcome
	}
	return sink.Result{Outcomes: outcomes}
}

func (s *BulkSink) outcome(i item) sink.Outcome {
	o := sink.Outcome{Verdict: sink.Retry, Status: i.Status, Cause: s.sender.Excerpt(fmt.Appendf(nil, "status %d %s", i.Status, i.Message))}
	switch {
	case i.Status < 300:
		return sink.Outcome{}
	case i.Status == 429:
		o.Class = retry.Throttled
	case i.Status >= 500:
		o.Class = retry.Transient
	default:
		o.Verdict, o.Class = sink.Rejected, retry.Permanent
	}
	return o
}

// Close lets go of idle connections.
func (s *BulkSink) Close() error { return s.sender.Close() }

// A sink with results per item, sending three events of which the API takes one.
func Example() {
	results := sinktest.Step{Body: `{"items":[{"id":"a","status":200},{"id":"b","status":429},{"id":"c","status":400,"message":"no plan"}]}`}
	server, stop := sinktest.StartServer(sinktest.ServerOptions{Script: []sinktest.Step{results}})
	defer stop()
	bulk, err := NewBulkSink(httpsend.Options{URL: server.Destination().URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bulk.Close()

	b := sinktest.NewBatch(event.Event{ID: "a"}, event.Event{ID: "b"}, event.Event{ID: "c"})
	result, err := bulk.Send(context.Background(), b)
	for i := range b.Events {
		o := result.Of(i)
		fmt.Printf("%s: %s %q\n", b.Events[i].ID, o.Verdict, o.Cause)
	}
	fmt.Println(err)
	// Output:
	// a: delivered ""
	// b: retry "status 429"
	// c: rejected "status 400 no plan"
	// <nil>
}
