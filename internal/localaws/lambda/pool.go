package lambda

import (
	"context"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// pool owns the environments of one function.
type pool struct {
	function Function
	options  Options
	arn      string
	reserved bool // the function has its own limit, as opposed to the host's
	lines    *lineWriter
	start    func(*exec.Cmd) error

	slots chan struct{} // one value per invocation in progress

	mu   sync.Mutex
	idle []*environment // the most recently used last
	all  map[*environment]struct{}
	gone sync.WaitGroup // environments whose process may still run
}

// reserve takes a concurrency slot, waiting up to the function's MaxWait. The caller must give it back with p.release.
func (p *pool) reserve(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	if p.function.MaxWait == 0 {
		return p.throttled()
	}
	timer := time.NewTimer(p.function.MaxWait)
	defer timer.Stop()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return p.throttled()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *pool) release() { <-p.slots }

func (p *pool) throttled() error {
	if p.reserved {
		return throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
	}
	return throttled("ConcurrentInvocationLimitExceeded")
}

// run serves one invocation in a warm environment or a new one. ctx ends when the host gives up waiting.
func (p *pool) run(ctx context.Context, inv *invocation) Result {
	begin := time.Now()
	answer, tail := p.attempt(ctx, inv)
	result := Result{RequestID: inv.id, Status: 200, Payload: answer.payload, LogTail: tail, Duration: time.Since(begin)}
	if answer.failed {
		result.FunctionError = Unhandled
	}
	return result
}

// attempt goes through warm environments until one takes the invocation, and starts one when none does.
func (p *pool) attempt(ctx context.Context, inv *invocation) (outcome, []byte) {
	for env := p.takeIdle(); env != nil; env = p.takeIdle() {
		if answer, delivered, tail := p.serveOn(ctx, env, inv); delivered {
			return answer, tail
		}
	}
	env, err := p.add()
	if err != nil {
		return noEntrypoint(inv.id, p.function.Bootstrap, err), nil
	}
	if inv.wantTail {
		env.logs.beginTail() // the log of a cold start belongs to its first invocation
	}
	if failed := env.awaitReady(ctx, inv.id); failed != nil {
		env.kill()
		env.logStart(inv)
		env.logReport(inv, *failed, 0)
		return *failed, tailOf(env, inv)
	}
	answer, delivered, tail := p.serveOn(ctx, env, inv)
	if !delivered {
		return crashed(inv.id, env.exitReason()), tail
	}
	return answer, tail
}

// serveOn runs the invocation and puts the environment back when it is still good.
func (p *pool) serveOn(ctx context.Context, env *environment, inv *invocation) (outcome, bool, []byte) {
	stop := context.AfterFunc(ctx, env.kill)
	answer, delivered := env.serve(inv)
	stop()
	tail := tailOf(env, inv)
	p.putIdle(env)
	return answer, delivered, tail
}

func tailOf(env *environment, inv *invocation) []byte {
	if !inv.wantTail {
		return nil
	}
	return env.logs.endTail()
}

// takeIdle returns the environment used last, or nil when there is none.
func (p *pool) takeIdle() *environment {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		env := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if env.reaper != nil {
			env.reaper.Stop()
		}
		if env.alive() {
			return env
		}
	}
	return nil
}

func (p *pool) putIdle(env *environment) {
	if !env.alive() {
		return
	}
	env.freeze()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, env)
	if env.reaper == nil {
		env.reaper = time.AfterFunc(p.options.IdleTimeout, func() { p.reap(env) })
	} else {
		env.reaper.Reset(p.options.IdleTimeout)
	}
}

// reap stops an environment, unless an invocation took it just now.
func (p *pool) reap(env *environment) {
	p.mu.Lock()
	at := slices.Index(p.idle, env)
	if at >= 0 {
		p.idle = slices.Delete(p.idle, at, at+1)
	}
	p.mu.Unlock()
	if at >= 0 {
		env.stop(p.options.ShutdownGrace)
	}
}

// add starts a new environment.
func (p *pool) add() (*environment, error) {
	env, err := startEnvironment(p.function, p.options, p.lines, p.start)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.all[env] = struct{}{}
	p.mu.Unlock()
	p.gone.Go(func() {
		<-env.exited
		p.mu.Lock()
		delete(p.all, env)
		p.mu.Unlock()
	})
	return env, nil
}

// environments returns those whose process still runs.
func (p *pool) environments() []*environment {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]*environment, 0, len(p.all))
	for env := range p.all {
		if env.alive() {
			list = append(list, env)
		}
	}
	return list
}

// close stops every environment and waits until no process is left. Nothing may be running.
func (p *pool) close() {
	p.mu.Lock()
	for _, env := range p.idle {
		env.reaper.Stop()
	}
	p.idle = nil
	p.mu.Unlock()
	for _, env := range p.environments() {
		go env.stop(p.options.ShutdownGrace) // ends by the time p.gone does
	}
	p.gone.Wait()
}
