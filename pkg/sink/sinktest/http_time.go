package sinktest

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// timeouts runs in virtual time: no case takes longer than its computations.
func timeouts(t *testing.T, h HTTP) {
	if h.Timeout <= 0 {
		t.Fatal("HTTP.Timeout is required: the time-out of the sinks that New makes")
	}
	cases := []struct {
		name    string
		step    Step
		classes []retry.Class
	}{
		{"a destination that hangs", Step{Fault: Hang}, []retry.Class{retry.Transient}},
		{"headers that never end", Step{Fault: SlowHeaders}, []retry.Class{retry.Transient}},
		{"the slow body of a 200", Step{Fault: SlowBody}, []retry.Class{""}},
		{"the slow body of a 503", Step{Status: 503, Fault: SlowBody}, []retry.Class{retry.Transient, retry.Throttled}},
		{"a reply just in time", Step{Delay: h.Timeout - time.Millisecond}, []retry.Class{""}},
		{"a reply just too late", Step{Delay: h.Timeout + time.Millisecond}, []retry.Class{retry.Transient}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				step := c.step
				if step.Fault == "" {
					step = withDelay(h.Success, c.step.Delay)
				}
				_, s := h.start(t, Memory, step)
				start := time.Now()
				o := h.send(t, s, h.batch(0, 2))
				class := o.Class
				if o.Verdict == sink.Delivered {
					class = ""
				}
				if !slices.Contains(c.classes, class) {
					t.Errorf("got %s (%s: %s), want class %q", o.Verdict, o.Class, o.Cause, c.classes)
				}
				if took := time.Since(start); took > h.Timeout {
					t.Errorf("the attempt took %v, want at most %v", took, h.Timeout)
				}
			})
		})
	}
	t.Run("the caller's deadline ends an attempt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { obeysCallersDeadline(t, h) })
	})
	t.Run("the caller's cancelling ends an attempt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { obeysCallersCancel(t, h) })
	})
}

// withDelay is the success reply, late. The reply of a protocol with results per item
// may depend on the request, which a script does not know; an empty one has none.
func withDelay(success func(*Request) Step, delay time.Duration) Step {
	step := success(&Request{})
	step.Delay = delay
	return step
}

func obeysCallersDeadline(t *testing.T, h HTTP) {
	_, s := h.start(t, Memory, Step{Fault: Hang})
	deadline := h.Timeout / 2
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	start := time.Now()
	_, err := s.Send(ctx, h.batch(0, 2))
	if took := time.Since(start); took != deadline {
		t.Errorf("Send returned after %v, want %v", took, deadline)
	}
	mustBeCancelled(t, err)
}

func obeysCallersCancel(t *testing.T, h HTTP) {
	server, s := h.start(t, Memory, Step{Fault: Hang})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = server.Await(ctx, func() bool { return len(server.Requests()) == 1 })
		cancel()
	}()
	start := time.Now()
	_, err := s.Send(ctx, h.batch(0, 2))
	if took := time.Since(start); took != 0 {
		t.Errorf("Send returned %v after the cancelling, want at once", took)
	}
	mustBeCancelled(t, err)
}

func mustBeCancelled(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("Send: got no error although nothing was answered")
	}
	o := sink.OutcomeOf(err, true)
	checkOutcome(t, o)
	want(t, "an attempt that the caller stopped", o, retry.Cancelled)
}
