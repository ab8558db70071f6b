package lambda

import (
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/lifetime"
)

// runEvent runs an event that was accepted, once at least.
func (h *Host) runEvent(p *pool, inv *invocation) {
	err := deliver(h.life, func() (Result, error) { return p.run(h.life.Uncut, inv) })
	if err != nil {
		h.options.Logger.Warn("asynchronous event dropped", "function", p.function.Name, "error", err)
	}
}

// deliver tries an event until it succeeds; the error says why it was given up. Function errors are tried twice more, after one and
// two minutes; refusals (throttling, a host in trouble) back off from 1 s to 5 minutes for up to six hours and do not count as
// tries. A life that ends cuts the pauses short, but an event that has not run yet still does, while it is not cut. Source: "Error
// handling for an asynchronous invocation", Lambda developer guide.
func deliver(life *lifetime.Lifetime, invoke func() (Result, error)) error {
	begin, backoff := time.Now(), time.Second
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
		if failures > EventRetries || time.Since(begin)+wait > MaxEventAge {
			return err
		}
		if !life.Sleep(wait) && (failures > 0 || life.Uncut.Err() != nil) {
			return err
		}
	}
}
