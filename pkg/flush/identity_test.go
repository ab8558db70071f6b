package flush_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// Ids are compared byte for byte, however odd they are: each is delivered once, and recognised
// when it comes again.
func TestFlush_OddIDs_AreKeptApart(t *testing.T) {
	t.Parallel()
	ids := []string{"", " ", "id", "ID", "\u00e9", "e\u0301", "\x00", strings.Repeat("i", 900<<10)}
	for _, scope := range []string{`{ scope: pack }`, `{ scope: event }`} {
		t.Run(scope, func(t *testing.T) {
			t.Parallel()
			store := memory.New(time.Now)
			s := &scripted{}
			var packs []queue.Received
			for i, id := range ids {
				e := orders(1)
				e[0].ID = id
				packs = append(packs, message(t, fmt.Sprint("m", i), meta(), e))
			}
			for round := range 2 {
				b := shared(t, scope, store, flush.Target{Sink: s}, nil)
				if back := b.flusher.Flush(t.Context(), packs); len(back) != 0 {
					t.Errorf("round %d: %v come back", round, back)
				}
				if got, want := b.counter(ledger.Deduped, "http"), round*len(ids); got != want || b.counter(ledger.Conflict, "http") != 0 {
					t.Errorf("round %d: %d deduped with %d conflicts, want %d without", round, got, b.counter(ledger.Conflict, "http"), want)
				}
			}
			slices.Sort(s.taken)
			want := slices.Sorted(slices.Values(ids))
			if !slices.Equal(s.taken, want) {
				t.Errorf("%d events were delivered, want each of %d once", len(s.taken), len(want))
			}
		})
	}
}

// The same id from two tenants is two events.
func TestFlush_SameIDFromTwoTenants_BothAreDelivered(t *testing.T) {
	t.Parallel()
	for remembered, settings := range remembers() {
		store := memory.New(time.Now)
		s := &scripted{}
		e := exposure("1", oneExposure)
		other := e
		other.Tenant = "umbrella"
		for range 2 {
			b := shared(t, settings, store, flush.Target{Sink: s}, nil)
			b.deliver(t, s, e)
			b.deliver(t, s, other)
		}
		if want := []string{"1", "1"}; !slices.Equal(s.taken, want) {
			t.Errorf("%s: delivered %v, want the event of each tenant once", remembered, s.taken)
		}
	}
}

// The same id with other bytes is a conflict: the first wins, and the second is counted.
func TestFlush_SameIDOtherBytes_FirstWinsAndTheConflictIsCounted(t *testing.T) {
	t.Parallel()
	first, second := exposure("1", `{"n":1}`), exposure("1", `{"n":2}`)
	for _, scope := range []string{`{ scope: pack }`, `{ scope: event }`} {
		for _, row := range []struct {
			name  string
			flush func(t *testing.T, b *bundle, s *scripted)
		}{
			{"one after the other", func(t *testing.T, b *bundle, s *scripted) {
				t.Helper()
				b.deliver(t, s, first)
				b.deliver(t, s, second)
			}},
			{"in one flush", func(t *testing.T, b *bundle, _ *scripted) {
				t.Helper()
				b.flusher.Flush(t.Context(), []queue.Received{
					message(t, "1", meta(), []event.Event{first}), message(t, "2", meta(), []event.Event{second, exposure("own", `{}`)}),
				})
			}},
		} {
			s := &scripted{}
			b := shared(t, scope, memory.New(time.Now), flush.Target{Sink: s}, nil)
			row.flush(t, b, s)
			if n := strings.Count(strings.Join(s.taken, ","), "1"); n != 1 {
				t.Errorf("%s, %s: delivered %v, want the first of the two", scope, row.name, s.taken)
			}
			if d, c := b.counter(ledger.Deduped, "http"), b.counter(ledger.Conflict, "http"); d != 1 || c != 1 {
				t.Errorf("%s, %s: %d deduped, %d conflicts; want one that is both", scope, row.name, d, c)
			}
			if got := ledger.Balance(b.ledger.Snapshot())["http"]; got != 0 {
				t.Errorf("%s, %s: %d in flight; a conflict is among the deduped and counts once", scope, row.name, got)
			}
		}
	}
}

// A clock that is set back by an hour makes claims and windows last longer. Nothing is lost, and
// nothing that was delivered is delivered again.
func TestFlush_ClockSetBackByAnHour_LosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for remembered, settings := range remembers() {
		t.Run(remembered, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var wrong atomic.Int64
				store := memory.New(func() time.Time { return time.Now().Add(time.Duration(wrong.Load())) })
				s := &scripted{}
				target := flush.Target{Sink: s, Policy: retry.Policy{MaxInlineWait: 1}, Gate: gate.Options{FailuresToOpen: 99}}
				done, crashed, fresh := exposure("done", `{"flag":{"key":"a"}}`), exposure("crashed", `{"flag":{"key":"b"}}`), exposure("fresh", `{"flag":{"key":"c"}}`)
				b := shared(t, settings, store, target, nil)
				b.deliver(t, s, done)
				copies := []queue.Received{message(t, "crashed", meta(), []event.Event{crashed})}
				crash(t, settings, store, copies)

				wrong.Store(-int64(time.Hour))
				b = shared(t, settings, store, target, nil)
				b.deliver(t, s, done)
				b.deliver(t, s, fresh)
				if want := []string{"done", "fresh"}; !slices.Equal(s.taken, want) || b.counter(ledger.Deduped, "http") != 1 {
					t.Errorf("delivered %v with %d deduped, want %v and one", s.taken, b.counter(ledger.Deduped, "http"), want)
				}
				for began := time.Now(); len(s.taken) < 3; time.Sleep(time.Minute) {
					if time.Since(began) > 2*time.Hour {
						t.Fatalf("what a crashed flush had claimed was not delivered within two hours; in the books: %v", b.ledger.Snapshot())
					}
					again := shared(t, settings, store, target, b)
					if back := again.flusher.Flush(t.Context(), copies); len(back) == 0 && len(again.queue.got) > 0 {
						out, _ := again.queue.only(t)
						copies = []queue.Received{{ID: "r", Body: []byte(out.Message.Body), Events: out.Message.Events}}
					}
				}
				if s.taken[2] != "crashed" || b.counter(ledger.Deduped, "http") != 1 {
					t.Errorf("delivered %v with %d deduped, want the crashed one at last", s.taken, b.counter(ledger.Deduped, "http"))
				}
			})
		})
	}
}

// crash claims the events of messages in a flush that then is no more.
func crash(t *testing.T, settings string, store dedup.Store, messages []queue.Received) {
	t.Helper()
	d, err := flush.NewDedup(written(t, settings), aws.Config{}, "")
	if err != nil {
		t.Fatal(err)
	}
	d.Store = store
	var packs []string
	var units []dedup.Unit
	for i := range messages {
		p, err := batch.Decode(messages[i].Body, messages[i].Events)
		if err != nil {
			t.Fatal(err)
		}
		packs = append(packs, p.Header.ID)
		for k := range p.Events {
			units = append(units, dedup.Unit{Pack: i, Sink: "http", Event: &p.Events[k]})
		}
	}
	if _, err := d.Begin(t.Context(), packs, units); err != nil {
		t.Fatal(err)
	}
}
