package batch_test

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/samples"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
)

// shopEvents are n realistic events padded to about 1 KB each.
func shopEvents(tb testing.TB, n int) (events []event.Event, bytes int64) {
	tb.Helper()
	for i := range n {
		s, err := samples.PostHog(i, time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
		if err != nil {
			tb.Fatal(err)
		}
		events = append(events, event.Event{
			ID: s.ID, Source: "web", Type: "page_viewed", Subject: "user-7", Kind: "event", Tenant: "acme", Receiver: "posthog", Data: s.JSON,
		})
		bytes += int64(len(s.JSON))
	}
	return events, bytes
}

func BenchmarkEncode_50Events(b *testing.B) {
	events, bytes := shopEvents(b, 50)
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := batch.Encode(meta(), events); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode_50Events(b *testing.B) {
	events, bytes := shopEvents(b, 50)
	messages, err := batch.Encode(meta(), events)
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(messages[0].Body)
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := batch.Decode(body, messages[0].Events); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGroup_10000Events(b *testing.B) {
	events, bytes := shopEvents(b, 10_000)
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		batch.Group(events, batch.Limits{MaxEvents: 500, MaxBytes: 1 << 20})
	}
}
