package telemetry

import (
	"context"
	"io"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/millrace-dev/millrace/pkg/ledger"
)

// Books is where counts are taken from: a *ledger.Ledger.
type Books interface {
	// Take returns what was counted since it was last called.
	Take() []ledger.Entry
}

// Reporter returns a function that writes what was counted since its last call to w, in
// one write of metric lines (see the package documentation). Call it at the end of each
// invocation with its context. It is safe for concurrent use if w is; of invocations at
// the same time, the first to end reports for the others too, and sums stay right.
func Reporter(w io.Writer, books Books) func(context.Context) {
	return func(ctx context.Context) {
		lines := AppendEMF(nil, time.Now(), requestID(ctx), books.Take())
		if len(lines) == 0 {
			return
		}
		// Counters are the overview, not the proof; events must not wait or fail for them.
		_, _ = w.Write(lines)
	}
}

// requestID returns the id of the Lambda invocation, empty outside of one.
func requestID(ctx context.Context) string {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		return invocation.AwsRequestID
	}
	return ""
}
