package retry_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// always returns a source of randomness that gives the same number for ever.
func always(part float64) func() float64 { return func() float64 { return part } }

func TestPolicy_Next_Table(t *testing.T) {
	t.Parallel()
	exact := retry.Policy{Jitter: retry.NoJitter}
	far := time.Hour
	for _, row := range []struct {
		name   string
		policy retry.Policy
		in     retry.Input
		part   float64 // what the randomness gives
		want   retry.Decision
	}{
		{
			"the first failure waits up to the initial delay", retry.Policy{},
			retry.Input{Attempt: 1, Class: retry.Transient, Remaining: far}, 0.5,
			retry.Decision{Action: retry.Sleep, Delay: 100 * time.Millisecond, Reason: retry.ReasonBackoff},
		},
		{
			"full jitter may wait nothing at all", retry.Policy{},
			retry.Input{Attempt: 5, Class: retry.Transient, Remaining: far}, 0,
			retry.Decision{Action: retry.Sleep, Delay: 0, Reason: retry.ReasonBackoff},
		},
		{
			"jitter is still there at the cap", retry.Policy{},
			retry.Input{Attempt: 11, Class: retry.Transient, Remaining: far}, 0.1,
			retry.Decision{Action: retry.Sleep, Delay: 3 * time.Second, Reason: retry.ReasonBackoff},
		},
		{
			"an attempt of 0 counts as the first", exact,
			retry.Input{Attempt: 0, Class: retry.Transient, Remaining: far}, 0,
			retry.Decision{Action: retry.Sleep, Delay: 200 * time.Millisecond, Reason: retry.ReasonBackoff},
		},
		{
			"a short Retry-After is a floor, with the jitter on top", retry.Policy{},
			retry.Input{Attempt: 1, Class: retry.Throttled, RetryAfter: 2 * time.Second, Remaining: far}, 0.5,
			retry.Decision{Action: retry.Sleep, Delay: 2100 * time.Millisecond, Reason: retry.ReasonRetryAfter},
		},
		{
			"without jitter Retry-After is waited exactly", exact,
			retry.Input{Attempt: 1, Class: retry.Throttled, RetryAfter: 2 * time.Second, Remaining: far}, 0.5,
			retry.Decision{Action: retry.Sleep, Delay: 2 * time.Second, Reason: retry.ReasonRetryAfter},
		},
		{
			"a Retry-After below the backoff does not shorten it", exact,
			retry.Input{Attempt: 5, Class: retry.Throttled, RetryAfter: time.Second, Remaining: far}, 0,
			retry.Decision{Action: retry.Sleep, Delay: 3200 * time.Millisecond, Reason: retry.ReasonRetryAfter},
		},
		{
			"a Retry-After above the inline wait is deferred", exact,
			retry.Input{Attempt: 1, Class: retry.Throttled, RetryAfter: 20 * time.Second, Remaining: far}, 0,
			retry.Decision{Action: retry.Defer, Delay: 20 * time.Second, Reason: retry.ReasonLongWait},
		},
		{
			"an absurd Retry-After is cut to what SQS can delay, jitter included", retry.Policy{},
			retry.Input{Attempt: 9, Class: retry.Throttled, RetryAfter: math.MaxInt64, Remaining: far}, 1,
			retry.Decision{Action: retry.Defer, Delay: 15 * time.Minute, Reason: retry.ReasonLongWait},
		},
		{
			"a small cap on Retry-After does not shorten the backoff", retry.Policy{MaxRetryAfter: time.Second},
			retry.Input{Attempt: 11, Class: retry.Throttled, RetryAfter: time.Minute, Remaining: far}, 1,
			retry.Decision{Action: retry.Defer, Delay: 30 * time.Second, Reason: retry.ReasonLongWait},
		},
		{
			"a negative Retry-After is nothing", exact,
			retry.Input{Attempt: 1, Class: retry.Throttled, RetryAfter: math.MinInt64, Remaining: far}, 0,
			retry.Decision{Action: retry.Sleep, Delay: 200 * time.Millisecond, Reason: retry.ReasonBackoff},
		},
		{
			"a wait of just the inline limit is slept", retry.Policy{InitialDelay: 5 * time.Second, Jitter: retry.NoJitter},
			retry.Input{Attempt: 1, Class: retry.Transient, Remaining: far}, 0,
			retry.Decision{Action: retry.Sleep, Delay: 5 * time.Second, Reason: retry.ReasonBackoff},
		},
		{
			"a long backoff is deferred", exact,
			retry.Input{Attempt: 6, Class: retry.Transient, Remaining: far}, 0,
			retry.Decision{Action: retry.Defer, Delay: 6400 * time.Millisecond, Reason: retry.ReasonLongWait},
		},
		{
			"a wait that ends at the deadline is deferred", exact,
			retry.Input{Attempt: 1, Class: retry.Transient, Remaining: 200 * time.Millisecond}, 0,
			retry.Decision{Action: retry.Defer, Delay: 200 * time.Millisecond, Reason: retry.ReasonDeadline},
		},
		{
			"no time left defers even a wait of nothing", retry.Policy{},
			retry.Input{Attempt: 1, Class: retry.Transient, Remaining: 0}, 0,
			retry.Decision{Action: retry.Defer, Delay: 0, Reason: retry.ReasonDeadline},
		},
		{
			"an overrun deadline defers", exact,
			retry.Input{Attempt: 1, Class: retry.Transient, Remaining: -time.Second}, 0,
			retry.Decision{Action: retry.Defer, Delay: 200 * time.Millisecond, Reason: retry.ReasonDeadline},
		},
		{
			"permanent is a dead letter on the first attempt", exact,
			retry.Input{Attempt: 1, Class: retry.Permanent, RetryAfter: time.Second, Remaining: far}, 0,
			retry.Decision{Action: retry.DeadLetter, Reason: retry.ReasonPermanent},
		},
		{
			"too large is a dead letter, the caller has split before", exact,
			retry.Input{Attempt: 1, Class: retry.TooLarge, Remaining: far}, 0,
			retry.Decision{Action: retry.DeadLetter, Reason: retry.ReasonTooLarge},
		},
		{
			"the last attempt used up is a dead letter", exact,
			retry.Input{Attempt: 12, Class: retry.Transient, Remaining: far}, 0,
			retry.Decision{Action: retry.DeadLetter, Reason: retry.ReasonAttempts},
		},
		{
			"an age used up is a dead letter", exact,
			retry.Input{Attempt: 2, Class: retry.Throttled, Elapsed: 24 * time.Hour, Remaining: far}, 0,
			retry.Decision{Action: retry.DeadLetter, Reason: retry.ReasonAge},
		},
		{
			"a clock set back is no age", exact,
			retry.Input{Attempt: 1, Class: retry.Transient, Elapsed: -time.Hour, Remaining: far}, 0,
			retry.Decision{Action: retry.Sleep, Delay: 200 * time.Millisecond, Reason: retry.ReasonBackoff},
		},
		{
			"setup keeps the events whatever attempts and age", exact,
			retry.Input{Attempt: 99, Class: retry.Setup, Elapsed: 99 * time.Hour, Remaining: far}, 0,
			retry.Decision{Action: retry.Defer, Delay: 30 * time.Second, Reason: retry.ReasonSetup},
		},
		{
			"setup waits longer if the server asked", exact,
			retry.Input{Attempt: 1, Class: retry.Setup, RetryAfter: time.Minute, Remaining: far}, 0,
			retry.Decision{Action: retry.Defer, Delay: time.Minute, Reason: retry.ReasonSetup},
		},
		{
			"cancelled is deferred at once and burns no attempt", exact,
			retry.Input{Attempt: 99, Class: retry.Cancelled, Elapsed: 99 * time.Hour}, 0,
			retry.Decision{Action: retry.Defer, Delay: 0, Reason: retry.ReasonCancelled},
		},
		{
			"an unknown class is treated as transient", exact,
			retry.Input{Attempt: 2, Class: "teapot", Remaining: far}, 0,
			retry.Decision{Action: retry.Sleep, Delay: 400 * time.Millisecond, Reason: retry.ReasonBackoff},
		},
		{
			"attempts without end stay at the cap", retry.Policy{Jitter: retry.NoJitter, MaxAttempts: math.MaxInt},
			retry.Input{Attempt: math.MaxInt - 1, Class: retry.Transient, Remaining: far}, 0,
			retry.Decision{Action: retry.Defer, Delay: 30 * time.Second, Reason: retry.ReasonLongWait},
		},
		{
			"the largest backoff does not overflow",
			retry.Policy{InitialDelay: math.MaxInt64, MaxDelay: math.MaxInt64},
			retry.Input{Attempt: 2, Class: retry.Transient, Remaining: retry.NoDeadline}, 1,
			retry.Decision{Action: retry.Defer, Delay: math.MaxInt64, Reason: retry.ReasonLongWait},
		},
		{
			"the largest delays do not overflow",
			retry.Policy{InitialDelay: math.MaxInt64, MaxDelay: math.MaxInt64, MaxRetryAfter: math.MaxInt64},
			retry.Input{Attempt: 2, Class: retry.Throttled, RetryAfter: math.MaxInt64, Remaining: retry.NoDeadline}, 1,
			retry.Decision{Action: retry.Defer, Delay: math.MaxInt64, Reason: retry.ReasonLongWait},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := row.policy.Next(row.in, always(row.part))
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("Next(%+v) (-want +got):\n%s", row.in, diff)
			}
		})
	}
}

