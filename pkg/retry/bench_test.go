package retry_test

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
)

func BenchmarkPolicy_Next(b *testing.B) {
	in := retry.Input{Attempt: 7, Class: retry.Throttled, RetryAfter: time.Second, Remaining: time.Minute}
	for name, policy := range map[string]retry.Policy{"defaults": {}, "C3": retry.C3()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				policy.Next(in, nil)
			}
		})
	}
}

func BenchmarkParseRetryAfter(b *testing.B) {
	for name, header := range map[string]string{"seconds": "120", "date": "Sun, 06 Nov 1994 08:49:37 GMT"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				retry.ParseRetryAfter(header, now)
			}
		})
	}
}

func BenchmarkBudget_Allow(b *testing.B) {
	budget := newBudget(b, retry.BudgetOptions{})
	b.ReportAllocs()
	for b.Loop() {
		budget.Allow()
	}
}

//nolint:paralleltest // AllocsPerRun may not run beside parallel tests
func TestPolicy_Next_DoesNotAllocate(t *testing.T) {
	in := retry.Input{Attempt: 7, Class: retry.Throttled, RetryAfter: time.Second, Remaining: time.Minute}
	if got := testing.AllocsPerRun(100, func() { retry.Policy{}.Next(in, nil) }); got != 0 {
		t.Errorf("Next allocates %v times, want 0", got)
	}
}
