package flush_test

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// Ended names the events that the books count as deduped, rejected or dropped, and no others.
func TestFlush_Ended_NamesWhatEndsWithoutADelivery(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ended := map[string]ledger.Counter{}
	b := &bundle{ledger: ledger.New()}
	var err error
	b.flusher, err = flush.New(flush.Options{
		Targets: map[string]flush.Target{
			"optional": {Sink: &scripted{script: []step{fails(retry.Permanent, 0)}}, Mode: flush.FailOpen},
			"careless": {Sink: &scripted{script: []step{refuses("e001")}}, Discard: func(retry.Class, int) bool { return true }},
			"keeping":  {Sink: &scripted{script: []step{refuses("e001")}}},
		},
		Router: toAll{"optional", "careless", "keeping"}, Queue: &b.queue, DeadLetters: &b.letters, Ledger: b.ledger, Logger: discard(),
		Ended: func(how ledger.Counter, sink string, e *event.Event) {
			mu.Lock()
			defer mu.Unlock()
			ended[sink+"/"+e.Tenant+"/"+e.Source+"/"+e.ID] = how
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.flusher.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(2))})
	want := map[string]ledger.Counter{
		"optional/acme/web/e000": ledger.Dropped, "optional/acme/web/e001": ledger.Dropped, "careless/acme/web/e001": ledger.Rejected,
	}
	if diff := cmp.Diff(want, ended); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	for _, counter := range []ledger.Counter{ledger.Dropped, ledger.Rejected} {
		told := len(slices.DeleteFunc(slices.Collect(maps.Values(ended)), func(c ledger.Counter) bool { return c != counter }))
		if n := total(b.ledger.Snapshot(), counter); n != told {
			t.Errorf("%s counts %d, told of %d", counter, n, told)
		}
	}
	clear(ended)
	third, fourth := orders(4)[2], orders(4)[3]
	b.flusher.Flush(t.Context(), []queue.Received{
		message(t, "2", meta(), []event.Event{third}), message(t, "3", meta(), []event.Event{third, third, fourth}), // in one flush
	})
	if how := ended["keeping/acme/web/e002"]; how != ledger.Deduped {
		t.Errorf("the second e002 of keeping ended %q, want deduped (%v)", how, ended)
	}
}
