package lambda

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	maxLogLineBytes = 64 << 10
	// drainTimeout bounds the wait for a pipe that a stray grandchild keeps open.
	drainTimeout = time.Second
)

// lineWriter lets many environments share one log: whole lines, one at a time.
type lineWriter struct {
	mu     sync.Mutex
	target io.Writer
}

// WriteLine writes one line that ends in a newline. A log that cannot be written must not stop the function, so errors are dropped.
func (w *lineWriter) WriteLine(line []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.target.Write(line)
}

// logPump carries one process's output from a pipe to the function's log and keeps the tail of the running invocation.
type logPump struct {
	read, write *os.File
	lines       *lineWriter
	marker      []byte        // a line that only the host writes: what came before it has been read
	marks       chan struct{} // one value per marker seen
	drained     chan struct{} // closed when the pipe ended

	mu   sync.Mutex
	tail []byte
	keep bool
}

func newLogPump(lines *lineWriter, id string) (*logPump, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("log pipe: %w", err)
	}
	pump := &logPump{
		read: read, write: write, lines: lines, marker: []byte("\x00mark " + id + "\n"),
		marks: make(chan struct{}, 1), drained: make(chan struct{}),
	}
	go pump.loop()
	return pump, nil
}

func (p *logPump) loop() {
	defer close(p.drained)
	defer func() { _ = p.read.Close() }()
	reader := bufio.NewReaderSize(p.read, maxLogLineBytes)
	for {
		line, err := reader.ReadSlice('\n')
		p.take(line)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// take passes on one line, or the piece of an overlong or unfinished one with the newline it lacks. Blank lines are left out.
func (p *logPump) take(line []byte) {
	if bytes.Equal(line, p.marker) {
		p.marks <- struct{}{}
		return
	}
	if len(line) == 0 || line[0] == '\n' {
		return
	}
	if line[len(line)-1] != '\n' {
		line = append(bytes.Clone(line), '\n')
	}
	p.remember(line)
	p.lines.WriteLine(line)
}

func (p *logPump) remember(line []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.keep {
		return
	}
	p.tail = append(p.tail, line...)
	if excess := len(p.tail) - LogTailBytes; excess > 0 {
		p.tail = append(p.tail[:0], p.tail[excess:]...)
	}
}

// platform writes a line of the host's own, such as "Task timed out", behind what the function has written so far: through
// its pipe, as long as that is open. The newline first ends a line that the function left open.
func (p *logPump) platform(format string, args ...any) {
	if p.lines.target == io.Discard && !p.keeps() {
		return
	}
	line := fmt.Appendf([]byte{'\n'}, format+"\n", args...)
	if _, err := p.write.Write(line); err != nil {
		p.take(line[1:])
	}
}

func (p *logPump) keeps() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keep
}

// beginTail starts to keep what is logged from now on, unless it does already, since the cold start.
func (p *logPump) beginTail() {
	if p.keeps() {
		return
	}
	p.catchUp()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep, p.tail = true, p.tail[:0]
}

// endTail returns a copy of the tail.
func (p *logPump) endTail() []byte {
	p.catchUp()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep = false
	return bytes.Clone(p.tail)
}

// catchUp waits until everything written so far has been read.
func (p *logPump) catchUp() {
	// The newline first ends a line that the process left open.
	if _, err := p.write.Write(append([]byte{'\n'}, p.marker...)); err == nil {
		select {
		case <-p.marks:
		case <-p.drained:
		}
	}
}

// close ends the pump after the process ended and waits until its last output has been read.
func (p *logPump) close() {
	_ = p.write.Close()
	_ = p.read.SetReadDeadline(time.Now().Add(drainTimeout))
	<-p.drained
}
