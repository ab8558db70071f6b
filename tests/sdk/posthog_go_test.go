package sdk

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/posthog/posthog-go"
)

// outcomes counts what the SDK reports of its own events.
type outcomes struct{ sent, failed atomic.Int64 }

func (o *outcomes) Success(posthog.APIMessage)        { o.sent.Add(1) }
func (o *outcomes) Failure(posthog.APIMessage, error) { o.failed.Add(1) }

func TestPostHogGo_EveryEventArrives(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		compression posthog.CompressionMode
	}{
		{"as it comes", posthog.CompressionNone},
		{"with gzip", posthog.CompressionGzip},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			var told outcomes
			client, err := posthog.NewWithConfig(key, posthog.Config{Endpoint: s.API, Compression: test.compression, Callback: &told})
			if err != nil {
				t.Fatal(err)
			}
			ids := make([]string, events)
			for i := range ids {
				ids[i] = uuid.NewString()
				capture := posthog.Capture{
					Uuid: ids[i], DistinctId: fmt.Sprintf("user-%d", i%100), Event: "order placed",
					Properties: posthog.NewProperties().Set("amount", i).Set("city", "Zürich"),
				}
				if err := client.Enqueue(capture); err != nil {
					t.Fatal(err)
				}
			}
			if err := client.Close(); err != nil {
				t.Fatal(err)
			}
			if sent, failed := told.sent.Load(), told.failed.Load(); sent != events || failed != 0 {
				t.Errorf("the SDK says that it sent %d and failed with %d, want %d and 0", sent, failed, events)
			}
			s.wantExactly(t, ids)
		})
	}
}
