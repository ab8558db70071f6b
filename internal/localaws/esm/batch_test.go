package esm

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// TestBatch_FillThenRestIsIdentity cuts random messages into batches: each event is JSON within 6 MB, and together they hold
// every message once and in order.
func TestBatch_FillThenRestIsIdentity(t *testing.T) {
	t.Parallel()
	large := strings.Repeat(`"`, 1<<20) // doubles when it is quoted
	for seed := range uint64(8) {       // rapid's hundred rounds of megabytes would take half a minute
		whim := rand.New(rand.NewPCG(seed, 2))
		sizes := make([]int, 1+whim.IntN(12))
		for i := range sizes {
			sizes[i] = []int{1, 1000, 1 << 18, 1 << 20}[whim.IntN(4)]
		}
		rest := make([]record, len(sizes))
		var want, got []string
		for i, size := range sizes {
			rest[i] = newRecord(sqs.Message{ID: fmt.Sprint(i), ReceiptHandle: "h", Body: large[:size]}, Options{})
			want = append(want, rest[i].id)
		}
		for len(rest) > 0 {
			var b batch
			rest = b.fill(rest)
			event := b.event()
			var decoded struct{ Records []struct{ MessageID string } }
			if err := json.Unmarshal(event, &decoded); err != nil {
				t.Fatal(err)
			}
			if len(event) > MaxBatchBytes || len(decoded.Records) != len(b.records) {
				t.Fatalf("event of %d bytes with %d records, want %d", len(event), len(decoded.Records), len(b.records))
			}
			for _, record := range decoded.Records {
				got = append(got, record.MessageID)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: messages (-want +got):\n%s", seed, diff)
		}
	}
}
