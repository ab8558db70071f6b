package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/millrace-dev/millrace/pkg/retry"
)

var errShutdown = errors.New("told to stop")

func stopOf(t *testing.T, err error) *retry.Error {
	t.Helper()
	var stop *retry.Error
	if !errors.As(err, &stop) {
		t.Fatalf("error %v, want a *retry.Error", err)
	}
	return stop
}

func diffStop(want, got *retry.Error) string {
	return cmp.Diff(*want, *got, cmpopts.EquateErrors()) // the values: as pointers they are errors too
}

func TestDo_SucceedsAfterAScriptOfFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := []error{
			retry.Fail(retry.Throttled, 2*time.Second, errDown), // 503, Retry-After: 2
			fmt.Errorf("post: %w", io.ErrUnexpectedEOF),         // reset; unclassified is transient
			nil, // 200
		}
		var seen []string
		loop := retry.Loop{
			Random:    always(0.5),
			OnFailure: func(err error, next retry.Decision) { seen = append(seen, fmt.Sprintf("%v: %v", err, next)) },
		}
		start := time.Now()
		err := loop.Do(t.Context(), func(context.Context) error {
			answer := script[0]
			script = script[1:]
			return answer
		})
		if err != nil {
			t.Errorf("Do = %v, want nil", err)
		}
		want := []string{
			"throttled: connection refused: sleep 2.1s (retry-after)",
			"post: unexpected EOF: sleep 200ms (backoff)",
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("failures seen (-want +got):\n%s", diff)
		}
		if got := time.Since(start); got != 2300*time.Millisecond {
			t.Errorf("took %s, want 2.3s", got)
		}
	})
}

func TestDo_StopsAtOnceForClassesThatDoNotHeal(t *testing.T) {
	t.Parallel()
	for class, want := range map[retry.Class]*retry.Error{
		retry.Permanent: {Last: errDown, Why: retry.ReasonPermanent, Attempts: 1},
		retry.TooLarge:  {Last: errDown, Why: retry.ReasonTooLarge, Attempts: 1},
		retry.Setup:     {Last: errDown, Why: retry.ReasonSetup, Attempts: 1, Delay: 30 * time.Second},
		retry.Cancelled: {Last: errDown, Why: retry.ReasonCancelled},
	} {
		t.Run(string(class), func(t *testing.T) {
			t.Parallel()
			err := retry.Do(t.Context(), retry.Policy{}, func(context.Context) error {
				return retry.Fail(class, 0, errDown)
			})
			if diff := diffStop(want, stopOf(t, err)); diff != "" {
				t.Errorf("stop (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDo_LongWaitIsHandedBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := retry.Do(t.Context(), retry.Policy{Jitter: retry.NoJitter}, func(context.Context) error {
			return retry.Fail(retry.Throttled, time.Minute, errDown)
		})
		want := &retry.Error{Last: errDown, Why: retry.ReasonLongWait, Attempts: 1, Delay: time.Minute}
		if diff := diffStop(want, stopOf(t, err)); diff != "" {
			t.Errorf("stop (-want +got):\n%s", diff)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %s, want nothing", waited)
		}
	})
}

// The loop does not wait for an attempt that the deadline would cut off.
func TestDo_StopsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithDeadline(t.Context(), start.Add(time.Second))
		defer cancel()
		err := retry.Do(ctx, retry.Policy{Jitter: retry.NoJitter}, func(context.Context) error { return errDown })
		want := &retry.Error{Last: errDown, Why: retry.ReasonDeadline, Attempts: 3, Delay: 800 * time.Millisecond}
		if diff := diffStop(want, stopOf(t, err)); diff != "" {
			t.Errorf("stop (-want +got):\n%s", diff)
		}
		if took := time.Since(start); took != 600*time.Millisecond {
			t.Errorf("took %s, want the two waits that fit, 600ms", took)
		}
	})
}

func TestDo_ShutdownDuringAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		start := time.Now()
		time.AfterFunc(300*time.Millisecond, func() { stop(errShutdown) })
		calls := 0
		err := retry.Do(ctx, retry.Policy{Jitter: retry.NoJitter}, func(context.Context) error { calls++; return errDown })
		if calls != 2 {
			t.Errorf("%d calls, want none after the shutdown", calls)
		}
		want := &retry.Error{Last: errDown, Why: retry.ReasonCancelled, Attempts: 2, Interrupt: errShutdown}
		if diff := diffStop(want, stopOf(t, err)); diff != "" {
			t.Errorf("stop (-want +got):\n%s", diff)
		}
		if !errors.Is(err, errDown) || !errors.Is(err, errShutdown) {
			t.Errorf("%v: want both the last cause and the shutdown in it", err)
		}
		if took := time.Since(start); took != 300*time.Millisecond {
			t.Errorf("took %s, want to wake at the shutdown, 300ms", took)
		}
	})
}

