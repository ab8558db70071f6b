package lambda

import (
	"os/exec"
	"runtime"
	"syscall"
)

// starter starts all processes of a host on one operating-system thread that lives as long as the host:
// on Linux a child is killed when the thread that started it ends, and Go may end any other thread.
type starter struct {
	requests chan startRequest
	done     chan struct{}
}

type startRequest struct {
	command *exec.Cmd
	reply   chan error
}

func newStarter() *starter {
	s := &starter{requests: make(chan startRequest), done: make(chan struct{})}
	go s.loop()
	return s
}

func (s *starter) loop() {
	defer close(s.done)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for request := range s.requests {
		request.reply <- request.command.Start()
	}
}

// start runs command.Start on the starter's thread.
func (s *starter) start(command *exec.Cmd) error {
	request := startRequest{command: command, reply: make(chan error, 1)}
	s.requests <- request
	return <-request.reply
}

// close ends the thread. All children must have exited, and nobody may call start any more.
func (s *starter) close() {
	close(s.requests)
	<-s.done
}

// signalGroup signals a process and everything it started. A group that is gone is no error.
func signalGroup(pid int, signal syscall.Signal) {
	_ = syscall.Kill(-pid, signal)
}
