package telemetry_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

func TestReporter_TakesWhatWasCounted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	books := ledger.New()
	report := telemetry.Reporter(&out, books)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "req-7"})

	books.Add(ledger.Key{Counter: ledger.Delivered, Sink: "http"}, 3)
	report(ctx)
	report(ctx)
	if lines := strings.Count(out.String(), "\n"); lines != 1 || !strings.Contains(out.String(), `"requestId":"req-7","sink":"http","delivered":3}`) {
		t.Errorf("two reports of one count wrote %d lines, want 1:\n%s", lines, out.String())
	}
}

// wholeWrites checks that lines come in whole writes, as a shared standard output needs.
type wholeWrites struct {
	telemetry.Totals

	t *testing.T
}

func (w *wholeWrites) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(p, []byte("{")) || !bytes.HasSuffix(p, []byte("}\n")) {
		w.t.Errorf("a write of a part of a line: %q", p)
	}
	return w.Totals.Write(p)
}

func TestReporter_InvocationsAtOnce_LoseNothing(t *testing.T) {
	t.Parallel()
	books, out := ledger.New(), &wholeWrites{t: t}
	report := telemetry.Reporter(out, books)
	key := ledger.Key{Counter: ledger.Accepted, Receiver: "generic", Tenant: "acme"}
	var invocations sync.WaitGroup
	for range 50 {
		invocations.Go(func() {
			books.Add(key, 1)
			report(t.Context())
		})
	}
	invocations.Wait()
	if diff := cmp.Diff([]ledger.Entry{{Key: key, Count: 50}}, out.Entries()); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
}
