package lambda

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// environment is one process and its Runtime API. It serves one invocation at a time.
type environment struct {
	pool    *pool
	command *exec.Cmd
	server  *http.Server
	log     *processLog

	handoff  chan *invocation // taken by the process's GET next
	finished chan struct{}    // gets a value when the process asks for the next invocation after an answer
	gone     context.Context  //nolint:containedctx // ends when the process is gone and its log read; the cause is what Wait said

	wantsSIGTERM atomic.Bool // before it is killed

	mu      sync.Mutex
	started bool    // the process has asked for an invocation
	current string  // the id of the invocation in progress, until the process asks for the next one
	answer  *Result // what the process posted, to that invocation or about its own start; taken by serve

	warm   bool        // whether there was an invocation before; belongs to the one in progress
	idle   atomic.Bool // nobody has it: whoever sets this to false does, an invocation or the reaper
	reaper *time.Timer // calls reap when it has been idle for long
}

// start opens a Runtime API and starts the function's process on it. It does not wait for the process to be ready.
func (p *pool) start() (*environment, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("runtime api: %w", err)
	}
	log, err := newProcessLog(p.function.Log, &p.logging)
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	e := &environment{pool: p, log: log, handoff: make(chan *invocation), finished: make(chan struct{}, 1)}
	e.server = &http.Server{Handler: e.runtimeAPI(), ReadHeaderTimeout: time.Minute}
	go func() { _ = e.server.Serve(listener) }()
	e.reaper = time.AfterFunc(p.host.options.IdleTimeout, e.reap)
	e.prepare(listener.Addr().String())
	gone, end := context.WithCancelCause(context.Background())
	e.gone = gone
	started := make(chan error)
	go func() { end(e.live(started)) }()
	return e, <-started
}

// prepare describes the process.
func (e *environment) prepare(runtimeAPI string) {
	f := e.pool.function
	e.command = exec.Command(f.Bootstrap) //nolint:gosec,noctx // running the user's program is the purpose; live ends it with the host
	e.command.Dir = f.Directory
	e.command.Env = variables(f, e.pool.host.options.Environment, runtimeAPI)
	e.command.Stdout, e.command.Stderr = e.log.write, e.log.write
	e.command.SysProcAttr = childAttributes()
}

// live starts the process, cleans up after it and returns how it ended. It keeps its thread for that time: on Linux a child is
// killed when the thread that started it ends, and Go may end any other thread.
func (e *environment) live(started chan<- error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := e.command.Start()
	_ = e.log.write.Close()
	if err == nil {
		e.pool.add(e)
	}
	started <- err
	if err == nil {
		stop := context.AfterFunc(e.pool.host.life.Uncut, e.kill) // at once when it has ended before
		err = e.command.Wait()
		stop()
		e.kill() // whatever it started goes too
	}
	e.reaper.Stop()
	e.log.close()
	_ = e.server.Close()
	return err
}

func (e *environment) pid() int { return e.command.Process.Pid }

// signal reaches the process and everything it started, unless it is gone: its id may belong to another by now.
func (e *environment) signal(signal syscall.Signal) {
	if e.gone.Err() == nil {
		_ = syscall.Kill(-e.pid(), signal)
	}
}

func (e *environment) kill() { e.signal(syscall.SIGKILL) }

// end kills the process and waits until it is gone.
func (e *environment) end() {
	e.kill()
	<-e.gone.Done()
}

// reap stops the environment, unless an invocation has it.
func (e *environment) reap() {
	if e.idle.CompareAndSwap(true, false) {
		e.stop()
	}
}

// stop ends an environment as AWS does: a process that registered for SIGTERM gets it and a moment, any other is killed.
func (e *environment) stop() {
	if e.wantsSIGTERM.Load() {
		e.signal(syscall.SIGCONT)
		e.signal(syscall.SIGTERM)
		select {
		case <-e.gone.Done():
		case <-time.After(e.pool.host.options.ShutdownGrace):
		}
	}
	e.end()
}
