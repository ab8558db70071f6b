package retry_test

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
	"pgregory.net/rapid"
)

func newBudget(tb testing.TB, options retry.BudgetOptions) *retry.Budget {
	tb.Helper()
	budget, err := retry.NewBudget(options)
	if err != nil {
		tb.Fatalf("NewBudget: %v", err)
	}
	return budget
}

// spend takes all retries that the budget allows now.
func spend(budget *retry.Budget) int {
	n := 0
	for budget.Allow() {
		n++
	}
	return n
}

func TestBudget_Allow_BurstThenShareThenClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		budget := newBudget(t, retry.BudgetOptions{})
		if got := spend(budget); got != 100 {
			t.Errorf("a new budget allows %d retries, want the burst of 100", got)
		}
		for range 50 {
			budget.Attempted()
		}
		if got := spend(budget); got < 9 || got > 10 { // 0.2 has no exact float64
			t.Errorf("50 attempts earn %d retries, want a fifth", got)
		}
		time.Sleep(2 * time.Second)
		if got := spend(budget); got < 20 || got > 21 {
			t.Errorf("2 s bring %d retries, want 10 a second", got)
		}
		time.Sleep(time.Hour)
		if got := spend(budget); got != 100 {
			t.Errorf("an hour of rest brings %d retries, want no more than the burst", got)
		}
	})
}

func TestBudget_Limit_TurnsSleepIntoDefer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		budget := newBudget(t, retry.BudgetOptions{Burst: 1})
		sleep := retry.Decision{Action: retry.Sleep, Delay: time.Second, Reason: retry.ReasonBackoff}
		dead := retry.Decision{Action: retry.DeadLetter, Reason: retry.ReasonAge}
		if got := budget.Limit(dead); got != dead {
			t.Errorf("Limit(%v) = %v, want it unchanged and unpaid", dead, got)
		}
		if got := budget.Limit(sleep); got != sleep {
			t.Errorf("Limit = %v, want %v", got, sleep)
		}
		want := retry.Decision{Action: retry.Defer, Delay: time.Second, Reason: retry.ReasonBudget}
		if got := budget.Limit(sleep); got != want {
			t.Errorf("Limit with the budget spent = %v, want %v", got, want)
		}
	})
}

func TestBudget_Nil_AllowsEverything(t *testing.T) {
	t.Parallel()
	var budget *retry.Budget
	budget.Attempted()
	for range 1000 {
		if !budget.Allow() {
			t.Fatal("a nil budget refused a retry")
		}
	}
}

func TestNewBudget_Validates(t *testing.T) {
	t.Parallel()
	const want = "retry budget: Share: -1 is not a finite number of 0 or more\n" +
		"MinPerSecond: NaN is not a finite number of 0 or more\n" +
		"Burst: +Inf is not a finite number of 1 or more"
	_, err := retry.NewBudget(retry.BudgetOptions{Share: -1, MinPerSecond: math.NaN(), Burst: math.Inf(1)})
	if err == nil || err.Error() != want {
		t.Errorf("NewBudget = %v, want %s", err, want)
	}
	if err := (retry.BudgetOptions{}).Validate(); err != nil {
		t.Errorf("Validate of the zero value = %v", err)
	}
}

// No order of attempts, retries and pauses allows more than the documented sum.
func TestBudget_Allow_NeverAboveTheSum(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// The struct hides t.Deadline from rapid, which may not be called in a bubble.
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
			options := retry.BudgetOptions{
				Share:        rapid.Float64Range(0.001, 1).Draw(t, "share"),
				MinPerSecond: rapid.Float64Range(0.001, 20).Draw(t, "perSecond"),
				Burst:        rapid.Float64Range(1, 50).Draw(t, "burst"),
			}
			budget, err := retry.NewBudget(options)
			if err != nil {
				t.Fatal(err)
			}
			start, attempted, retried := time.Now(), 0, 0
			for range rapid.IntRange(1, 50).Draw(t, "steps") {
				for range rapid.IntRange(0, 30).Draw(t, "attempts") {
					budget.Attempted()
					attempted++
				}
				for range rapid.IntRange(0, 30).Draw(t, "retries") {
					if budget.Allow() {
						retried++
					}
				}
				time.Sleep(time.Duration(rapid.Int64Range(0, int64(5*time.Second)).Draw(t, "pause")))
			}
			limit := options.Burst + options.Share*float64(attempted) + options.MinPerSecond*time.Since(start).Seconds()
			if float64(retried) > limit+1e-6 {
				t.Fatalf("%d retries allowed, want at most %v", retried, limit)
			}
		})
	})
}

func TestBudget_Concurrent_SpendsEachTokenOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the clock stands still: nothing is earned by time
		budget := newBudget(t, retry.BudgetOptions{Share: 0.5, Burst: 1000})
		spend(budget)
		var allowed atomic.Int64
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 100 {
					budget.Attempted()
					if budget.Allow() {
						allowed.Add(1)
					}
				}
			})
		}
		group.Wait()
		if got := allowed.Load() + int64(spend(budget)); got != 400 {
			t.Errorf("800 attempts earned %d retries, want exactly half", got)
		}
	})
}
