package sinktest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// Fixture is a fresh sink with a destination that is well.
type Fixture struct {
	// Sink under test. The suite closes it.
	Sink sink.Sink
	// Arrived returns the ids of the events at the destination, in any order, with
	// repeats. Nil when nobody can see them.
	Arrived func(t *testing.T) []string
}

// Suite is what Run needs to know of a sink.
type Suite struct {
	// New makes a fixture. Its clean-up belongs to t.
	New func(t *testing.T) Fixture
	// Event makes the i-th event in the shape that the sink takes, each with another
	// id and all with one group key. Nil means NewEvent.
	Event func(i int) event.Event
}

// MaxCauseBytes bounds the text that a sink may give as a cause.
const MaxCauseBytes = 1024

// Run checks what holds for every sink, whatever it speaks.
func Run(t *testing.T, suite Suite) {
	t.Helper()
	if suite.Event == nil {
		suite.Event = NewEvent
	}
	cases := []struct {
		name string
		run  func(t *testing.T, suite Suite)
	}{
		{"one event is delivered", deliversOne},
		{"a full batch is delivered", deliversFullBatch},
		{"events with unusual fields and without data are delivered", deliversUnusual},
		{"an event over the limit is delivered alone or found too large", judgesOversized},
		{"concurrent sends deliver every event", deliversConcurrently},
		{"a cancelled context is no verdict on the events", obeysCancel},
		{"a context past its deadline is no verdict on the events", obeysDeadline},
		{"the batch is neither modified nor kept", leavesBatchAlone},
		{"no goroutine is left after close", leavesNoGoroutine},
		{"close can be called twice", closesTwice},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, suite)
		})
	}
}

// open makes a fixture whose sink is closed with the test.
func (s *Suite) open(t *testing.T) Fixture {
	t.Helper()
	f := s.New(t)
	t.Cleanup(func() { closeSink(t, f.Sink) })
	return f
}

func closeSink(t *testing.T, s sink.Sink) {
	t.Helper()
	if closer, ok := s.(sink.Closer); ok {
		if err := closer.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

// mustDeliver sends a batch and wants every event delivered.
func mustDeliver(t *testing.T, s sink.Sink, b sink.Batch) {
	t.Helper()
	result, err := s.Send(t.Context(), b)
	if err != nil {
		t.Fatalf("Send of %d events: %v", len(b.Events), err)
	}
	checkLength(t, &b, result)
	for i := range b.Events {
		if o := result.Of(i); o.Verdict != sink.Delivered {
			t.Fatalf("event %d (%s): got %+v, want delivered", i, b.Events[i].ID, o)
		}
	}
}

func checkLength(t *testing.T, b *sink.Batch, result sink.Result) {
	t.Helper()
	if n := len(result.Outcomes); n != 0 && n != len(b.Events) {
		t.Fatalf("Result has %d outcomes, want none or %d", n, len(b.Events))
	}
}

func mustArrive(t *testing.T, f Fixture, want []string) {
	t.Helper()
	if f.Arrived == nil {
		return
	}
	got := slices.Sorted(slices.Values(f.Arrived(t)))
	want = slices.Sorted(slices.Values(want))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ids at the destination (-want +got):\n%s", diff)
	}
}

func deliversOne(t *testing.T, suite Suite) {
	f := suite.open(t)
	b := NewBatch(suite.Event(0))
	mustDeliver(t, f.Sink, b)
	mustArrive(t, f, idsOfEvents(b.Events))
}

func deliversFullBatch(t *testing.T, suite Suite) {
	f := suite.open(t)
	count := f.Sink.Limits().MaxEvents
	if count <= 0 {
		count = 500
	}
	b := NewBatch(row(suite.Event, 0, count)...)
	mustDeliver(t, f.Sink, b)
	mustArrive(t, f, idsOfEvents(b.Events))
}

func deliversUnusual(t *testing.T, suite Suite) {
	f := suite.open(t)
	empty := suite.Event(0)
	empty.Data, empty.Time, empty.Subject = nil, time.Time{}, ""
	quoted := suite.Event(1)
	quoted.ID += "\"\\\n\t\x00☃"
	pretty := suite.Event(2)
	pretty.Data = []byte(strings.ReplaceAll(string(pretty.Data), ":", ":\r\n \t"))
	b := NewBatch(empty, quoted, pretty)
	result, err := f.Sink.Send(t.Context(), b)
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	checkLength(t, &b, result)
	var delivered []string
	for i, e := range b.Events {
		// A protocol may have no way to say an event without data; it may refuse it.
		switch o := result.Of(i); o.Verdict {
		case sink.Delivered:
			delivered = append(delivered, e.ID)
		case sink.Rejected:
			checkOutcome(t, o)
		case sink.Retry, sink.Untold:
			t.Errorf("event %d: got %+v, want delivered or rejected", i, o)
		}
	}
	mustArrive(t, f, delivered)
}

func judgesOversized(t *testing.T, suite Suite) {
	f := suite.open(t)
	limits := f.Sink.Limits()
	if limits.MaxBytes == 0 {
		return
	}
	big := suite.Event(0)
	big.Data = slices.Concat([]byte(`{"padding":"`), []byte(strings.Repeat("x", limits.MaxBytes)), []byte(`"}`))
	b := NewBatch(big)
	result, err := f.Sink.Send(t.Context(), b)
	o := Outcomes(&b, result, err, false)[0]
	if o.Verdict == sink.Retry || o.Verdict == sink.Rejected && o.Class != retry.TooLarge {
		t.Errorf("event over MaxBytes: got %+v, want delivered, or rejected as too-large", o)
	}
}

func deliversConcurrently(t *testing.T, suite Suite) {
	const senders, batches, size = 8, 5, 20
	f := suite.open(t)
	var group sync.WaitGroup
	var want []string
	for i := range senders {
		mine := row(suite.Event, i*batches*size, batches*size)
		want = append(want, idsOfEvents(mine)...)
		group.Go(func() {
			for part := range slices.Chunk(mine, size) {
				b := NewBatch(part...)
				result, err := f.Sink.Send(t.Context(), b)
				for at, o := range Outcomes(&b, result, err, false) {
					if o.Verdict != sink.Delivered {
						t.Errorf("sender %d, event %d: got %+v, want delivered", i, at, o)
					}
				}
			}
		})
	}
	group.Wait()
	mustArrive(t, f, want)
}

func obeysCancel(t *testing.T, suite Suite) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	refusesDone(ctx, t, suite)
}

