package lambda

import (
	"context"
	"net/http"
	"strings"
)

// Invoke runs a function, which is named by its name or its ARN. payload is JSON and must not be changed afterwards, not even when
// Invoke has returned; an empty one becomes {}.
//
// A function that fails is no error: look at Result.FunctionError. Errors are an *Error (not found, throttled, too large,
// shutting down) or ctx's own; when ctx ends, the function goes on without its caller, as on AWS.
func (h *Host) Invoke(ctx context.Context, function string, payload []byte, options InvokeOptions) (Result, error) {
	p, err := h.find(function)
	if err != nil {
		return Result{}, err
	}
	inv, err := newInvocation(payload, options)
	if err != nil {
		return Result{}, err
	}
	if options.Type == InvocationEvent {
		return Result{RequestID: inv.id}, h.spawn(func() { h.runEvent(p, inv) })
	}
	return h.call(ctx, p, inv)
}

// Invoker binds Invoke to a function, which must be there, and to the zero options.
func (h *Host) Invoker(function string) (invoke func(ctx context.Context, payload []byte) (Result, error), err error) {
	_, err = h.find(function)
	return func(ctx context.Context, payload []byte) (Result, error) {
		return h.Invoke(ctx, function, payload, InvokeOptions{})
	}, err
}

// find resolves a name or a full ARN, either with or without the qualifier $LATEST.
func (h *Host) find(function string) (*pool, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(function, h.ARN("")), ":"+Version)
	if p := h.pools[name]; p != nil {
		return p, nil
	}
	return nil, refusal(http.StatusNotFound, "ResourceNotFoundException", "Function not found: %s", h.ARN(name))
}

// call runs one invocation on a goroutine of its own, because it outlives a caller that goes away.
func (h *Host) call(ctx context.Context, p *pool, inv *invocation) (Result, error) {
	var result Result
	var err error
	done := make(chan struct{})
	refused := h.spawn(func() {
		defer close(done)
		result, err = p.run(ctx, inv)
	})
	if refused != nil {
		return Result{}, refused
	}
	select {
	case <-done:
		return result, err
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	}
}

// spawn does work on a goroutine that Close waits for, and refuses it once the host is closing.
func (h *Host) spawn(work func()) error {
	if !h.life.Go(work) {
		return refusal(http.StatusServiceUnavailable, "ServiceException", "The host is shutting down.")
	}
	return nil
}
