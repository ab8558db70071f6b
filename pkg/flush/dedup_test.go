package flush_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// remembering is a bundle whose flusher is one of several that share a store.
func remembering(t *testing.T, o dedup.Options, targets map[string]flush.Target, names ...string) *bundle {
	t.Helper()
	d, err := dedup.New(o)
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{ledger: ledger.New()}
	b.flusher, err = flush.New(flush.Options{
		Targets: targets, Router: toAll(names), Queue: &b.queue, DeadLetters: &b.letters, Ledger: b.ledger, Logger: discard(), Dedup: d,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFlush_SamePackTwice_IsDeliveredOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(time.Now)
		s := &scripted{}
		for i, o := range []dedup.Options{{Store: store}, {Store: store, HintKeys: -1}} { // two environments
			b := remembering(t, o, map[string]flush.Target{"http": {Sink: s}}, "http")
			back := b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(3))})
			if len(back) != 0 || len(s.taken) != 3 {
				t.Fatalf("flush %d: back %v, delivered %v", i, back, s.taken)
			}
			if got, want := b.counter(ledger.Deduped, "http"), 3*i; got != want {
				t.Errorf("flush %d: deduped counts %d, want %d", i, got, want)
			}
			if in := ledger.Balance(b.ledger.Snapshot())["http"]; in != 0 {
				t.Errorf("flush %d: %d in flight, the books do not balance", i, in)
			}
		}
	})
}

func TestFlush_SameEventInTwoPacks_IsDeliveredOnceUnlessTheFirstFails(t *testing.T) {
	t.Parallel()
	s := &scripted{}
	b := remembering(t, dedup.Options{}, map[string]flush.Target{"http": {Sink: s}}, "http")
	other := append(orders(1), event.Event{ID: "own", Source: "web", Kind: "event", Tenant: "acme", Receiver: "generic", Data: []byte(`{}`)})
	back := b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(1)), message(t, "2", meta(), other)})
	if len(back) != 0 || len(s.taken) != 2 || b.counter(ledger.Deduped, "http") != 1 {
		t.Errorf("back %v, delivered %v, deduped %d; want e000 and own once each", back, s.taken, b.counter(ledger.Deduped, "http"))
	}
	refused := &scripted{script: []step{refuses("e000")}}
	b = remembering(t, dedup.Options{}, map[string]flush.Target{"http": {Sink: refused}}, "http")
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(1)), message(t, "2", meta(), other)})
	if letters, residues := b.letters.ids(t, "http"), b.queue.ids(t, "http"); len(letters) != 1 || len(residues) != 1 || residues[0] != "e000" {
		t.Errorf("letters %v, residues %v; want the second e000 to come again when the first was refused", letters, residues)
	}
}

func TestFlush_ResidueWritten_RedeliveredParentSkipsThatSink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(time.Now)
		sick := &scripted{script: always(fails(retry.Throttled, time.Minute), 9)}
		other := &scripted{script: always(fails(retry.Permanent, 0), 9)}
		targets := map[string]flush.Target{"sick": {Sink: sick}, "other": {Sink: other}}
		b := remembering(t, dedup.Options{Store: store}, targets, "sick", "other")
		b.letters.refuse = func(int) bool { return true } // the letter cannot be written: the parent comes back
		parent := []queue.Received{message(t, "1", meta(), orders(2))}
		if back := b.flusher.Flush(t.Context(), parent); len(back) != 1 || len(b.queue.got) != 1 {
			t.Fatalf("back %v with %d residues, want the parent back and one residue", back, len(b.queue.got))
		}
		b.letters.refuse = nil
		if back := b.flusher.Flush(t.Context(), parent); len(back) != 0 {
			t.Fatalf("back %v", back)
		}
		if len(sick.attempts) != 1 || len(b.queue.got) != 1 {
			t.Errorf("%d attempts at the sick sink and %d residues, want one each: its part is safe", len(sick.attempts), len(b.queue.got))
		}
		if len(b.letters.got) != 1 {
			t.Errorf("%d letters, want the one that was missing", len(b.letters.got))
		}
	})
}

func TestFlush_PackClaimedElsewhere_ComesBackInsteadOfBeingDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(time.Now)
		release := make(chan struct{})
		slow := &scripted{script: []step{func(context.Context, sink.Batch) (sink.Result, error) {
			<-release
			return sink.Result{}, nil
		}}}
		first := remembering(t, dedup.Options{Store: store}, map[string]flush.Target{"http": {Sink: slow}}, "http")
		second := remembering(t, dedup.Options{Store: store}, map[string]flush.Target{"http": {Sink: slow}}, "http")
		in := []queue.Received{message(t, "1", meta(), orders(2))}
		done := make(chan []int)
		go func() { done <- first.flusher.Flush(t.Context(), in) }()
		synctest.Wait()
		if back := second.flusher.Flush(t.Context(), in); len(back) != 1 || len(slow.attempts) != 1 {
			t.Errorf("back %v after %d attempts; want the second copy back, untouched", back, len(slow.attempts))
		}
		close(release)
		if back := <-done; len(back) != 0 || len(slow.taken) != 2 {
			t.Errorf("back %v, delivered %v", back, slow.taken)
		}
		if back := second.flusher.Flush(t.Context(), in); len(back) != 0 || len(slow.attempts) != 1 {
			t.Errorf("back %v after %d attempts; want the second copy skipped now", back, len(slow.attempts))
		}
	})
}
