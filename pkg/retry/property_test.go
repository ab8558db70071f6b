package retry_test

import (
	"math"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
	"pgregory.net/rapid"
)

var classes = []retry.Class{
	retry.Transient, retry.Throttled, retry.TooLarge, retry.Permanent, retry.Setup, retry.Cancelled, "", "teapot",
}

// durations draws from all durations, half of the time from those that occur.
func durations() *rapid.Generator[time.Duration] {
	return rapid.OneOf(
		rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.Int64().Draw(t, "any")) }),
		rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "usual"))
		}),
	)
}

func floats() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 10),
		rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}))
}

func attempts() *rapid.Generator[int] {
	return rapid.OneOf(rapid.Int(), rapid.IntRange(0, 20))
}

// policies draws any policy, most of them such that Validate refuses.
func policies() *rapid.Generator[retry.Policy] {
	return rapid.Custom(func(t *rapid.T) retry.Policy {
		return retry.Policy{
			InitialDelay:  durations().Draw(t, "initial"),
			MaxDelay:      durations().Draw(t, "max"),
			Multiplier:    floats().Draw(t, "multiplier"),
			Jitter:        retry.Jitter(rapid.Byte().Draw(t, "jitter") % 3),
			MaxInlineWait: durations().Draw(t, "inline"),
			MaxRetryAfter: durations().Draw(t, "maxRetryAfter"),
			MaxAttempts:   attempts().Draw(t, "maxAttempts"),
			MaxAge:        durations().Draw(t, "maxAge"),
		}
	})
}

func inputs() *rapid.Generator[retry.Input] {
	return rapid.Custom(func(t *rapid.T) retry.Input {
		return retry.Input{
			Attempt:    attempts().Draw(t, "attempt"),
			Class:      rapid.SampledFrom(classes).Draw(t, "class"),
			RetryAfter: durations().Draw(t, "retryAfter"),
			Elapsed:    durations().Draw(t, "elapsed"),
			Remaining:  durations().Draw(t, "remaining"),
		}
	})
}

func TestPolicy_Next_BoundsHoldForAnyInput(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy, in := policies().Draw(t, "policy"), inputs().Draw(t, "input")
		got := policy.Next(in, always(floats().Draw(t, "random")))

		full := policy.WithDefaults()
		if limit := max(full.MaxDelay, full.MaxRetryAfter); got.Delay < 0 || got.Delay > limit {
			t.Fatalf("%v: the delay is outside [0, %s]", got, limit)
		}
		if got.Reason.Text() == string(got.Reason) {
			t.Fatalf("%v: the reason has no text", got)
		}
		switch got.Action {
		case retry.Sleep:
			if got.Delay >= in.Remaining || got.Delay > full.MaxInlineWait {
				t.Fatalf("%v: sleeps past the deadline in %s or the inline wait of %s", got, in.Remaining, full.MaxInlineWait)
			}
			fallthrough
		case retry.Defer:
			if floor := min(in.RetryAfter, full.MaxRetryAfter); got.Delay < floor {
				t.Fatalf("%v: less than the %s that the server asked for", got, floor)
			}
		case retry.DeadLetter:
			if got.Delay != 0 {
				t.Fatalf("%v: a dead letter with a delay", got)
			}
		default:
			t.Fatalf("%v: unknown action", got)
		}
	})
}

func TestPolicy_Next_DeadLettersOnlyForAReason(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy, in := policies().Draw(t, "policy"), inputs().Draw(t, "input")
		got := policy.Next(in, nil)

		full := policy.WithDefaults()
		kept := in.Class == retry.Setup || in.Class == retry.Cancelled
		refused := in.Class == retry.Permanent || in.Class == retry.TooLarge
		spent := in.Attempt >= full.MaxAttempts || in.Elapsed >= full.MaxAge
		want := refused || spent && !kept
		if dead := got.Action == retry.DeadLetter; dead != want {
			t.Fatalf("Next = %v, want a dead letter: %v", got, want)
		}
	})
}

// The ceiling of the backoff never shrinks from attempt to attempt and reaches MaxDelay.
func TestPolicy_Next_CeilingIsMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy := retry.Policy{
			InitialDelay: time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "initial")),
			MaxDelay:     time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "max")),
			// Steps of a thousandth: what people write, and far above the error of a float64.
			Multiplier:  1 + float64(rapid.IntRange(1, 100_000).Draw(t, "thousandths"))/1000,
			Jitter:      retry.NoJitter,
			MaxAttempts: math.MaxInt,
		}
		ceiling := func(attempt int) time.Duration {
			return policy.Next(retry.Input{Attempt: attempt, Remaining: retry.NoDeadline}, nil).Delay
		}
		attempt := rapid.IntRange(1, math.MaxInt-2).Draw(t, "attempt")
		if a, b := ceiling(attempt), ceiling(attempt+1); a > b {
			t.Fatalf("ceiling of attempt %d is %s, of the next %s", attempt, a, b)
		}
		if got := ceiling(math.MaxInt - 1); got != policy.MaxDelay {
			t.Fatalf("ceiling after endless attempts is %s, want %s", got, policy.MaxDelay)
		}
	})
}

// More randomness never means less waiting, and all of the range is used: the jitter is
// not lost at the cap.
func TestPolicy_Next_JitterCoversTheRange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy := retry.Policy{MaxAttempts: math.MaxInt}
		in := retry.Input{
			Attempt:    rapid.IntRange(1, 1000).Draw(t, "attempt"),
			Class:      retry.Throttled,
			RetryAfter: time.Duration(rapid.Int64Range(0, int64(14*time.Minute)).Draw(t, "retryAfter")),
			Remaining:  retry.NoDeadline,
		}
		wait := func(part float64) time.Duration { return policy.Next(in, always(part)).Delay }
		low, middle, high := wait(0), wait(0.5), wait(1)
		if low != in.RetryAfter {
			t.Fatalf("least wait is %s, want what was asked, %s", low, in.RetryAfter)
		}
		if (high-low)/2 != middle-low || high == low {
			t.Fatalf("waits are %s, %s, %s: not spread evenly", low, middle, high)
		}
	})
}
