package replay

import "testing"

// TestPins_VendorNumbers keeps numbers that are not ours from being changed unnoticed; each says at its declaration where
// it comes from.
func TestPins_VendorNumbers(t *testing.T) {
	t.Parallel()
	const lambdaStopsLoopsAt, sqsInFlight = 16, 120_000
	if dollarsPerMillionRequests != 0.40 {
		t.Errorf("a million SQS requests cost %v, want 0.40", dollarsPerMillionRequests)
	}
	if maxContinuations >= lambdaStopsLoopsAt-1 {
		t.Errorf("%d continuations, Lambda stops the %dth invocation in a row", maxContinuations, lambdaStopsLoopsAt)
	}
	if maxHeld >= sqsInFlight {
		t.Errorf("a run holds %d letters, SQS allows %d in flight", maxHeld, sqsInFlight)
	}
}

func TestBill_CountsChunks(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ bytes, requests int }{{0, 1}, {1, 1}, {64 << 10, 1}, {64<<10 + 1, 2}, {1 << 20, 16}} {
		var b bill
		b.call(row.bytes)
		if b.requests != row.requests || b.calls != 1 {
			t.Errorf("a call of %d bytes is %d requests, want %d", row.bytes, b.requests, row.requests)
		}
	}
}
