package lambda

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

// pool owns the environments of one function.
type pool struct {
	host     *Host
	function Function
	slots    chan struct{} // one value per invocation in progress
	logging  sync.Mutex    // held for each Write to function.Log

	mu      sync.Mutex
	running []*environment // the oldest first, with some that are gone
}

// run serves one invocation in a warm environment or, when there is none, in a new one. When ctx ends, it only stops to wait for
// its turn.
func (p *pool) run(ctx context.Context, inv *invocation) (Result, error) {
	if err := p.reserve(ctx); err != nil {
		return Result{}, err
	}
	defer func() { <-p.slots }()
	for {
		env, err := p.take()
		if err != nil {
			return inv.failure("Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): [%s]: %v", p.function.Bootstrap, err), nil
		}
		result, served := env.serve(inv)
		p.put(env)
		if served {
			return result, nil
		}
	}
}

// reserve takes a concurrency slot, waiting up to the function's MaxWait. A closing host throttles nothing: what it has accepted has
// no other time to run.
func (p *pool) reserve(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}: // for a MaxWait of 0 the timer is as ready as the slot
		return nil
	default:
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-time.After(p.function.MaxWait):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if p.host.life.Open.Err() == nil {
		return refusal(http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// take returns the oldest idle environment or starts one.
func (p *pool) take() (*environment, error) {
	for _, env := range p.environments() {
		if env.idle.CompareAndSwap(true, false) {
			return env, nil
		}
	}
	return p.start()
}

// put makes an environment available for a while, unless its process is gone. Meanwhile it is frozen, as on AWS: what a function
// leaves behind waits for its next invocation.
func (p *pool) put(env *environment) {
	if env.gone.Err() != nil {
		return
	}
	env.signal(syscall.SIGSTOP)
	env.idle.Store(true)
	env.reaper.Reset(p.host.options.IdleTimeout)
}

func (p *pool) add(env *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, env)
}

// environments returns those that are not gone, the oldest first. No pool has none.
func (p *pool) environments() []*environment {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = slices.DeleteFunc(p.running, func(env *environment) bool { return env.gone.Err() != nil })
	return slices.Clone(p.running)
}
