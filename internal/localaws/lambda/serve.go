package lambda

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// serve runs one invocation and reports on it. It reports false when a warm process was gone before it took the invocation, so that
// another may serve it.
func (e *environment) serve(inv *invocation) (Result, bool) {
	begin := time.Now()
	e.signal(syscall.SIGCONT)
	taken, exceeded := e.carry(inv)
	if taken.IsZero() && e.warm {
		return Result{}, false
	}
	if taken.IsZero() {
		taken = time.Now()
		e.logStart(inv)
	}
	result := e.outcome(inv, exceeded)
	result.RequestID = inv.id
	var initialisation time.Duration
	if !e.warm {
		initialisation = taken.Sub(begin)
	}
	e.warm = true
	e.logReport(result, time.Since(taken), initialisation)
	result.LogTail = e.log.cut()
	return result, true
}

// carry hands an invocation to the process and waits for its end: the process asks for the next one, dies, or is killed because it
// takes too long. It returns when the process took the invocation, zero for never, and the time limit that it exceeded, or 0.
func (e *environment) carry(inv *invocation) (taken time.Time, exceeded time.Duration) {
	handoff, limit := e.handoff, InitTimeout
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case handoff <- inv:
			handoff, limit = nil, e.pool.function.Timeout
			taken = time.Now()
			timer.Reset(limit)
		case <-e.finished:
			return taken, 0
		case <-e.gone.Done():
			return taken, 0
		case <-timer.C:
			e.end()
			return taken, limit
		}
	}
}

// outcome prefers what the process posted: a caller has its response even when the process dies right after it.
func (e *environment) outcome(inv *invocation, exceeded time.Duration) Result {
	e.mu.Lock()
	answer := e.answer
	e.answer = nil
	e.mu.Unlock()
	if answer != nil {
		return *answer
	}
	if exceeded > 0 {
		e.log.platform("%s %s Task timed out after %.2f seconds", logTime(), inv.id, exceeded.Seconds())
		return inv.failure(errorTimedOut, "Task timed out after %.2f seconds", exceeded.Seconds())
	}
	how := "Runtime exited without providing a reason"
	if err := context.Cause(e.gone); !errors.Is(err, context.Canceled) {
		how = "Runtime exited with error: " + err.Error()
	}
	e.log.platform("RequestId: %s Error: %s\nRuntime.ExitError", inv.id, how)
	return inv.failure("Runtime.ExitError", "%s", how)
}
