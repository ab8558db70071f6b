package ingest_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/claimcheck/claimtest"
	"github.com/millrace-dev/millrace/pkg/ingest"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
)

// noise is hex of n bytes in all that a pack can at most halve.
func noise(n int) string {
	random := make([]byte, n/2)
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}

// withBucket lets a handler send to a real queue, and events over its messages to a bucket.
func withBucket(t *testing.T, s3 *claimtest.Server) (b *bundle, main *queue.Queue) {
	t.Helper()
	main = queuetest.Start(t, sqs.Options{}).Queue(t, "packs").WithBucket(s3.Bucket())
	return setup(t, func(o *ingest.Options) {
		o.Queue, o.MaxEventBytes = main, s3.Bucket().MaxEventBytes()
	}), main
}

func TestHandler_LargeEvent_WithBucket_IsAcceptedWhole(t *testing.T) {
	t.Parallel()
	s3 := claimtest.NewServer(t)
	b, main := withBucket(t, s3)
	large := `{"id":"large","x":"` + noise(3<<20) + `"}`
	resp := b.post("/v1/ingest", `[{"id":"a"},{"id":"b"},`+large+`,{"id":"c"}]`, "Authorization: Bearer "+webKey)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", resp.StatusCode, text(t, resp))
	}
	messages, err := main.Receive(t.Context(), queue.MaxEntries, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	sizes := make(map[string]int) // events of each message, by claimed or not
	for _, m := range messages {
		h, err := batch.ParseHeader(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		if h.Claim == "" {
			sizes["in the message, "+strconv.Itoa(h.Count)]++
			continue
		}
		sizes["in the bucket, "+strconv.Itoa(h.Count)]++
		p, err := batch.Decode(m.Body, s3.Objects()[h.Claim])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(p.Events[0].Data, []byte(large)) {
			t.Errorf("the bucket holds %d other bytes than the %d that were sent", len(p.Events[0].Data), len(large))
		}
	}
	want := map[string]int{"in the message, 2": 1, "in the bucket, 1": 1, "in the message, 1": 1}
	if diff := cmp.Diff(want, sizes); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// Promise 1: an event whose bytes are nowhere is not answered with 2xx.
func TestHandler_LargeEvent_BucketAway_Is503(t *testing.T) {
	t.Parallel()
	s3 := claimtest.NewServer(t)
	b, _ := withBucket(t, s3)
	s3.Break(claimtest.Failure{Status: http.StatusForbidden, Code: "AccessDenied"})
	body := `[{"id":"large","x":"` + noise(3<<20) + `"}]`
	resp := b.post("/v1/ingest", body, "Authorization: Bearer "+webKey)
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q, want 503 with one", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	if log := b.log.String(); !strings.Contains(log, "AccessDenied") {
		t.Errorf("the log does not say why: %.300s", log)
	}
	s3.Heal()
	if resp := b.post("/v1/ingest", body, "Authorization: Bearer "+webKey); resp.StatusCode != http.StatusOK {
		t.Errorf("the same request later: status %d, want 200", resp.StatusCode)
	}
}

func TestHandler_EventOverTheLargeLimit_NamesIt(t *testing.T) {
	t.Parallel()
	b, _ := withBucket(t, claimtest.NewServer(t))
	for name, event := range map[string]string{
		"the JSON":        `{"id":"a","x":"` + strings.Repeat("x", batch.MaxLargeEventBytes) + `"}`,
		"with its fields": `{"id":"` + strings.Repeat("x", batch.MaxLargeEventBytes-100) + `"}`,
	} {
		resp := b.post("/v1/ingest", `[`+event+`,{"id":"b"}]`, "Authorization: Bearer "+webKey)
		if answer := text(t, resp); resp.StatusCode != http.StatusOK || !strings.Contains(answer, "over the limit of 6291456 bytes for one event") {
			t.Errorf("%s: status %d, %.300s, want the limit named", name, resp.StatusCode, answer)
		}
	}
}

func TestHandler_LargeRefusedItem_WithBucket_IsKeptWhole(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *ingest.Options) { o.MaxEventBytes = batch.MaxLargeEventBytes })
	item := `{"event":1,"x":"` + noise(2<<20) + `"}`
	resp := b.post("/batch", `{"api_key":"phc_demo","batch":[`+item+`,{"event":"ok","distinct_id":"u"}]}`)
	letters := b.letters.events(t)
	if resp.StatusCode != http.StatusOK || len(letters) != 1 {
		t.Fatalf("status %d, %d letters, want 200, 1", resp.StatusCode, len(letters))
	}
	if string(letters[0].Data) != item {
		t.Errorf("letter keeps %d bytes, want the item's %d", len(letters[0].Data), len(item))
	}
}
