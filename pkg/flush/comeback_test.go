package flush_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/claimcheck/claimtest"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// hiding is a source that notes what it is to hide, and how long.
type hiding struct {
	flush.Source

	log []string
	err error
}

func (h *hiding) Hide(_ context.Context, d time.Duration, receipts ...string) error {
	h.log = append(h.log, fmt.Sprint(receipts, " for ", d))
	return h.err
}

// claimedPack is a pack that a flush which is no more has claimed, until the default lease ends.
func claimedPack(t *testing.T, store dedup.Store, id string) queue.Received {
	t.Helper()
	m := message(t, id, meta(), []event.Event{exposure("event of "+id, oneExposure)})
	crash(t, `{}`, store, []queue.Received{m})
	return m
}

// A redelivery of what another flush has claimed is hidden until the claim is over, not for the
// whole visibility timeout; and longer each time it is met.
func TestHandler_ClaimedElsewhere_ComesBackWhenTheClaimIsOver(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		receives int
		err      error
		want     string
	}{
		{receives: 0, want: "[r-1] for 4m30s"}, // a source that does not count
		{receives: 1, want: "[r-1] for 4m30s"},
		{receives: 2, want: "[r-1] for 18m0s"},
		{receives: 9, want: "[r-1] for 1h0m0s"},
		{receives: 1, err: errors.New("away"), want: "[r-1] for 4m30s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			store := memory.New(time.Now)
			s := &scripted{}
			b := shared(t, `{}`, store, flush.Target{Sink: s}, nil)
			claimed := claimedPack(t, store, "1")
			claimed.ReceiveCount = row.receives
			free := message(t, "2", meta(), orders(1))
			time.Sleep(30 * time.Second)
			source := &hiding{err: row.err}
			back := b.flusher.FlushFrom(t.Context(), source, []queue.Received{claimed, free})
			if !slices.Equal(back, []int{0}) || len(s.taken) != 1 {
				t.Errorf("back %v, delivered %v; want the first back and the second delivered", back, s.taken)
			}
			if want := []string{row.want}; !slices.Equal(source.log, want) {
				t.Errorf("received %d times: hidden %v, want %v", row.receives, source.log, want)
			}
			if routed, returned := b.counter(ledger.Routed, "http"), b.counter(ledger.Returned, "http"); routed != 2 || returned != 1 {
				t.Errorf("%d are counted as routed and %d as returned, want both and the one that comes back", routed, returned)
			}
		})
	}
}

// While the store cannot be asked and events must wait, SQS's count of receives lasts for half an hour.
func TestHandler_StoreAway_WaitsLongerEachTime(t *testing.T) {
	t.Parallel()
	s := &scripted{}
	b := shared(t, `{ on_store_failure: closed }`, away{}, flush.Target{Sink: s}, nil)
	m := message(t, "1", meta(), orders(1))
	source := &hiding{}
	const usualReceives = 5
	for m.ReceiveCount = 1; m.ReceiveCount <= usualReceives; m.ReceiveCount++ {
		b.flusher.FlushFrom(t.Context(), source, []queue.Received{m})
	}
	want := []string{"[r-1] for 5s", "[r-1] for 20s", "[r-1] for 1m20s", "[r-1] for 5m20s", "[r-1] for 21m20s"}
	if !slices.Equal(source.log, want) || len(s.attempts) != 0 {
		t.Errorf("hidden %v after %d attempts, want %v", source.log, len(s.attempts), want)
	}
}

// away is a store that cannot be reached.
type away struct{}

func (away) Claim(_ context.Context, _ dedup.Ticket, claims []dedup.Claim) ([]dedup.Answer, error) {
	return make([]dedup.Answer, len(claims)), errors.New("no route to the table")
}

func (away) Settle(context.Context, dedup.Ticket, dedup.Settlement) error { return nil }

// growing are the waits of a message that we cannot settle, each time it is received: an hour and
// more before SQS moves it to the dead letters.
var growing = []string{"[r-1] for 15s", "[r-1] for 1m0s", "[r-1] for 4m0s", "[r-1] for 16m0s", "[r-1] for 1h0m0s"}

