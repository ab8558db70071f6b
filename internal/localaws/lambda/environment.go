package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// environment is one process and its Runtime API. It serves one invocation at a time.
type environment struct {
	function Function
	options  Options
	command  *exec.Cmd
	server   *http.Server
	logs     *logPump

	handoff  chan *invocation // taken by the process's GET next
	ready    chan struct{}    // closed at the first GET next
	stopping chan struct{}    // closed when the environment begins to shut down
	exited   chan struct{}    // closed when the process is gone, its log read and its listener closed

	readyOnce, stoppingOnce sync.Once
	bodies                  sync.Pool // of *bytes.Buffer, for what the process posts

	mu         sync.Mutex
	current    *invocation // handed over, and the next one not asked for yet
	initError  *outcome    // what the process posted to init/error
	extensions map[string]*extension
	exit       string // how the process ended, in AWS's words; valid once exited is closed

	// initialisation is how long the start took, until an invocation has reported it; peakMB is the most memory at the end of one.
	// Both belong to the invocation in progress.
	initialisation time.Duration
	peakMB         int

	reaper *time.Timer // ends the environment when it has been idle too long; owned by the pool
}

// startEnvironment opens a Runtime API and starts the function's process on it. It does not wait for the process to be ready.
func startEnvironment(f Function, options Options, lines *lineWriter, start func(*exec.Cmd) error) (*environment, error) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails, see crypto/rand
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("runtime api of %s: %w", f.Name, err)
	}
	logs, err := newLogPump(lines, hex.EncodeToString(id[:]))
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	e := &environment{
		function: f, options: options, logs: logs,
		handoff: make(chan *invocation), ready: make(chan struct{}), stopping: make(chan struct{}), exited: make(chan struct{}),
		extensions: map[string]*extension{},
	}
	//nolint:gosec,noctx // running the user's program is the purpose, and its whole group is ended by kill and stop
	e.command = exec.Command(f.Bootstrap)
	e.command.Dir = f.Directory
	e.command.Env = variables(f, options, listener.Addr().String(), logStreamName(time.Now(), id[:]))
	e.command.Stdout, e.command.Stderr = logs.write, logs.write
	e.command.SysProcAttr = childAttributes()
	if err := start(e.command); err != nil {
		_ = listener.Close()
		logs.close()
		return nil, fmt.Errorf("start %s: %w", f.Bootstrap, err)
	}
	e.server = &http.Server{Handler: http.HandlerFunc(e.serveRuntimeAPI), ReadHeaderTimeout: time.Minute}
	go func() { _ = e.server.Serve(listener) }()
	go e.watch()
	return e, nil
}

// watch reaps the process and cleans up after it.
func (e *environment) watch() {
	err := e.command.Wait()
	signalGroup(e.pid(), syscall.SIGKILL) // whatever it started goes too
	e.beginStopping()
	e.logs.close()
	_ = e.server.Close()
	e.mu.Lock()
	e.exit = describeExit(err)
	e.mu.Unlock()
	close(e.exited)
}

func describeExit(err error) string {
	if err == nil {
		return "Runtime exited without providing a reason"
	}
	return "Runtime exited with error: " + err.Error()
}

// exitReason is valid once exited is closed.
func (e *environment) exitReason() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.exit
}

func (e *environment) pid() int { return e.command.Process.Pid }

// alive reports whether the process still runs.
func (e *environment) alive() bool {
	select {
	case <-e.exited:
		return false
	default:
		return true
	}
}

// kill ends the process group at once and waits until it is gone.
func (e *environment) kill() {
	if e.alive() { // the id of a reaped process may belong to another by now
		signalGroup(e.pid(), syscall.SIGKILL)
	}
	<-e.exited
}

// stop ends an environment as AWS does: a process that registered an extension gets SIGTERM and a moment, any other is killed.
func (e *environment) stop(grace time.Duration) {
	e.beginStopping()
	if e.hasExtensions() {
		signalGroup(e.pid(), syscall.SIGCONT)
		signalGroup(e.pid(), syscall.SIGTERM)
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-e.exited:
			return
		case <-timer.C:
		}
	}
	e.kill()
}

func (e *environment) beginStopping() {
	e.stoppingOnce.Do(func() { close(e.stopping) })
}

// freeze stops a process between invocations, as AWS does, and thaw lets it go on. Both do nothing unless the host freezes.
func (e *environment) freeze() {
	if e.options.Freeze {
		signalGroup(e.pid(), syscall.SIGSTOP)
	}
}

func (e *environment) thaw() {
	if e.options.Freeze {
		signalGroup(e.pid(), syscall.SIGCONT)
	}
}
