package dedup_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/event"
)

// flush plays one flush that takes up units in packs.
type flush struct {
	t     *testing.T
	d     *dedup.Deduper
	packs []string
	units []dedup.Unit
}

func (f *flush) pack(id string, events ...event.Event) *flush {
	f.packs = append(f.packs, id)
	for i := range events {
		f.units = append(f.units, dedup.Unit{Pack: len(f.packs) - 1, Sink: "s", Event: &events[i]})
	}
	return f
}

// begin makes the plan and checks the actions.
func (f *flush) begin(want ...dedup.Action) *dedup.Plan {
	f.t.Helper()
	p, err := f.d.Begin(f.t.Context(), f.packs, f.units)
	if err != nil {
		f.t.Fatalf("Begin: %v", err)
	}
	expect(f.t, p, want...)
	return p
}

func expect(t *testing.T, p *dedup.Plan, want ...dedup.Action) {
	t.Helper()
	for i, w := range want {
		if got := p.Verdict(i).Action; got != w {
			t.Errorf("unit %d: %v, want %v", i, got, w)
		}
	}
}

func release(t *testing.T, p *dedup.Plan) {
	t.Helper()
	if err := p.Release(t.Context()); err != nil {
		t.Fatalf("Release: %v", err)
	}
}

// environment returns a Deduper with its own warm memory over a shared store.
func environment(t *testing.T, o dedup.Options) *dedup.Deduper {
	t.Helper()
	d, err := dedup.New(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return d
}

func begin(t *testing.T, d *dedup.Deduper) *flush { return &flush{t: t, d: d} }

func one(id string) event.Event {
	return event.Event{Tenant: "acme", Source: "web", ID: id, Type: "t", Data: []byte(`{"id":"` + id + `"}`)}
}

// scripted is a store that fails when told to.
type scripted struct {
	*memory.Store
	claim, settle error
}

func (s *scripted) Claim(ctx context.Context, t dedup.Ticket, c []dedup.Claim) ([]dedup.Answer, error) {
	if s.claim != nil {
		return make([]dedup.Answer, len(c)), s.claim
	}
	return s.Store.Claim(ctx, t, c)
}

func (s *scripted) Settle(ctx context.Context, t dedup.Ticket, settled dedup.Settlement) error {
	if s.settle != nil {
		return s.settle
	}
	return s.Store.Settle(ctx, t, settled)
}

var errAway = errors.New("away")

func contextWithTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}