// Whatever keeps a message from being settled, it waits longer each time.
func TestHandler_CannotBeSettled_WaitsLongerEachTime(t *testing.T) {
	t.Parallel()
	large := largeEvents(1, 3<<20)
	slow := claimtest.Failure{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
	for _, row := range []struct {
		name    string
		events  []event.Event
		change  func(m *queue.Received)
		trouble func(b *largeBundle)
	}{
		{"the letter is refused", orders(1), nil, func(b *largeBundle) { b.flusher.DeadLetters = &box{refuse: func(int) bool { return true }} }},
		{"the events cannot be fetched", large, nil, func(b *largeBundle) { b.s3.Break(slow) }},
		{"the events of the letter cannot be stored", large, nil, func(b *largeBundle) {
			away := claimtest.NewServer(t)
			away.Break(slow)
			b.flusher.DeadLetters = b.letters.WithBucket(away.Bucket())
		}},
		{"a newer Millrace wrote it", orders(1), func(m *queue.Received) { m.Body = []byte(`{"v":99,"id":"x"}`) }, func(*largeBundle) {}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := setupLarge(t, always(fails(retry.Permanent, 0), len(growing))...)
				m := b.send(t, meta(), row.events)[0]
				m.Receipt = "r-1"
				if row.change != nil {
					row.change(&m)
				}
				row.trouble(b)
				source := &hiding{}
				for m.ReceiveCount = 1; m.ReceiveCount <= len(growing); m.ReceiveCount++ {
					if back := b.flusher.FlushFrom(t.Context(), source, []queue.Received{m}); len(back) != 1 {
						t.Errorf("received %d times: messages %v come back, want the one", m.ReceiveCount, back)
					}
				}
				if !slices.Equal(source.log, growing) {
					t.Errorf("hidden %v, want %v", source.log, growing)
				}
			})
		})
	}
}

// A drain hides what must come back, so that no later drain finds it before it is worth while: each
// time it is found counts towards the maxReceiveCount.
func TestDrain_WhatMustComeBack_ComesWhenItIsWorthWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := queuetest.Start(t, sqs.Options{})
		main := server.Queue(t, "main")
		store := memory.New(time.Now)
		s := &scripted{script: []step{refuses("pack-0"), refuses("pack-0")}}
		b := shared(t, `{}`, store, flush.Target{Sink: s}, nil)
		b.letters.refuse = func(int) bool { return true }
		send(t, main, "pack", 1)
		claimed := claimedPack(t, store, "claimed")
		send(t, main, "other", 1)
		resend(t, main, claimed)

		drain := func(want flush.Drained, left queue.Depth) {
			t.Helper()
			if done, err := b.flusher.Drain(t.Context(), main); err != nil || done != want {
				t.Errorf("drained %+v (%v), want %+v", done, err, want)
			}
			if got, err := main.Depth(t.Context()); err != nil || got != left {
				t.Errorf("the queue holds %+v (%v), want %+v", got, err, left)
			}
		}
		nothing := flush.Drained{Empty: true}
		drain(flush.Drained{Messages: 1, Back: 2, Empty: true}, queue.Depth{InFlight: 2})
		b.letters.refuse = nil
		drain(nothing, queue.Depth{InFlight: 2})
		time.Sleep(15 * time.Second)
		drain(flush.Drained{Messages: 1, Empty: true}, queue.Depth{InFlight: 1})
		time.Sleep(dedup.DefaultLease)
		drain(flush.Drained{Messages: 1, Empty: true}, queue.Depth{})
		slices.Sort(s.taken)
		if want := []string{"event of claimed", "other-0"}; !slices.Equal(s.taken, want) || len(b.letters.ids(t, "http")) != 1 {
			t.Errorf("delivered %v, want %v once each and a letter", s.taken, want)
		}
	})
}

// ordered is a source that notes in what order it is called.
type ordered struct {
	flush.Source

	log []string
}

func (o *ordered) Delete(ctx context.Context, receipts ...string) error {
	o.log = append(o.log, "delete")
	return o.Source.Delete(ctx, receipts...)
}

func (o *ordered) Hide(ctx context.Context, d time.Duration, receipts ...string) error {
	o.log = append(o.log, "hide")
	return o.Source.Hide(ctx, d, receipts...)
}

// A drain that is cut off has rather not hidden what comes back than not deleted what is settled.
func TestDrain_SettledIsDeletedBeforeOthersAreHidden(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		main := queuetest.Start(t, sqs.Options{}).Queue(t, "main")
		store := memory.New(time.Now)
		b := shared(t, `{}`, store, flush.Target{Sink: &scripted{}}, nil)
		claimed := claimedPack(t, store, "claimed")
		send(t, main, "other", 1)
		resend(t, main, claimed)
		source := &ordered{Source: main}
		if _, err := b.flusher.Drain(t.Context(), source); err != nil {
			t.Fatal(err)
		}
		if want := []string{"delete", "hide"}; !slices.Equal(source.log, want) {
			t.Errorf("calls are %v, want %v", source.log, want)
		}
	})
}

// resend puts a message on the queue again, as it is.
func resend(t *testing.T, q *queue.Queue, m queue.Received) {
	t.Helper()
	h, err := batch.ParseHeader(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Send(t.Context(), queue.Outgoing{Message: batch.Message{Header: h, Body: string(m.Body), Events: m.Events}}); err != nil {
		t.Fatal(err)
	}
}
