package ledger_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/ledger"
)

func TestLedger_Take_IsSortedAndStartsAgain(t *testing.T) {
	t.Parallel()
	l := ledger.New()
	l.Add(ledger.Key{Counter: ledger.Routed, Sink: "b"}, 2)
	l.Add(ledger.Key{Counter: ledger.Routed, Sink: "a"}, 1)
	l.Add(ledger.Key{Counter: ledger.Delivered, Sink: "b"}, 1)
	l.Add(ledger.Key{Counter: ledger.Routed, Sink: "b"}, 3)
	l.Add(ledger.Key{Counter: ledger.Deferred, Sink: "b", Class: "throttled"}, 0)
	want := []ledger.Entry{
		{Key: ledger.Key{Counter: ledger.Delivered, Sink: "b"}, Count: 1},
		{Key: ledger.Key{Counter: ledger.Routed, Sink: "a"}, Count: 1},
		{Key: ledger.Key{Counter: ledger.Routed, Sink: "b"}, Count: 5},
	}
	if diff := cmp.Diff(want, l.Snapshot()); diff != "" {
		t.Errorf("Snapshot (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, l.Take()); diff != "" {
		t.Errorf("Take after Snapshot (-want +got):\n%s", diff)
	}
	if left := l.Take(); len(left) != 0 {
		t.Errorf("Take again = %v, want nothing", left)
	}
}

// Counts that are added while others take are in exactly one of the takes.
func TestLedger_TakeWhileAdding_LosesNothing(t *testing.T) {
	t.Parallel()
	var l ledger.Ledger
	key := ledger.Key{Counter: ledger.Received, Receiver: "generic", Tenant: "acme"}
	const adders, additions = 8, 1000
	takes := make(chan int, adders*additions)
	var all sync.WaitGroup
	for range adders {
		all.Go(func() {
			for range additions {
				l.Add(key, 1)
				for _, e := range l.Take() {
					takes <- e.Count
				}
			}
		})
	}
	all.Wait()
	close(takes)
	sum := 0
	for n := range takes {
		sum += n
	}
	if sum != adders*additions {
		t.Errorf("the takes sum to %d, want %d", sum, adders*additions)
	}
}

func TestBalance_InFlight_IsWhatHasNoEnd(t *testing.T) {
	t.Parallel()
	entries := []ledger.Entry{
		{Key: ledger.Key{Counter: ledger.Routed, Sink: "a"}, Count: 10},
		{Key: ledger.Key{Counter: ledger.Delivered, Sink: "a"}, Count: 4},
		{Key: ledger.Key{Counter: ledger.Deduped, Sink: "a"}, Count: 1},
		{Key: ledger.Key{Counter: ledger.Rejected, Sink: "a", Class: "permanent"}, Count: 1},
		{Key: ledger.Key{Counter: ledger.DeadLettered, Sink: "a", Class: "setup"}, Count: 1},
		{Key: ledger.Key{Counter: ledger.Retried, Sink: "a"}, Count: 100},
		{Key: ledger.Key{Counter: ledger.Deferred, Sink: "a", Class: "throttled"}, Count: 100},
		{Key: ledger.Key{Counter: ledger.Routed, Sink: "b"}, Count: 5},
		{Key: ledger.Key{Counter: ledger.Returned, Sink: "b"}, Count: 3},
		{Key: ledger.Key{Counter: ledger.Delivered, Sink: "b"}, Count: 2},
		{Key: ledger.Key{Counter: ledger.Unrouted}, Count: 9},
		{Key: ledger.Key{Counter: ledger.Received, Receiver: "generic"}, Count: 9},
	}
	if diff := cmp.Diff(map[string]int{"a": 3, "b": 0}, ledger.Balance(entries)); diff != "" {
		t.Errorf("Balance (-want +got):\n%s", diff)
	}
	if got := ledger.Unaccounted(entries); got != 9 {
		t.Errorf("Unaccounted = %d, want 9", got)
	}
}

// Events that end once leave the books balanced, whatever their ends.
func TestUnaccounted_EveryItemCounted_IsZero(t *testing.T) {
	t.Parallel()
	ends := rapid.SliceOf(rapid.SampledFrom([]ledger.Counter{
		ledger.Accepted, ledger.Refused, ledger.Filtered, ledger.Sampled, ledger.Limited,
	}))
	rapid.Check(t, func(t *rapid.T) {
		var l ledger.Ledger
		for _, end := range ends.Draw(t, "ends") {
			l.Add(ledger.Key{Counter: ledger.Received, Receiver: "generic"}, 1)
			l.Add(ledger.Key{Counter: end, Receiver: "generic"}, 1)
		}
		if got := ledger.Unaccounted(l.Take()); got != 0 {
			t.Errorf("Unaccounted = %d, want 0", got)
		}
	})
}

func BenchmarkLedger_Add(b *testing.B) {
	l := ledger.New()
	key := ledger.Key{Counter: ledger.Accepted, Receiver: "posthog", Tenant: "acme"}
	b.ReportAllocs()
	for b.Loop() {
		l.Add(key, 50)
	}
}
