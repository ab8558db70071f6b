package lambda

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/account"
	"github.com/millrace-dev/millrace/internal/localaws/lifetime"
)

// Options configure a Host. The zero value is usable.
type Options struct {
	// Environment is added to every function's own, e.g. AWS_ENDPOINT_URL.
	Environment map[string]string
	// IdleTimeout is how long an unused process is kept. Default 5 minutes.
	IdleTimeout time.Duration
	// ShutdownGrace is the time between SIGTERM and SIGKILL for processes that registered for SIGTERM. Default 500 ms.
	ShutdownGrace time.Duration
	// Logger gets one line for each asynchronous event that is given up. Default: nothing.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.IdleTimeout = cmp.Or(o.IdleTimeout, DefaultIdleTimeout)
	o.ShutdownGrace = cmp.Or(o.ShutdownGrace, ShutdownGrace)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return o
}

// Host runs functions. It is safe for concurrent use. It must be closed, or processes stay behind.
type Host struct {
	options Options
	pools   map[string]*pool   // by function; read-only after NewHost
	life    *lifetime.Lifetime // of invocations, and of events with the pauses between their tries
}

// NewHost checks the functions and returns a host for them. It starts no process: the first invocation of a function does.
func NewHost(functions []Function, options Options) (*Host, error) {
	h := &Host{options: options.withDefaults(), pools: map[string]*pool{}, life: lifetime.New("lambda host")}
	var problems []error
	for _, f := range functions {
		problems = append(problems, h.addFunction(f))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return h, nil
}

func (h *Host) addFunction(f Function) error {
	f = f.withDefaults()
	if err := f.validate(); err != nil {
		return err
	}
	if h.pools[f.Name] != nil {
		return fmt.Errorf("function %q is there twice", f.Name)
	}
	h.pools[f.Name] = &pool{host: h, function: f, slots: make(chan struct{}, f.MaxConcurrency)}
	return nil
}

// ARN returns the ARN of a function, whether it exists or not.
func (h *Host) ARN(name string) string { return account.ARN("lambda", "function:"+name) }

// PIDs returns the processes of a function: the leaders of their process groups, the oldest first. A function without any
// has none.
func (h *Host) PIDs(function string) []int {
	var pids []int
	for _, env := range h.pools[function].environments() {
		pids = append(pids, env.pid())
	}
	return pids
}

// Kill ends all processes of a function with SIGKILL, in the middle of whatever they do, waits until they are gone and
// returns how many there were. It is for chaos tests: invocations in progress fail with Runtime.ExitError.
func (h *Host) Kill(function string) int {
	environments := h.pools[function].environments()
	for _, env := range environments {
		env.end()
	}
	return len(environments)
}

// Close drains and ends the host: no new invocations, asynchronous events that wait for a retry are given up, invocations in
// progress may finish until ctx ends and are killed then. When it returns, no process is left. It is idempotent.
func (h *Host) Close(ctx context.Context) error {
	err := h.life.End(ctx)
	var stopping sync.WaitGroup
	for _, p := range h.pools {
		for _, env := range p.environments() {
			stopping.Go(env.stop)
		}
	}
	stopping.Wait()
	return err //nolint:wrapcheck // it names the host
}
