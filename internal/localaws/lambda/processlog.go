package lambda

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	// pipeBytes is what a pipe holds at most, see pipe(7).
	pipeBytes = 64 << 10
	// maxLogLineBytes is where an overlong line is cut in two.
	maxLogLineBytes = 64 << 10
	// drainTimeout bounds the wait for a pipe that a stray grandchild keeps open.
	drainTimeout = time.Second
)

// processLog passes on what one process prints, line by line, with the host's own lines in their place.
//
// The place is found by reading: what a process printed before it asked for the next invocation is in the pipe by then, so a line
// of the host's goes behind what one read gets that does not wait. At all other times pump reads.
type processLog struct {
	read, write *os.File // write is the process's
	pipe        syscall.RawConn
	pumping     sync.WaitGroup // until nobody can write to the pipe any more

	shared *sync.Mutex // one for all that write to target; it guards what follows
	target io.Writer
	buffer [pipeBytes]byte
	line   []byte // the beginning of a line whose end has not been read
	tail   []byte // the last of what was passed on since the cut before
}

func newProcessLog(target io.Writer, shared *sync.Mutex) (*processLog, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("log pipe: %w", err)
	}
	pipe, _ := read.SyscallConn() // fails for closed files only
	l := &processLog{read: read, write: write, pipe: pipe, shared: shared, target: target}
	l.pumping.Go(l.pump)
	return l, nil
}

// pump reads whenever there is something to read.
func (l *processLog) pump() {
	_ = l.pipe.Read(func(fd uintptr) bool { // fails when close has waited long enough
		for {
			l.shared.Lock()
			n := l.readOnce(fd)
			l.shared.Unlock()
			if n <= 0 {
				return n == 0 // the end; otherwise the pipe is empty for now
			}
		}
	})
}

// readOnce reads as much as a pipe can hold, without waiting. It returns how much that was, -1 for nothing and 0 for the end.
func (l *processLog) readOnce(fd uintptr) int {
	n, _ := syscall.Read(int(fd), l.buffer[:]) // there is no other error than EAGAIN
	l.take(l.buffer[:max(n, 0)])
	return n
}

// take passes on each line that ends here, or that gets too long.
func (l *processLog) take(output []byte) {
	for piece := range bytes.Lines(output) {
		l.line = append(l.line, piece...)
		if piece[len(piece)-1] == '\n' || len(l.line) >= maxLogLineBytes {
			l.endLine()
		}
	}
}

// endLine passes on the line that was begun, in one Write. Blank ones are left out. A log that cannot be written must not stop the
// function, so errors are dropped.
func (l *processLog) endLine() {
	if line := bytes.TrimSuffix(l.line, []byte{'\n'}); len(line) > 0 {
		line = append(line, '\n')
		_, _ = l.target.Write(line)
		l.tail = append(l.tail, line...)
		l.tail = slices.Delete(l.tail, 0, max(0, len(l.tail)-LogTailBytes))
	}
	l.line = l.line[:0]
}

// platform writes lines of the host's own, such as "Task timed out", behind what the process has printed so far.
func (l *processLog) platform(format string, args ...any) {
	l.shared.Lock()
	defer l.shared.Unlock()
	_ = l.pipe.Control(func(fd uintptr) { l.readOnce(fd) }) // fails when the pipe is closed, and then it has been read
	l.endLine()
	l.take(fmt.Appendf(nil, format+"\n", args...))
}

// cut returns up to the last LogTailBytes of what was logged since the cut before.
func (l *processLog) cut() []byte {
	l.shared.Lock()
	defer l.shared.Unlock()
	tail := l.tail
	l.tail = nil
	return tail
}

// close waits until the last output of a process that is gone has been read.
func (l *processLog) close() {
	_ = l.read.SetReadDeadline(time.Now().Add(drainTimeout))
	l.pumping.Wait()
	_ = l.read.Close()
	l.shared.Lock()
	defer l.shared.Unlock()
	l.endLine()
}
