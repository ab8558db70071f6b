package flush_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	kgzip "github.com/klauspost/compress/gzip"

	"github.com/millrace-dev/millrace/internal/samples"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/httpsink"
)

const (
	benchPacks  = 10
	benchEvents = 50
)

// benchMessages are packs of realistic events of about 1 KB.
func benchMessages(b *testing.B, packs int) (messages []queue.Received, bytes int64) {
	b.Helper()
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for i := range packs {
		es := make([]event.Event, benchEvents)
		for k := range es {
			s, err := samples.PostHog(i*benchEvents+k, at)
			if err != nil {
				b.Fatal(err)
			}
			es[k] = event.Event{
				ID: s.ID, Source: "web", Type: "page_viewed", Subject: "user-7", Kind: "event", Time: at, Tenant: "acme", Receiver: "posthog", Data: s.JSON,
			}
			bytes += int64(len(s.JSON))
		}
		packed, err := batch.Encode(meta(), es)
		if err != nil {
			b.Fatal(err)
		}
		messages = append(messages, queue.Received{ID: fmt.Sprint(i), Body: []byte(packed[0].Body), Events: packed[0].Events})
	}
	return messages, bytes
}

func benchFlusher(b *testing.B, s sink.Sink, names ...string) *flush.Flusher {
	b.Helper()
	targets := make(map[string]flush.Target)
	for _, name := range names {
		targets[name] = flush.Target{Sink: s}
	}
	f, err := flush.New(flush.Options{Targets: targets, Router: toAll(names), Queue: &box{}, DeadLetters: &box{}, Logger: discard(), Dedup: forgetful(b)})
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// reader is a destination that reads what it gets.
func reader(b *testing.B) string {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(server.Close)
	return server.URL
}

func benchHTTPSink(b *testing.B) *httpsink.Sink {
	b.Helper()
	s, err := httpsink.New(httpsink.Options{Name: "http", URL: reader(b)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func invoke(b *testing.B, h *flush.Handler, payload []byte) {
	b.Helper()
	reply, err := h.Invoke(context.Background(), payload)
	if err != nil || string(reply) != `{"batchItemFailures":[]}` {
		b.Fatalf("%s, %v", reply, err)
	}
}

// The whole flush of an SQS event: unpack, route, batch, encode, gzip 1, one HTTP request.
func BenchmarkFlush_10PacksTo1HTTPSink(b *testing.B) {
	messages, bytes := benchMessages(b, benchPacks)
	payload := sqsEvent(b, messages...)
	h := &flush.Handler{Flusher: benchFlusher(b, benchHTTPSink(b), "http")}
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		invoke(b, h, payload)
	}
}

// The least that any flush must do with the same payload: scan it, decompress, write
// the events' bytes as lines, gzip 1, one HTTP request.
func BenchmarkFlush_Floor_10Packs(b *testing.B) {
	messages, bytes := benchMessages(b, benchPacks)
	payload := sqsEvent(b, messages...)
	url := reader(b)
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		floor(b, payload, url)
	}
}

func floor(b *testing.B, payload []byte, url string) {
	b.Helper()
	var body bytes.Buffer
	zip, err := kgzip.NewWriterLevel(&body, gzip.BestSpeed)
	if err != nil {
		b.Fatal(err)
	}
	err = flush.ScanForBenchmark(payload, func(m queue.Received) error {
		p, err := batch.Decode(m.Body, m.Events)
		if err != nil {
			return err
		}
		for i := range p.Events {
			if _, err := zip.Write(append(p.Events[i].Data, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		b.Fatal(err)
	}
	response, err := http.Post(url, "application/x-ndjson", &body) //nolint:noctx // a benchmark's floor
	if err != nil {
		b.Fatal(err)
	}
	_ = response.Body.Close()
}

// Flush of 200 packs to three sinks that take everything: our own work alone.
func BenchmarkFlush_200PacksTo3Sinks(b *testing.B) {
	messages, bytes := benchMessages(b, 200)
	f := benchFlusher(b, taker{}, "one", "two", "three")
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		if back := f.Flush(context.Background(), messages); len(back) != 0 {
			b.Fatalf("back %v", back)
		}
	}
}

// taker delivers at once.
type taker struct{}

func (taker) Limits() batch.Limits { return batch.Limits{MaxEvents: 500, MaxBytes: 1 << 20} }

func (taker) Send(context.Context, sink.Batch) (sink.Result, error) { return sink.Result{}, nil }
