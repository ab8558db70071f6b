package devtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// readyTimeout is generous: a loaded CI machine starts processes slowly.
	readyTimeout = 60 * time.Second
	// stopTimeout is more than millrace dev takes to drain by default.
	stopTimeout = 60 * time.Second
	// shownLogBytes is how much of the log a failed test shows.
	shownLogBytes = 16 << 10
)

// Options say what to run.
type Options struct {
	// Config is the path of the configuration. Required.
	Config string
	// Env is added to the environment, NAME=value each.
	Env []string
	// Args are added to the command line.
	Args []string
}

// Dev is a running `millrace dev`.
type Dev struct {
	// API is where events are sent, AWS the endpoint for AWS SDKs, both "http://127.0.0.1:port".
	API string `json:"api"`
	AWS string `json:"aws"`
	// QueueURL and DLQURL name the two queues.
	QueueURL string `json:"queue_url"`
	DLQURL   string `json:"dlq_url"`
	// PID is the process of `millrace dev`; its functions are its children.
	PID   int  `json:"pid"`
	Ready bool `json:"ready"`
	// Dir holds the process's data: logs, and whatever the configuration writes by relative path.
	Dir string `json:"-"`

	t       testing.TB
	command *exec.Cmd
	exited  chan struct{} // closed when the process has ended
	stop    sync.Once
}

// Start runs `millrace dev` and returns when it is ready. It is stopped when the test ends, if it was not before; then the test
// fails unless it drained and exited with 0. A test that failed gets to see the end of its log.
func Start(t testing.TB, o Options) *Dev {
	t.Helper()
	config, err := filepath.Abs(o.Config)
	if err != nil {
		t.Fatalf("devtest: %v", err)
	}
	root := Root(t)
	d := &Dev{t: t, Dir: t.TempDir(), exited: make(chan struct{})}
	args := []string{
		"dev", "--json", "--config", config, "--dist", filepath.Join(root, "dist"), "--data", filepath.Join(d.Dir, "data"),
		"--listen", "127.0.0.1:0", "--aws-listen", "127.0.0.1:0",
	}
	d.command = exec.Command(filepath.Join(root, "bin", "millrace"), slices.Concat(args, o.Args)...) //nolint:gosec,noctx // ours; Stop ends it in order
	d.command.Dir = d.Dir
	d.command.Env = append(os.Environ(), o.Env...)
	if err := d.run(); err != nil {
		t.Fatalf("devtest: %v (make build makes the binaries)\n%s", err, d.Log())
	}
	t.Cleanup(d.Stop)
	return d
}

// run starts the process and waits for its ready line.
func (d *Dev) run() error {
	// A file, not a pipe: whatever becomes of the process, nobody waits for a reader.
	log, err := os.Create(d.logPath())
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	defer func() { _ = log.Close() }()
	d.command.Stderr = log
	stdout, err := d.command.StdoutPipe()
	if err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	if err := d.command.Start(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	line := make(chan []byte, 1)
	go func() {
		defer close(d.exited)
		reader := bufio.NewReader(stdout)
		first, _ := reader.ReadBytes('\n')
		line <- first
		_, _ = io.Copy(io.Discard, reader)
		_ = d.command.Wait() // Stop looks at the exit code
	}()
	return d.awaitReady(line)
}

func (d *Dev) awaitReady(line <-chan []byte) error {
	select {
	case first := <-line:
		if err := json.Unmarshal(first, d); err != nil || !d.Ready {
			d.kill()
			return fmt.Errorf("the first line is %q, want the ready line", bytes.TrimSpace(first))
		}
		return nil
	case <-time.After(readyTimeout):
		d.kill()
		return errors.New("not ready in time")
	}
}

func (d *Dev) kill() {
	_ = d.command.Process.Kill()
	<-d.exited
}

// Stop interrupts the process as Ctrl-C does and waits until it has drained and ended. It is idempotent.
func (d *Dev) Stop() {
	d.t.Helper()
	d.stop.Do(func() {
		d.t.Helper()
		if d.t.Failed() {
			d.t.Logf("log of millrace dev:\n%s", d.Log())
		}
		_ = d.command.Process.Signal(syscall.SIGINT)
		select {
		case <-d.exited:
		case <-time.After(stopTimeout):
			d.kill()
			d.t.Errorf("devtest: millrace dev did not end within %s of SIGINT\n%s", stopTimeout, d.Log())
			return
		}
		if code := d.command.ProcessState.ExitCode(); code != 0 {
			d.t.Errorf("devtest: exit code = %d, want 0\n%s", code, d.Log())
		}
	})
}

func (d *Dev) logPath() string { return filepath.Join(d.Dir, "dev.log") }

// Log returns the end of what the process wrote to standard error.
func (d *Dev) Log() string {
	text, err := os.ReadFile(d.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-shownLogBytes):])
}

// Root returns the root of the repository: the nearest directory above the test's with cmd/millrace in it.
func Root(t testing.TB) string {
	t.Helper()
	start, err := os.Getwd()
	if err != nil {
		t.Fatalf("devtest: %v", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "cmd", "millrace")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("devtest: no repository above %s", start)
		}
	}
}