func TestDo_ShutdownDuringAnAttemptIsNoAttempt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		failure error
		want    *retry.Error
	}{
		{
			"an unclassified failure", errDown,
			&retry.Error{Last: errDown, Why: retry.ReasonCancelled, Interrupt: errShutdown},
		},
		{
			"a failure of no known class", retry.Fail("teapot", 0, errDown),
			&retry.Error{Last: errDown, Why: retry.ReasonCancelled, Interrupt: errShutdown},
		},
		{
			"a refusal that no other attempt could change", retry.Fail(retry.Permanent, 0, errDown),
			&retry.Error{Last: errDown, Why: retry.ReasonPermanent, Attempts: 1},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancelCause(t.Context())
			err := retry.Do(ctx, retry.Policy{MaxAttempts: 1}, func(context.Context) error {
				stop(errShutdown)
				return row.failure
			})
			if diff := diffStop(row.want, stopOf(t, err)); diff != "" {
				t.Errorf("stop (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDo_EndedContextMakesNoAttempt(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errShutdown)
	err := retry.Do(ctx, retry.Policy{}, func(context.Context) error {
		t.Error("called with an ended context")
		return nil
	})
	want := &retry.Error{Why: retry.ReasonCancelled, Interrupt: errShutdown}
	if diff := diffStop(want, stopOf(t, err)); diff != "" {
		t.Errorf("stop (-want +got):\n%s", diff)
	}
	const text = "stopped after 0 attempts (stopped from outside, not an attempt): told to stop"
	if err.Error() != text {
		t.Errorf("Error() = %q, want %q", err.Error(), text)
	}
}

func TestDo_MaxAgeEndsTheLoop(t *testing.T) {
	t.Parallel()
	policy := retry.Policy{Jitter: retry.NoJitter, Multiplier: 1, MaxAge: time.Second}
	got := runFailing(t, policy, errDown)
	want := &retry.Error{Last: errDown, Why: retry.ReasonAge, Attempts: 6}
	if diff := diffStop(want, got.stop); diff != "" {
		t.Errorf("stop (-want +got):\n%s", diff)
	}
}

func TestLoop_Budget_IsSharedBetweenLoops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		policy := retry.Policy{Jitter: retry.NoJitter}
		loop := retry.Loop{Policy: policy, Budget: newBudget(t, retry.BudgetOptions{Burst: 3, Share: 0.001, MinPerSecond: 0.001})}
		calls := 0
		for range 10 {
			err := loop.Do(t.Context(), func(context.Context) error { calls++; return errDown })
			if why := stopOf(t, err).Why; why != retry.ReasonBudget {
				t.Errorf("stopped with %q, want budget", why)
			}
		}
		if calls != 13 {
			t.Errorf("%d calls, want 10 first attempts and the 3 retries of the burst", calls)
		}
	})
}

// The first attempts of loops earn what their retries spend.
func TestLoop_Budget_IsEarnedByFirstAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // no call waits, so nothing is earned by time
		budget := newBudget(t, retry.BudgetOptions{Share: 0.5})
		spend(budget)
		loop := retry.Loop{Budget: budget}
		for range 10 {
			if err := loop.Do(t.Context(), func(context.Context) error { return nil }); err != nil {
				t.Errorf("Do = %v, want nil", err)
			}
		}
		if got := spend(budget); got != 5 {
			t.Errorf("10 loops earned %d retries, want half as many", got)
		}
	})
}

func TestError_Unwrap_HoldsNoNil(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		stop retry.Error
		want int
	}{
		{retry.Error{}, 0},
		{retry.Error{Last: errDown}, 1},
		{retry.Error{Interrupt: errShutdown}, 1},
		{retry.Error{Last: errDown, Interrupt: errShutdown}, 2},
	} {
		causes := row.stop.Unwrap()
		if len(causes) != row.want || slices.Contains(causes, nil) {
			t.Errorf("Unwrap() = %v, want %d causes", causes, row.want)
		}
	}
}

// hinting is an error of another package that states its class without a *Failure.
type hinting struct{}

func (hinting) Error() string                           { return "slow down" }
func (hinting) RetryHint() (retry.Class, time.Duration) { return retry.Throttled, time.Second }

func TestClassify_FindsTheHintInTheTree(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		err   error
		class retry.Class
		after time.Duration
	}{
		{"nothing stated", errDown, retry.Transient, 0},
		{"a failure", retry.Fail(retry.Permanent, 0, errDown), retry.Permanent, 0},
		{"a wrapped failure", fmt.Errorf("send: %w", retry.Fail(retry.Throttled, 3, nil)), retry.Throttled, 3},
		{"a foreign error", errors.Join(errDown, hinting{}), retry.Throttled, time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			class, after := retry.Classify(row.err)
			if class != row.class || after != row.after {
				t.Errorf("Classify = %s, %s; want %s, %s", class, after, row.class, row.after)
			}
		})
	}
}

func TestFailure_ErrorAndUnwrap(t *testing.T) {
	t.Parallel()
	if got, want := retry.Fail(retry.Setup, 0, errDown).Error(), "setup: connection refused"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if got, want := retry.Fail(retry.Setup, 0, nil).Error(), "setup"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(retry.Fail(retry.Setup, 0, errDown), errDown) {
		t.Error("errors.Is does not find the cause of a *Failure")
	}
}
