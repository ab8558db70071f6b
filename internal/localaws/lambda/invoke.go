package lambda

import (
	"context"
	"strings"
)

// Invoke runs a function. The name may be a plain name or any ARN form of it. payload is JSON and must not be changed afterwards,
// not even when Invoke has returned; an empty one becomes {}.
//
// A function that fails is no error: look at Result.FunctionError. Errors are an *Error (not found, throttled, too large,
// shutting down) or ctx's own; when ctx ends, the function goes on without its caller, as on AWS.
func (h *Host) Invoke(ctx context.Context, function string, payload []byte, options InvokeOptions) (Result, error) {
	p, err := h.find(function)
	if err != nil {
		return Result{}, err
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	switch options.Type {
	case InvocationRequestResponse, "":
		return h.call(ctx, p, payload, options)
	case InvocationEvent:
		return h.enqueue(p, payload, options)
	case InvocationDryRun:
		return Result{Status: 204}, nil
	default:
		return Result{}, invalidParameter("Unknown invocation type " + string(options.Type))
	}
}

// Invoker binds Invoke to a function and to the zero options.
func (h *Host) Invoker(function string) func(ctx context.Context, payload []byte) (Result, error) {
	return func(ctx context.Context, payload []byte) (Result, error) {
		return h.Invoke(ctx, function, payload, InvokeOptions{})
	}
}

// call runs one invocation on a goroutine of its own, because it outlives a caller that goes away.
func (h *Host) call(ctx context.Context, p *pool, payload []byte, options InvokeOptions) (Result, error) {
	if len(payload) > MaxPayloadBytes {
		return Result{}, tooLarge(MaxPayloadBytes)
	}
	if !h.begin() {
		return Result{}, shuttingDown()
	}
	if err := p.reserve(ctx); err != nil {
		h.running.Done()
		return Result{}, err
	}
	done := make(chan Result, 1)
	go func() {
		defer h.running.Done()
		result := p.run(h.life, newInvocation(p.arn, payload, options))
		p.release() // before the caller knows, so that its next call finds the slot
		done <- result
	}()
	select {
	case result := <-done:
		return result, nil
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	}
}

// begin counts an invocation in, unless the host is closing.
func (h *Host) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	h.running.Add(1)
	return true
}

// find resolves "name", "name:$LATEST", "account:function:name" and full ARNs.
func (h *Host) find(function string) (*pool, error) {
	name, qualifier := splitName(function)
	if p := h.pools[name]; p != nil && (qualifier == "" || qualifier == Version) {
		return p, nil
	}
	if qualifier != "" {
		name += ":" + qualifier
	}
	return nil, notFound(h.arn(name))
}

// splitName takes the function's name and its qualifier out of any of the forms that the Invoke API accepts.
func splitName(function string) (name, qualifier string) {
	if at := strings.LastIndex(function, "function:"); at >= 0 {
		function = function[at+len("function:"):]
	}
	name, qualifier, _ = strings.Cut(function, ":")
	return name, qualifier
}
