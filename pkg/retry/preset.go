package retry

import "time"

// E9 reproduces a client that waits 100, 200 and 400 ms and then makes a dead letter:
// four attempts in all. The waits are exact, so there is no jitter; a fleet of callers is
// better served by setting Jitter to FullJitter.
func E9() Policy {
	return Policy{
		InitialDelay: 100 * time.Millisecond,
		MaxDelay:     400 * time.Millisecond,
		Multiplier:   2,
		Jitter:       NoJitter,
		MaxAttempts:  4,
	}
}

// C3 reproduces a daemon that waits 200 ms doubling to 30 s, as told on 429, and stops at
// the 12th failure. The waits are exact, so there is no jitter, and they are spent in the
// process, as a daemon does: in a function, lower MaxInlineWait.
func C3() Policy {
	return Policy{
		InitialDelay:  200 * time.Millisecond,
		MaxDelay:      30 * time.Second,
		Multiplier:    2,
		Jitter:        NoJitter,
		MaxInlineWait: DefaultMaxRetryAfter,
		MaxAttempts:   12,
	}
}