func TestPolicy_Next_BadRandomness(t *testing.T) {
	t.Parallel()
	in := retry.Input{Attempt: 1, Class: retry.Transient, Remaining: time.Hour}
	for part, want := range map[float64]time.Duration{
		-1: 0, math.Inf(-1): 0, 1: 200 * time.Millisecond, 7: 200 * time.Millisecond, math.Inf(1): 200 * time.Millisecond,
	} {
		if got := (retry.Policy{}).Next(in, always(part)).Delay; got != want {
			t.Errorf("Next with rnd %v waits %s, want %s", part, got, want)
		}
	}
	if got := (retry.Policy{}).Next(in, always(math.NaN())).Delay; got != 0 {
		t.Errorf("Next with rnd NaN waits %s, want 0s", got)
	}
}

func TestPolicy_Next_OwnRandomnessSpreads(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	for range 1000 {
		d := retry.Policy{}.Next(retry.Input{Attempt: 1, Class: retry.Transient, Remaining: time.Hour}, nil)
		if d.Delay < 0 || d.Delay > 200*time.Millisecond {
			t.Fatalf("Next waits %s, want between 0s and 200ms", d.Delay)
		}
		seen[d.Delay] = true
	}
	if len(seen) < 900 { // of 2*10^8 possible waits
		t.Errorf("1000 failures got %d different waits, want nearly 1000", len(seen))
	}
}

