package flush_test

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// refusesBatchesWith answers a class and a status to every batch that holds one of the ids.
func refusesBatchesWith(class retry.Class, status int, ids []string) step {
	return func(_ context.Context, b sink.Batch) (sink.Result, error) {
		for _, id := range idsOf(b.Events) {
			if slices.Contains(ids, id) {
				f := sink.Fail(class, "told to", nil)
				f.Outcome.Status = status
				return sink.Result{}, f
			}
		}
		return sink.Result{}, nil
	}
}

// One poison event, or two, among any number: they alone become dead letters, and the
// requests stay within two for each halving and each of them.
func TestFlush_Property_PoisonIsFoundWithinTheBound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 600).Draw(rt, "events")
		ids := idsOf(orders(n))
		bad := rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, min(2, n), rapid.ID).Draw(rt, "poison")
		kind := rapid.SampledFrom([]struct {
			class  retry.Class
			status int
		}{{retry.Permanent, 400}, {retry.Permanent, 422}, {retry.TooLarge, 413}}).Draw(rt, "kind")
		s := &scripted{limits: batch.Limits{MaxEvents: n}, script: always(refusesBatchesWith(kind.class, kind.status, bad), 100)}
		b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(n))})
		letters := b.letters.ids(t, "http")
		slices.Sort(letters)
		slices.Sort(bad)
		if !slices.Equal(letters, bad) || len(s.taken) != n-len(bad) {
			rt.Fatalf("letters %v and %d delivered, want %v and the rest", letters, len(s.taken), bad)
		}
		if most := 1 + 2*bits.Len(uint(n-1))*len(bad); len(s.attempts) > most {
			rt.Fatalf("%d requests for %d poison events among %d, at most %d", len(s.attempts), len(bad), n, most)
		}
	})
}

// Other refusals of a whole batch are no search: a 404 is not about one event.
func TestFlush_RefusedForNoContent_IsNotSearched(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 405, 410, 415} {
		s := &scripted{script: always(refusesBatchesWith(retry.Permanent, status, idsOf(orders(8))), 99)}
		b := setup(t, retry.Policy{}, map[string]*scripted{"http": s})
		b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(8))})
		if len(s.attempts) != 1 || len(b.letters.ids(t, "http")) != 8 {
			t.Errorf("%d: %d requests and %d letters, want 1 and 8", status, len(s.attempts), len(b.letters.ids(t, "http")))
		}
	}
}

// A destination that refuses events without saying which: the books say how many.
func TestFlush_Untold_IsCountedAsRejectedAndNeverSentAgain(t *testing.T) {
	t.Parallel()
	s := &scripted{script: []step{func(_ context.Context, b sink.Batch) (sink.Result, error) {
		r := sink.Result{Outcomes: make([]sink.Outcome, len(b.Events))}
		for i := range 3 {
			r.Outcomes[i] = sink.Outcome{Verdict: sink.Untold, Class: retry.Permanent, Cause: "too old"}
		}
		return r, nil
	}}}
	b, log := setupTargets(t, map[string]flush.Target{"http": {Sink: s, Gate: gate.Options{Concurrency: 1}}}, "http")
	back := b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(10))})
	if len(back)+len(b.queue.got)+len(b.letters.got) != 0 || len(s.attempts) != 1 {
		t.Errorf("%d back, %d residues, %d letters after %d requests; want none after 1", len(back), len(b.queue.got), len(b.letters.got), len(s.attempts))
	}
	if d, r := b.counter(ledger.Delivered, "http"), b.counter(ledger.Rejected, "http"); d != 7 || r != 3 {
		t.Errorf("the books say %d delivered and %d rejected, want 7 and 3", d, r)
	}
	if want := fmt.Sprintf("refused=%d events=%d cause=%q", 3, 10, "too old"); !containsText(log, want) {
		t.Errorf("the log does not say %s:\n%s", want, log)
	}
}

func containsText(log fmt.Stringer, text string) bool { return strings.Contains(log.String(), text) }
