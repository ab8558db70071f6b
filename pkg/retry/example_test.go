package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
)

// A function behind a queue asks what to do after each failure of a request.
func Example() {
	policy := retry.Policy{Jitter: retry.NoJitter} // exact waits, for the sake of the example
	deadline := 40 * time.Second                   // what is left of this invocation

	after, _ := retry.ParseRetryAfter("20", time.Now())
	for _, failure := range []retry.Input{
		{Attempt: 1, Class: retry.Transient},                    // 502
		{Attempt: 2, Class: retry.Throttled, RetryAfter: after}, // 429, Retry-After: 20
		{Attempt: 3, Class: retry.Setup},                        // 401
		{Attempt: 4, Class: retry.Permanent},                    // 400
		{Attempt: 12, Class: retry.Transient},                   // 502, for the twelfth time
	} {
		failure.Remaining = deadline
		next := policy.Next(failure, nil)
		switch next.Action {
		case retry.Sleep:
			fmt.Println("wait here for", next.Delay)
		case retry.Defer:
			fmt.Println("back to the queue for", next.Delay, "because", next.Reason.Text())
		case retry.DeadLetter:
			fmt.Println("dead letter:", next.Reason.Text())
		}
	}
	// Output:
	// wait here for 200ms
	// back to the queue for 20s because the wait is longer than may be spent here
	// back to the queue for 30s because credentials or configuration have to be put right first
	// dead letter: the same request would be refused again
	// dead letter: all attempts are used up
}

func ExampleDo() {
	calls := 0
	err := retry.Do(context.Background(), retry.Policy{InitialDelay: time.Millisecond}, func(context.Context) error {
		calls++
		if calls == 1 {
			return errors.New("connection reset") // says nothing of its class: transient
		}
		return retry.Fail(retry.Permanent, 0, errors.New("400 unknown field"))
	})
	if stop, ok := errors.AsType[*retry.Error](err); ok {
		fmt.Println(stop.Why, "after", stop.Attempts)
	}
	fmt.Println(err)
	// Output:
	// permanent after 2
	// stopped after 2 attempts (the same request would be refused again): permanent: 400 unknown field
}

func ExampleBudget() {
	budget, err := retry.NewBudget(retry.BudgetOptions{Burst: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	budget.Attempted()
	next := retry.Decision{Action: retry.Sleep, Delay: time.Second, Reason: retry.ReasonBackoff}
	fmt.Println(budget.Limit(next))
	fmt.Println(budget.Limit(next))
	// Output:
	// sleep 1s (backoff)
	// defer 1s (budget)
}

func ExampleParseRetryAfter() {
	now := time.Date(2026, time.May, 4, 12, 0, 0, 0, time.UTC)
	fmt.Println(retry.ParseRetryAfter("120", now))
	fmt.Println(retry.ParseRetryAfter("Mon, 04 May 2026 12:00:30 GMT", now))
	fmt.Println(retry.ParseRetryAfter("-1", now))
	// Output:
	// 2m0s true
	// 30s true
	// 0s false
}