func TestDecision_String(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]retry.Decision{
		"sleep 200ms (backoff)":  {Action: retry.Sleep, Delay: 200 * time.Millisecond, Reason: retry.ReasonBackoff},
		"defer 20s (long-wait)":  {Action: retry.Defer, Delay: 20 * time.Second, Reason: retry.ReasonLongWait},
		"dead-letter (attempts)": {Action: retry.DeadLetter, Reason: retry.ReasonAttempts},
	} {
		if got := d.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

func TestReason_Text_EveryReasonHasItsOwn(t *testing.T) {
	t.Parallel()
	texts := map[string]retry.Reason{}
	for _, reason := range []retry.Reason{
		retry.ReasonBackoff, retry.ReasonRetryAfter,
		retry.ReasonLongWait, retry.ReasonDeadline, retry.ReasonCancelled, retry.ReasonSetup, retry.ReasonBudget,
		retry.ReasonPermanent, retry.ReasonTooLarge, retry.ReasonAttempts, retry.ReasonAge,
	} {
		text := reason.Text()
		if other, taken := texts[text]; taken || text == string(reason) {
			t.Errorf("Reason(%q).Text() = %q, also of %q", reason, text, other)
		}
		texts[text] = reason
	}
	if got := retry.Reason("new").Text(); got != "new" {
		t.Errorf(`Reason("new").Text() = %q, want the word itself`, got)
	}
}
