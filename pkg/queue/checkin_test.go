package queue_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	embedded "github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/claimcheck/claimtest"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
)

const megabyte = 1 << 20

// received takes what is on a queue, as it is.
func received(t *testing.T, q *queue.Queue) []queue.Received {
	t.Helper()
	messages, err := q.Receive(t.Context(), queue.MaxEntries, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

func TestQueue_Send_LargeEvent_GoesThroughTheBucket(t *testing.T) {
	t.Parallel()
	bucket := claimtest.NewServer(t)
	var count counted
	q := queuetest.Start(t, count.options()).Queue(t, "packs").WithBucket(bucket.Bucket())
	clear(count.calls)
	large := pack(t, "acme", 1, 5*megabyte)
	if err := q.Send(t.Context(), pack(t, "acme", 0, 1_000), large, pack(t, "acme", 2, 1_000)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"SendMessageBatch": 1}, count.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	claim := large.Message.Header.Claim
	if objects := bucket.Objects(); len(objects) != 1 || !bytes.Equal(objects[claim], large.Message.Events) {
		t.Errorf("bucket holds %d objects, %d bytes under %q, want one of %d", len(objects), len(objects[claim]), claim, len(large.Message.Events))
	}
	seen := 0
	for _, m := range received(t, q) {
		h, err := batch.ParseHeader(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		if h.Claim == "" {
			continue
		}
		seen++
		if h.Claim != claim || m.Events != nil {
			t.Errorf("message claims %q and carries %d bytes of events, want %q and none", h.Claim, len(m.Events), claim)
		}
	}
	if seen != 1 {
		t.Errorf("%d messages have a claim, want 1", seen)
	}
}

// Promise 1: what is not in the bucket must not be claimed by a message.
func TestQueue_Send_BucketAway_SendsTheOthersOnly(t *testing.T) {
	t.Parallel()
	large := []queue.Outgoing{pack(t, "acme", 1, 3*megabyte), pack(t, "acme", 3, 3*megabyte)}
	messages := []queue.Outgoing{pack(t, "acme", 0, 1_000), large[0], pack(t, "acme", 2, 1_000), large[1], pack(t, "acme", 4, 1_000)}
	away := claimtest.NewServer(t)
	away.Break(claimtest.Failure{Status: http.StatusForbidden, Code: "AccessDenied"})
	for _, row := range []struct {
		name   string
		bucket queue.Bucket
		says   string
	}{
		{"the bucket refuses", away.Bucket(), "AccessDenied"},
		{"there is none", nil, "has no bucket"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			q := queuetest.Start(t, embedded.Options{}).Queue(t, "packs")
			err := q.WithBucket(row.bucket).Send(t.Context(), messages...)
			failure, ok := err.(*queue.SendError) //nolint:errorlint // the type is promised
			if !ok || !strings.Contains(err.Error(), row.says) {
				t.Fatalf("got %v, want a *SendError that says %q", err, row.says)
			}
			if diff := cmp.Diff([]int{1, 3}, failure.Failed); diff != "" {
				t.Errorf("failed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"e000", "e002", "e004"}, ids(queuetest.Packs(t, q))); diff != "" {
				t.Errorf("on the queue (-want +got):\n%s", diff)
			}
		})
	}
}

// A message whose events are in the bucket already, as the caller knows, asks nobody to store them.
func TestQueue_Send_EventsInTheBucket_AreNotStoredAgain(t *testing.T) {
	t.Parallel()
	q := queuetest.Start(t, embedded.Options{}).Queue(t, "packs")
	large := pack(t, "acme", 1, 3*megabyte)
	large.Message.Events = nil
	if err := q.Send(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	if got := received(t, q); len(got) != 1 || string(got[0].Body) != large.Message.Body {
		t.Errorf("on the queue: %d messages, want the one", len(got))
	}
}
