//go:build linux

package filesink_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/filesink"
	"github.com/millrace-dev/millrace/pkg/sink/sinktest"
)

// stream is a stream that tests can read while it is written.
type stream struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	writes int
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	return s.buf.Write(p)
}

func (s *stream) bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.buf.Bytes())
}

func TestStdout_Contract(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, sinktest.Suite{New: func(t *testing.T) sinktest.Fixture {
		out := &stream{}
		stdout, err := filesink.NewStdout("test", out, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return sinktest.Fixture{Sink: stdout, Arrived: func(t *testing.T) []string { return readIDs(t, out.bytes()) }}
	}})
}

func TestStdout_Send_IsOneWrite(t *testing.T) {
	t.Parallel()
	out := &stream{}
	stdout, err := filesink.NewStdout("test", out, 10, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Send(t.Context(), sinktest.NewBatch(sinktest.NewEvent(0), sinktest.NewEvent(1))); err != nil {
		t.Fatal(err)
	}
	if out.writes != 1 {
		t.Errorf("a batch took %d writes, want 1", out.writes)
	}
	if l := stdout.Limits(); l.MaxEvents != 10 || l.MaxBytes != 1000 {
		t.Errorf("Limits = %+v, want 10 events and 1000 bytes", l)
	}
}

func TestStdout_Send_BrokenStreamIsTransient(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe()
	reader.CloseWithError(errors.New("nobody reads"))
	stdout, err := filesink.NewStdout("test", writer, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = stdout.Send(t.Context(), sinktest.NewBatch(sinktest.NewEvent(0)))
	if o := sink.OutcomeOf(err, false); o.Verdict != sink.Retry || o.Class != retry.Transient || !strings.Contains(o.Cause, "nobody reads") {
		t.Errorf("got %+v, want retry (transient) that says why", o)
	}
}

func TestNewStdout_NegativeLimit(t *testing.T) {
	t.Parallel()
	if _, err := filesink.NewStdout("test", io.Discard, -1, 0); err == nil || !strings.Contains(err.Error(), "max_events") {
		t.Errorf("NewStdout: got %v, want an error about max_events", err)
	}
}
