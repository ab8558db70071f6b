package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
)

// brokenBucket fails in one way.
type brokenBucket struct{ err error }

func (b brokenBucket) Get(context.Context, string, int) ([]byte, error) { return nil, b.err }

// An audit took events for lost whose bucket did not answer.
func TestPackOf_TellsABucketThatIsAwayFromEventsThatAreGone(t *testing.T) {
	t.Parallel()
	packs, err := batch.Encode(refusedBy("warehouse", "transient", 503), []event.Event{{
		ID: "large", Source: "web", Type: "signup", Kind: "event", Data: []byte(noise()),
	}})
	if err != nil || packs[0].Header.Claim == "" {
		t.Fatalf("packs %+v, %v; want one in the bucket", packs, err)
	}
	message := &sqs.Message{Body: packs[0].Body}
	if _, err := packOf(t.Context(), brokenBucket{errors.New("away")}, message); err == nil {
		t.Error("a bucket that does not answer is no error")
	}
	got, err := packOf(t.Context(), brokenBucket{batch.ErrCorrupt}, message)
	if err != nil || got.Pack != packs[0].Header.ID || len(got.IDs) != 0 {
		t.Errorf("events that are gone: %+v, %v; want the pack without events", got, err)
	}
}

// The pages are served before everything that they tell is known, and a status asked too early met nil.
func TestCloud_WhenReady_HoldsPagesBack(t *testing.T) {
	t.Parallel()
	c := &cloud{ready: make(chan struct{})}
	served := make(chan struct{}, 1)
	page := c.whenReady(func(http.ResponseWriter, *http.Request) { served <- struct{}{} })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	page.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, booksPath, nil))
	if len(served) != 0 {
		t.Error("a page was served before all is ready")
	}
	close(c.ready)
	page.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, booksPath, nil))
	if len(served) != 1 {
		t.Error("a page was not served although all is ready")
	}
}
