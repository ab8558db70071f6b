package lambda

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// Options configure a Host. The zero value is usable.
type Options struct {
	// Region and AccountID appear in ARNs and in the functions' environment. Defaults "us-east-1" and "000000000000".
	Region, AccountID string
	// Environment is added to every function's own, e.g. AWS_ENDPOINT_URL.
	Environment map[string]string
	// MaxEnvironments bounds the processes of each function without a MaxConcurrency. Default 64.
	MaxEnvironments int
	// IdleTimeout is how long an unused process is kept. Default 5 minutes.
	IdleTimeout time.Duration
	// ShutdownGrace is the time between SIGTERM and SIGKILL for processes that registered for SIGTERM. Default 500 ms.
	ShutdownGrace time.Duration
	// Freeze stops processes between invocations (SIGSTOP), as AWS does, so that what a function leaves behind waits for its next
	// invocation here, too. It costs 15 µs of the 150 of an invocation. Default false: a debugger wants a process that answers.
	Freeze bool
	// Logger gets one line for each asynchronous event that is given up. Default: nothing.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.AccountID = cmp.Or(o.AccountID, "000000000000")
	o.MaxEnvironments = cmp.Or(o.MaxEnvironments, DefaultMaxEnvironments)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, DefaultIdleTimeout)
	o.ShutdownGrace = cmp.Or(o.ShutdownGrace, ShutdownGrace)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return o
}

// Host runs functions. It is safe for concurrent use. It must be closed, or processes stay behind.
type Host struct {
	options Options
	starter *starter
	pools   map[string]*pool // read-only after NewHost

	// alive ends when Close stops waiting for asynchronous events; life ends when it stops waiting for invocations.
	alive, life             context.Context //nolint:containedctx // the life of the host's own goroutines, no caller's
	stopEvents, stopRunning context.CancelFunc
	queued                  chan struct{} // one value per asynchronous event in memory
	events                  sync.WaitGroup

	mu      sync.Mutex
	closing bool
	running sync.WaitGroup // invocations; Add only under mu and while not closing
	closed  chan struct{}
}

// NewHost checks the functions and returns a host for them. It starts no process: the first invocation of a function does.
func NewHost(functions []Function, options Options) (*Host, error) {
	options = options.withDefaults()
	h := &Host{options: options, pools: map[string]*pool{}, queued: make(chan struct{}, maxQueuedEvents), closed: make(chan struct{})}
	var problems []error
	for _, f := range functions {
		problems = append(problems, h.addFunction(f))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	h.starter = newStarter()
	h.alive, h.stopEvents = context.WithCancel(context.Background())
	h.life, h.stopRunning = context.WithCancel(context.Background())
	return h, nil
}

func (h *Host) addFunction(f Function) error {
	reserved := f.MaxConcurrency > 0
	f = f.withDefaults(h.options.MaxEnvironments)
	if err := f.validate(); err != nil {
		return err
	}
	if h.pools[f.Name] != nil {
		return fmt.Errorf("function %q is there twice", f.Name)
	}
	h.pools[f.Name] = &pool{
		function: f, options: h.options, arn: h.arn(f.Name), reserved: reserved,
		lines: &lineWriter{target: f.Log},
		start: func(command *exec.Cmd) error { return h.starter.start(command) },
		slots: make(chan struct{}, f.MaxConcurrency),
		all:   map[*environment]struct{}{},
	}
	return nil
}

func (h *Host) arn(name string) string {
	return "arn:aws:lambda:" + h.options.Region + ":" + h.options.AccountID + ":function:" + name
}

// ARN returns the ARN of a function, whether it exists or not.
func (h *Host) ARN(name string) string { return h.arn(name) }

// PIDs returns the processes of a function: the leaders of their process groups. A function without any has none.
func (h *Host) PIDs(function string) []int {
	p, err := h.find(function)
	if err != nil {
		return nil
	}
	var pids []int
	for _, env := range p.environments() {
		pids = append(pids, env.pid())
	}
	slices.Sort(pids)
	return pids
}

// Kill ends all processes of a function with SIGKILL, in the middle of whatever they do, waits until they are gone and
// returns how many there were. It is for chaos tests: invocations in progress fail with Runtime.ExitError.
func (h *Host) Kill(function string) int {
	p, err := h.find(function)
	if err != nil {
		return 0
	}
	environments := p.environments()
	for _, env := range environments {
		env.kill()
	}
	return len(environments)
}

// Close drains and ends the host: no new invocations, asynchronous events that wait for a retry are given up, invocations in
// progress may finish until ctx ends and are killed then. When it returns, no process is left. It is idempotent.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	first := !h.closing
	h.closing = true
	h.mu.Unlock()
	if !first {
		<-h.closed
		return nil
	}
	h.stopEvents()
	stop := context.AfterFunc(ctx, h.stopRunning)
	h.events.Wait()
	h.running.Wait()
	cut := !stop()
	h.stopRunning()
	var pools sync.WaitGroup
	for _, p := range h.pools {
		pools.Go(p.close)
	}
	pools.Wait()
	h.starter.close()
	close(h.closed)
	if cut {
		return fmt.Errorf("lambda host: invocations in progress were killed: %w", context.Cause(ctx))
	}
	return nil
}
