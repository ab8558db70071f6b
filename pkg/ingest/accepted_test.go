package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ingest"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// acceptedIDs sets a handler up that tells of what it accepted.
func acceptedIDs(t *testing.T, w *httptest.ResponseRecorder) (b *bundle, ids *[]string) {
	t.Helper()
	ids = new([]string)
	b = setup(t, func(o *ingest.Options) {
		o.Accepted = func(_ context.Context, events []event.Event) {
			if w.Body.Len() > 0 {
				t.Error("the client was answered first")
			}
			for _, e := range events {
				*ids = append(*ids, e.Tenant+"/"+e.Source+"/"+e.ID)
			}
		}
	})
	return b, ids
}

func TestHandler_Accepted_IsToldWhatIsDurableBeforeTheReply(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	b, ids := acceptedIDs(t, w)
	b.queue.before = func() {
		if len(*ids) > 0 {
			t.Errorf("told of %v before they were on the queue", *ids)
		}
	}
	body := `{"id":"1","type":"a"}` + "\n" + `[7]` + "\n" + `{"id":"2","type":"b","source":"app"}`
	r := httptest.NewRequest(http.MethodPost, "/v1/ingest?key=phc_demo", strings.NewReader(body))
	b.handler.ServeHTTP(w, r)
	if want := []string{"acme/web/1", "acme/app/2"}; !slices.Equal(*ids, want) {
		t.Errorf("accepted %v, want %v (reply %s)", *ids, want, w.Body)
	}
}

func TestHandler_Accepted_IsNotToldWhatTheQueueDidNotTake(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	b, ids := acceptedIDs(t, w)
	b.queue.err = errors.New("throttled")
	b.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/ingest?key=phc_demo", strings.NewReader(`{"id":"1"}`)))
	if w.Code != http.StatusServiceUnavailable || len(*ids) > 0 {
		t.Errorf("reply %d, accepted %v; want 503 and none", w.Code, *ids)
	}
}

// BenchmarkHandler_Audited is BenchmarkHandler's generic request with and without the lines of accepted events, written to a
// pipe as Lambda's standard output is.
func BenchmarkHandler_Audited(b *testing.B) {
	read, write, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, read)
	}()
	body := genericBody(50)
	for name, accepted := range map[string]func(context.Context, []event.Event){"off": nil, "on": telemetry.AcceptedLog(write)} {
		b.Run(name, func(b *testing.B) {
			h := setup(b, func(o *ingest.Options) { o.Queue, o.Accepted = discard{}, accepted }).handler
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/v1/ingest?key="+webKey, bytes.NewReader(body))
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
	_ = write.Close()
	<-done
}
