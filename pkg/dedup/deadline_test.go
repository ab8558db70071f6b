package dedup_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/event"
)

// slow is a store that takes its time for each key, and tells nothing when it has none.
type slow struct {
	*memory.Store

	forKey time.Duration
}

func (s slow) Claim(ctx context.Context, t dedup.Ticket, claims []dedup.Claim) ([]dedup.Answer, error) {
	select {
	case <-time.After(time.Duration(len(claims)) * s.forKey):
		return s.Store.Claim(ctx, t, claims)
	case <-ctx.Done():
		return make([]dedup.Answer, len(claims)), ctx.Err()
	}
}

// A flush that has no time to claim all events sends some: the rest gets its turn.
func TestDeduper_MoreEventsThanTime_EachFlushSendsSome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		left := make([]event.Event, 2000)
		for i := range left {
			left[i] = one(strconv.Itoa(i))
		}
		d := environment(t, dedup.Options{Store: slow{memory.New(time.Now), 2 * time.Millisecond}, Scope: dedup.ScopeEvent})
		const enough = 4 // two seconds each, of which two thirds are for claims of 2 ms
		for range enough {
			left = flushBriefly(t, d, left)
		}
		if len(left) > 0 {
			t.Errorf("%d of 2000 events are left after %d flushes", len(left), enough)
		}
	})
}

// flushBriefly delivers what can be in two seconds and returns the rest.
func flushBriefly(t *testing.T, d *dedup.Deduper, events []event.Event) (left []event.Event) {
	t.Helper()
	ctx, stop := contextWithTimeout(t, 2*time.Second)
	defer stop()
	f := begin(t, d).pack("p", events...)
	p, err := d.Begin(ctx, f.packs, f.units)
	if err != nil {
		t.Errorf("Begin: %v", err)
	}
	for i := range events {
		switch v := p.Verdict(i); {
		case v.Action == dedup.Send && ctx.Err() == nil:
			p.Delivered(i)
		case v.Action == dedup.Defer && v.After <= 0:
			t.Fatalf("event %d is deferred for %v, want some time", i, v.After)
		default:
			left = append(left, events[i])
		}
	}
	release(t, p)
	return left
}

// Whole packs are few, and one that came back would use up a receive: they are asked about to the last moment.
func TestDeduper_MorePacksThanTime_AreAllClaimed(t *testing.T) {
	t.Parallel()
	f := begin(t, environment(t, dedup.Options{Store: memory.New(nil)}))
	for i := range 300 {
		f.pack(strconv.Itoa(i), one(strconv.Itoa(i)))
	}
	ctx, stop := contextWithTimeout(t, 0)
	defer stop()
	p, err := f.d.Begin(ctx, f.packs, f.units)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	for i := range f.units {
		if got := p.Verdict(i).Action; got != dedup.Send {
			t.Fatalf("pack %d: %v, want %v", i, got, dedup.Send)
		}
	}
}
