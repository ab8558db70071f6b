package lambda

import (
	"context"
	"log/slog"
	"time"
)

// enqueue accepts an event and runs it in the background.
func (h *Host) enqueue(p *pool, payload []byte, options InvokeOptions) (Result, error) {
	if len(payload) > MaxEventBytes {
		return Result{}, tooLarge(MaxEventBytes)
	}
	select {
	case h.queued <- struct{}{}:
	default:
		return Result{}, throttled("ConcurrentInvocationLimitExceeded")
	}
	if !h.beginEvent() {
		<-h.queued
		return Result{}, shuttingDown()
	}
	options.Type, options.Log = InvocationRequestResponse, LogTypeNone
	go func() {
		defer h.events.Done()
		defer func() { <-h.queued }()
		logger := h.options.Logger.With("function", p.function.Name)
		deliverEvent(h.alive, logger, func() (Result, error) { return h.call(context.WithoutCancel(h.alive), p, payload, options) })
	}()
	return Result{Status: 202}, nil
}

func (h *Host) beginEvent() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	h.events.Add(1)
	return true
}

// deliverEvent tries an event until it succeeds, its retries or its age are used up, or ctx ends.
func deliverEvent(ctx context.Context, logger *slog.Logger, invoke func() (Result, error)) {
	begin := time.Now()
	failures, refusals := 0, 0
	for {
		result, err := invoke()
		switch {
		case err == nil && !result.Failed():
			return
		case err == nil:
			failures++
			refusals = 0
		default:
			refusals++
		}
		wait, again := nextTry(failures, refusals, time.Since(begin))
		if !again || !sleep(ctx, wait) {
			logger.Warn("asynchronous event dropped", "failures", failures, "last_error", err, "last_payload", string(result.Payload))
			return
		}
	}
}

// nextTry decides what follows a failed try. Function errors are tried twice more, after one and two minutes; refusals
// (throttling, a host in trouble) back off from 1 s to 5 minutes for up to six hours and do not count as tries.
// Source: "Error handling for an asynchronous invocation", Lambda developer guide.
func nextTry(failures, refusals int, age time.Duration) (wait time.Duration, again bool) {
	if failures > EventRetries || age >= MaxEventAge {
		return 0, false
	}
	if refusals == 0 {
		return time.Duration(failures) * time.Minute, true
	}
	return min(time.Second<<min(refusals-1, 9), 5*time.Minute), true
}

// sleep waits and reports whether ctx lasted.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
