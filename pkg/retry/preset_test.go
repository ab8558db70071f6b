package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// errDown is what an unreachable server gives.
var errDown = errors.New("connection refused")

// run is what a Do whose every attempt fails did.
type run struct {
	waits []time.Duration
	took  time.Duration
	stop  *retry.Error
}

// runFailing runs Do in virtual time on a function that never succeeds.
func runFailing(t *testing.T, policy retry.Policy, failure error) run {
	t.Helper()
	var got run
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		last := start
		err := retry.Do(t.Context(), policy, func(context.Context) error {
			if now := time.Now(); !now.Equal(last) {
				got.waits = append(got.waits, now.Sub(last))
				last = now
			}
			return failure
		})
		got.took = time.Since(start)
		if !errors.As(err, &got.stop) {
			t.Errorf("Do = %v, want a *retry.Error", err)
		}
	})
	return got
}

func milliseconds(values ...int) []time.Duration {
	waits := make([]time.Duration, len(values))
	for i, v := range values {
		waits[i] = time.Duration(v) * time.Millisecond
	}
	return waits
}

func TestRowE9_Waits100_200_400MillisecondsThenDeadLetter(t *testing.T) {
	t.Parallel()
	got := runFailing(t, retry.E9(), errDown)
	if diff := cmp.Diff(milliseconds(100, 200, 400), got.waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if got.stop.Why != retry.ReasonAttempts || got.stop.Attempts != 4 {
		t.Errorf("stopped with %q after %d attempts, want attempts after 4", got.stop.Why, got.stop.Attempts)
	}
	next := retry.E9().Next(retry.Input{Attempt: 4, Class: retry.Transient, Remaining: time.Hour}, nil)
	if want := (retry.Decision{Action: retry.DeadLetter, Reason: retry.ReasonAttempts}); next != want {
		t.Errorf("fourth failure: %v, want %v", next, want)
	}
}

// The row's "retry rate limiter": with the budget spent the waits of E9 become deferrals.
func TestRowE9_RetryRateLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		budget := newBudget(t, retry.BudgetOptions{Burst: 2, Share: 0.001, MinPerSecond: 0.001})
		calls := 0
		err := retry.Loop{Policy: retry.E9(), Budget: budget}.Do(t.Context(), func(context.Context) error {
			calls++
			return errDown
		})
		var stop *retry.Error
		if !errors.As(err, &stop) || stop.Why != retry.ReasonBudget || stop.Delay != 400*time.Millisecond {
			t.Errorf("Do = %+v, want to stop at the budget with 400ms to wait", err)
		}
		if calls != 3 {
			t.Errorf("%d calls, want the first and the two retries of the burst", calls)
		}
	})
}

func TestRowC3_Doubles200MillisecondsTo30SecondsFor12Failures(t *testing.T) {
	t.Parallel()
	got := runFailing(t, retry.C3(), errDown)
	want := milliseconds(200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000)
	if diff := cmp.Diff(want, got.waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if got.stop.Why != retry.ReasonAttempts || got.stop.Attempts != 12 {
		t.Errorf("stopped with %q after %d attempts, want attempts after 12", got.stop.Why, got.stop.Attempts)
	}
}

func TestRowC3_EachAnswer(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		in   retry.Input
		want retry.Decision
	}{
		{
			"429 waits as told", retry.Input{Attempt: 1, Class: retry.Throttled, RetryAfter: 90 * time.Second},
			retry.Decision{Action: retry.Sleep, Delay: 90 * time.Second, Reason: retry.ReasonRetryAfter},
		},
		{
			"401 stops the sink and keeps the events", retry.Input{Attempt: 1, Class: retry.Setup},
			retry.Decision{Action: retry.Defer, Delay: 30 * time.Second, Reason: retry.ReasonSetup},
		},
		{
			"other 4xx is terminal", retry.Input{Attempt: 1, Class: retry.Permanent},
			retry.Decision{Action: retry.DeadLetter, Reason: retry.ReasonPermanent},
		},
		{
			"a single item that is too large is terminal", retry.Input{Attempt: 1, Class: retry.TooLarge},
			retry.Decision{Action: retry.DeadLetter, Reason: retry.ReasonTooLarge},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.in.Remaining = retry.NoDeadline
			if got := retry.C3().Next(row.in, nil); got != row.want {
				t.Errorf("Next = %v, want %v", got, row.want)
			}
		})
	}
}

// B3, the part that is not a status code's class: which classes are tried again, growing
// waits, Retry-After in both forms, and an absurd one capped.
func TestRowB3_RetriesTransientAndThrottledOnly(t *testing.T) {
	t.Parallel()
	for class, want := range map[retry.Class]retry.Action{
		retry.Transient: retry.Sleep, // 408, 500, 502, 503, 504, network
		retry.Throttled: retry.Sleep, // 429
		retry.Permanent: retry.DeadLetter,
		retry.TooLarge:  retry.DeadLetter,
		retry.Setup:     retry.Defer,
	} {
		got := retry.Policy{}.Next(retry.Input{Attempt: 1, Class: class, Remaining: time.Hour}, nil)
		if got.Action != want {
			t.Errorf("%s: %v, want %s", class, got, want)
		}
	}
}

func TestRowB3_RetryAfterInBothFormsAndCapped(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, header string
		want         time.Duration
	}{
		{"seconds", "3", 3 * time.Second},
		{"a date", "Sat, 01 Jan 2000 00:00:03 GMT", 3 * time.Second}, // a bubble starts at 2000-01-01
		{"a date in the past leaves the backoff", "Fri, 31 Dec 1999 23:59:59 GMT", 200 * time.Millisecond},
		{"garbage leaves the backoff", "soon", 200 * time.Millisecond},
		{"an absurd number is capped", "99999999999", 15 * time.Minute},
		{"a number beyond all integers is capped", "99999999999999999999999999", 15 * time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				after, _ := retry.ParseRetryAfter(row.header, time.Now())
				script := []error{retry.Fail(retry.Throttled, after, errDown), nil}
				start := time.Now()
				err := retry.Do(t.Context(), retry.C3(), func(context.Context) error {
					answer := script[0]
					script = script[1:]
					return answer
				})
				if err != nil {
					t.Errorf("Do = %v, want success on the second attempt", err)
				}
				if got := time.Since(start); got != row.want {
					t.Errorf("waited %s, want %s", got, row.want)
				}
			})
		})
	}
}

// B13: a day of waiting on a server that asks for more and more patience passes in virtual
// time, and ends when MaxAge is over.
func TestRowB13_ADayOfWaitingIsVirtual(t *testing.T) {
	t.Parallel()
	policy := retry.Policy{Jitter: retry.NoJitter, MaxInlineWait: time.Hour, MaxAttempts: 1000}
	got := runFailing(t, policy, retry.Fail(retry.Throttled, 10*time.Minute, errDown))
	if got.stop.Why != retry.ReasonAge || got.took != 24*time.Hour {
		t.Errorf("stopped with %q after %s, want age after 24h0m0s", got.stop.Why, got.took)
	}
	if len(got.waits) != 144 {
		t.Errorf("%d waits, want one every ten minutes of a day, 144", len(got.waits))
	}
}
