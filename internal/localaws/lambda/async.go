package lambda

import (
	"context"
	"fmt"
	"time"
)

// enqueue accepts an event and runs it in the background.
func (h *Host) enqueue(p *pool, inv *invocation) error {
	return h.spawn(func() {
		err := deliver(h.open, func() (Result, error) { return h.call(context.Background(), p, inv) })
		if err != nil {
			h.options.Logger.Warn("asynchronous event dropped", "function", p.function.Name, "error", err)
		}
	})
}

// deliver tries an event until it succeeds; the error says why it was given up. Function errors are tried twice more, after one and
// two minutes; refusals (throttling, a host in trouble) back off from 1 s to 5 minutes for up to six hours and do not count as
// tries. Source: "Error handling for an asynchronous invocation", Lambda developer guide.
func deliver(ctx context.Context, invoke func() (Result, error)) error {
	ctx, cancel := context.WithTimeout(ctx, MaxEventAge)
	defer cancel()
	backoff := time.Second
	for failures := 0; ; {
		result, err := invoke()
		if err == nil && !result.Failed() {
			return nil
		}
		wait := backoff
		if err != nil {
			backoff = min(2*backoff, maxEventBackoff)
		} else {
			failures++
			wait, err = time.Duration(failures)*time.Minute, fmt.Errorf("function error: %s", result.Payload)
		}
		if failures > EventRetries {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}
