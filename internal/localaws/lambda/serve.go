package lambda

import (
	"context"
	"time"
)

// awaitReady waits for the first GET next. The outcome says why it did not come.
func (e *environment) awaitReady(ctx context.Context, requestID string) *outcome {
	begin := time.Now()
	defer func() { e.initialisation = time.Since(begin) }()
	timer := time.NewTimer(InitTimeout)
	defer timer.Stop()
	select {
	case <-e.ready:
		return nil
	case <-e.exited:
		return e.initFailure(requestID)
	case <-timer.C:
		e.kill()
		failed := timedOut(requestID, InitTimeout)
		return &failed
	case <-ctx.Done():
		e.kill()
		failed := crashed(requestID, "The host is shutting down")
		return &failed
	}
}

// initFailure prefers the process's own words over its exit code.
func (e *environment) initFailure(requestID string) *outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.initError != nil {
		return e.initError
	}
	failed := crashed(requestID, e.exit)
	return &failed
}

// serve hands one invocation to the process and waits for its end: the process asks for the next one, dies, or is killed
// at the deadline. It reports false when the process was gone before it took the invocation, so that another may serve it.
func (e *environment) serve(inv *invocation) (outcome, bool) {
	if inv.wantTail {
		e.logs.beginTail()
	}
	e.thaw()
	e.logStart(inv)
	begin := time.Now()
	answer, delivered := e.carry(inv)
	if delivered {
		e.logReport(inv, answer, time.Since(begin))
	}
	return answer, delivered
}

// carry is serve without the log.
func (e *environment) carry(inv *invocation) (outcome, bool) {
	inv.deadline = time.Now().Add(e.function.Timeout)
	timer := time.NewTimer(e.function.Timeout)
	defer timer.Stop()
	select {
	case e.handoff <- inv:
	case <-e.exited:
		return outcome{}, false
	case <-timer.C:
		e.kill()
		return e.expired(inv), true
	}
	select {
	case <-inv.finished:
		return e.answerOf(inv, crashed(inv.id, "no response")), true
	case <-e.exited:
		how := e.exitReason()
		e.logs.platform("RequestId: %s Error: %s", inv.id, how)
		e.logs.platform("Runtime.ExitError")
		return e.answerOf(inv, crashed(inv.id, how)), true
	case <-timer.C:
		e.kill()
		return e.expired(inv), true
	}
}

// expired is the outcome of an invocation whose process was killed at the deadline.
func (e *environment) expired(inv *invocation) outcome {
	late := timedOut(inv.id, e.function.Timeout)
	e.logs.platform("%s %s Task timed out after %.2f seconds", time.Now().UTC().Format(time.RFC3339Nano), inv.id, e.function.Timeout.Seconds())
	return e.answerOf(inv, late)
}

// answerOf prefers what the process posted: a caller has its response even when the process dies right after it.
func (e *environment) answerOf(inv *invocation, otherwise outcome) outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	if inv.answer != nil {
		return *inv.answer
	}
	return otherwise
}
