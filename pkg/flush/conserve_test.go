package flush_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// moody is a sink that answers as drawn.
type moody struct {
	draw  func(n int) []sink.Outcome
	taken []string
}

func (*moody) Limits() batch.Limits { return batch.Limits{MaxEvents: 7} }

func (s *moody) Send(_ context.Context, b sink.Batch) (sink.Result, error) {
	r := sink.Result{Outcomes: s.draw(len(b.Events))}
	for i := range b.Events {
		if r.Of(i).Verdict == sink.Delivered {
			s.taken = append(s.taken, b.Events[i].ID)
		}
	}
	return r, nil
}

// moodOf goes through a script again and again.
func moodOf(script []sink.Outcome) *moody {
	at := 0
	return &moody{draw: func(n int) []sink.Outcome {
		outcomes := make([]sink.Outcome, n)
		for i := range outcomes {
			outcomes[i] = script[at%len(script)]
			at++
		}
		return outcomes
	}}
}

func genOutcome() *rapid.Generator[sink.Outcome] {
	return rapid.Custom(func(t *rapid.T) sink.Outcome {
		class := rapid.SampledFrom([]retry.Class{
			"", "", retry.Transient, retry.Throttled, retry.TooLarge, retry.Permanent, retry.Setup, retry.Cancelled,
		}).Draw(t, "class")
		if class == "" {
			return sink.Outcome{}
		}
		o := sink.Fail(class, "drawn", nil).Outcome
		o.After = time.Duration(rapid.IntRange(0, 20).Draw(t, "after")) * time.Second
		return o
	})
}

// Whatever two sinks say and whatever the queues refuse: for each sink, every event is
// delivered, or on the queue, or a dead letter, or its message comes back. Nothing is
// in two of the first three places.
func TestFlush_Property_NothingIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) { conserve(t, rt) })
}

func conserve(t *testing.T, rt *rapid.T) {
	sinks := map[string]*moody{}
	targets := map[string]flush.Target{}
	for _, name := range []string{"a", "b"} {
		// Drawing is not safe from two goroutines at once: decide everything now.
		s := moodOf(rapid.SliceOfN(genOutcome(), 1, 40).Draw(rt, "outcomes of "+name))
		sinks[name] = s
		targets[name] = flush.Target{Sink: s, Policy: retry.Policy{MaxAttempts: 3}, Gate: gate.Options{Concurrency: 1}}
	}
	var residues, letters box
	for name, b := range map[string]*box{"residues": &residues, "letters": &letters} {
		refused := rapid.SliceOfDistinct(rapid.IntRange(0, 5), rapid.ID).Draw(rt, "refused "+name)
		b.refuse = func(i int) bool { return slices.Contains(refused, i) }
	}
	books := ledger.New()
	f, err := flush.New(flush.Options{
		Targets: targets, Router: toAll{"a", "b"}, Queue: &residues, DeadLetters: &letters, Ledger: books, Logger: discard(),
	})
	if err != nil {
		rt.Fatal(err)
	}
	in, ids := drawMessages(t, rt)
	var back []int
	// Virtual time for the waits. Drawing and failing stay outside: rapid does not
	// reach into the bubble.
	synctest.Test(t, func(t *testing.T) { back = f.Flush(t.Context(), in) })
	for name, s := range sinks {
		seen := map[string]int{}
		for _, list := range [][]string{s.taken, residues.ids(t, name), letters.ids(t, name)} {
			for _, id := range list {
				seen[id]++
			}
		}
		checkConserved(rt, name, seen, ids, back)
	}
	for name, n := range ledger.Balance(books.Snapshot()) {
		if onQueue := len(residues.ids(t, name)); n != onQueue {
			rt.Fatalf("sink %s: the books say %d in flight, %d are on the queue", name, n, onQueue)
		}
	}
}

// drawMessages returns messages and the ids in each.
func drawMessages(t *testing.T, rt *rapid.T) (in []queue.Received, ids [][]string) {
	n := rapid.IntRange(1, 5).Draw(rt, "messages")
	for i := range n {
		es := make([]event.Event, rapid.IntRange(1, 20).Draw(rt, "events"))
		for k := range es {
			es[k] = event.Event{ID: fmt.Sprintf("%d-%d", i, k), Source: "web", Kind: "event", Tenant: "acme", Receiver: "generic", Data: []byte(`{}`)}
		}
		in = append(in, message(t, fmt.Sprint(i), meta(), es))
		ids = append(ids, idsOf(es))
	}
	return in, ids
}

func checkConserved(rt *rapid.T, name string, seen map[string]int, ids [][]string, back []int) {
	for i := range ids {
		for _, id := range ids[i] {
			switch {
			case seen[id] == 0 && !slices.Contains(back, i):
				rt.Fatalf("sink %s: event %s is lost", name, id)
			case seen[id] > 1:
				rt.Fatalf("sink %s: event %s is in %d places", name, id, seen[id])
			}
			delete(seen, id)
		}
	}
	if len(seen) > 0 {
		rt.Fatalf("sink %s: events from nowhere: %v", name, slices.Collect(maps.Keys(seen)))
	}
}