func obeysDeadline(t *testing.T, suite Suite) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	refusesDone(ctx, t, suite)
}

func refusesDone(ctx context.Context, t *testing.T, suite Suite) {
	t.Helper()
	f := suite.open(t)
	_, err := f.Sink.Send(ctx, NewBatch(suite.Event(0)))
	if err == nil {
		t.Fatal("Send with a context that is done: got no error")
	}
	o := sink.OutcomeOf(err, true)
	checkOutcome(t, o)
	if o.Verdict != sink.Retry || o.Class != retry.Cancelled {
		t.Errorf("Send with a context that is done: got %s (%s), want retry (cancelled)", o.Verdict, o.Class)
	}
}

func leavesBatchAlone(t *testing.T, suite Suite) {
	f := suite.open(t)
	b := NewBatch(row(suite.Event, 0, 10)...)
	before := cloneBatch(&b)
	mustDeliver(t, f.Sink, b)
	if diff := cmp.Diff(before, b); diff != "" {
		t.Errorf("Send modified the batch (-before +after):\n%s", diff)
	}
	for i := range b.Events { // the race detector sees a sink that still reads
		copy(b.Events[i].Data, strings.Repeat("!", len(b.Events[i].Data)))
		b.Events[i].ID = "overwritten after Send"
	}
	mustDeliver(t, f.Sink, NewBatch(suite.Event(10)))
	mustArrive(t, f, append(idsOfEvents(before.Events), suite.Event(10).ID))
}

// leavesNoGoroutine: the bubble ends only when all its goroutines have.
func leavesNoGoroutine(t *testing.T, suite Suite) {
	synctest.Test(t, func(t *testing.T) {
		f := suite.open(t)
		mustDeliver(t, f.Sink, NewBatch(row(suite.Event, 0, 3)...))
	})
}

func closesTwice(t *testing.T, suite Suite) {
	f := suite.open(t)
	mustDeliver(t, f.Sink, NewBatch(suite.Event(0)))
	closeSink(t, f.Sink)
	closeSink(t, f.Sink)
}

// checkOutcome checks that an outcome which is no delivery makes sense by itself.
func checkOutcome(t *testing.T, o sink.Outcome) {
	t.Helper()
	final := o.Class == retry.Permanent || o.Class == retry.TooLarge
	switch {
	case !o.Class.Valid():
		t.Errorf("outcome %+v: unknown class", o)
	case final != (o.Verdict == sink.Rejected || o.Verdict == sink.Untold):
		t.Errorf("outcome %+v: only permanent and too-large are rejected", o)
	case o.After < 0:
		t.Errorf("outcome %+v: negative wait", o)
	case o.Cause == "":
		t.Errorf("outcome %+v: no cause", o)
	case len(o.Cause) > MaxCauseBytes || !utf8.ValidString(o.Cause) || strings.ContainsAny(o.Cause, "\r\n\x00"):
		t.Errorf("outcome with a cause of %d bytes, want one printable line of at most %d: %q", len(o.Cause), MaxCauseBytes, o.Cause)
	}
}
