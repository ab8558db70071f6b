package dedup_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/event"
)

// both runs a test in either scope, with two environments over one store.
func both(t *testing.T, test func(t *testing.T, a, b *dedup.Deduper)) {
	t.Helper()
	for _, scope := range []dedup.Scope{dedup.ScopePack, dedup.ScopeEvent} {
		t.Run(string(scope), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := dedup.Options{Store: memory.New(nil), Scope: scope}
				test(t, environment(t, o), environment(t, o))
			})
		})
	}
}

func TestDeduper_DeliveredAndReleased_IsADuplicateEverywhere(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, a, b *dedup.Deduper) {
		p := begin(t, a).pack("p", one("1"), one("2")).begin(dedup.Send, dedup.Send)
		p.Delivered(0)
		p.Delivered(1)
		release(t, p)
		for _, d := range []*dedup.Deduper{a, b} {
			begin(t, d).pack("p", one("1"), one("2")).begin(dedup.Skip, dedup.Skip)
		}
		time.Sleep(dedup.DefaultWindow)
		for _, d := range []*dedup.Deduper{a, b} {
			release(t, begin(t, d).pack("p", one("1"), one("2")).begin(dedup.Send, dedup.Send))
		}
	})
}

// A4 and A5: what was not delivered is not remembered.
func TestDeduper_A4A5_FailedIsNeverSeen(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, a, b *dedup.Deduper) {
		release(t, begin(t, a).pack("p", one("1")).begin(dedup.Send))
		release(t, begin(t, b).pack("p", one("1")).begin(dedup.Send))
		release(t, begin(t, a).pack("p", one("1")).begin(dedup.Send))
	})
}

func TestDeduper_InProgressElsewhere_Waits(t *testing.T) {
	t.Parallel()
	for scope, wait := range map[dedup.Scope]dedup.Action{dedup.ScopePack: dedup.Return, dedup.ScopeEvent: dedup.Defer} {
		synctest.Test(t, func(t *testing.T) {
			o := dedup.Options{Store: memory.New(nil), Scope: scope, Lease: time.Minute}
			begin(t, environment(t, o)).pack("p", one("1")).begin(dedup.Send) // and crashes
			other := environment(t, o)
			time.Sleep(20 * time.Second)
			p := begin(t, other).pack("p", one("1")).begin(wait)
			if got := p.Verdict(0).After; got != 40*time.Second {
				t.Errorf("After = %v, want the rest of the lease, 40s", got)
			}
			release(t, p) // does not free what another holds
			begin(t, other).pack("p", one("1")).begin(wait)
			time.Sleep(40 * time.Second)
			begin(t, other).pack("p", one("1")).begin(dedup.Send)
		})
	}
}

func TestDeduper_LeaseWithoutSetting_EndsSoonAfterTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := dedup.Options{Store: memory.New(nil)}
		ctx, stop := contextWithTimeout(t, 30*time.Second)
		defer stop()
		e := one("1")
		if _, err := environment(t, o).Begin(ctx, []string{"p"}, []dedup.Unit{{Sink: "s", Event: &e}}); err != nil {
			t.Fatal(err)
		}
		p := begin(t, environment(t, o)).pack("p", e).begin(dedup.Return)
		if got := p.Verdict(0).After; got < 30*time.Second || got > time.Minute {
			t.Errorf("After = %v, want a little more than the 30s to the deadline", got)
		}
	})
}

// The same id from two tenants, and for two sinks, is not the same event. Ids are
// compared byte for byte.
func TestDeduper_Identity_KeepsDistinctWhatIsDistinct(t *testing.T) {
	t.Parallel()
	base := one("id")
	variant := func(change func(*event.Event)) event.Event {
		e := base
		change(&e)
		return e
	}
	for name, other := range map[string]event.Event{
		"another tenant":                  variant(func(e *event.Event) { e.Tenant = "other" }),
		"another source":                  variant(func(e *event.Event) { e.Source = "app" }),
		"an id that differs in case":      variant(func(e *event.Event) { e.ID = "ID" }),
		"an empty id":                     variant(func(e *event.Event) { e.ID = "" }),
		"a borderline shifted by one":     variant(func(e *event.Event) { e.Source, e.ID = "webi", "d" }),
		"an id of 1 MiB":                  variant(func(e *event.Event) { e.ID = strings.Repeat("i", 1<<20) }),
		"an id that is not valid Unicode": variant(func(e *event.Event) { e.ID = "id\xff" }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := environment(t, dedup.Options{Store: memory.New(nil), Scope: dedup.ScopeEvent})
			p := begin(t, d).pack("p", base).pack("q", other).begin(dedup.Send, dedup.Send)
			p.Delivered(0)
			p.Delivered(1)
			release(t, p)
			begin(t, d).pack("r", other, base).begin(dedup.Skip, dedup.Skip)
		})
	}
	t.Run("Unicode forms", func(t *testing.T) {
		t.Parallel()
		d := environment(t, dedup.Options{Scope: dedup.ScopeEvent})
		begin(t, d).pack("p", one("\u00e9"), one("e\u0301")).begin(dedup.Send, dedup.Send)
	})
	t.Run("another sink", func(t *testing.T) {
		t.Parallel()
		for _, scope := range []dedup.Scope{dedup.ScopePack, dedup.ScopeEvent} {
			d := environment(t, dedup.Options{Store: memory.New(nil), Scope: scope})
			f := begin(t, d).pack("p", base, base)
			f.units[1].Sink = "archive"
			p := f.begin(dedup.Send, dedup.Send)
			p.Delivered(0)
			release(t, p)
			f.begin(dedup.Skip, dedup.Send)
		}
	})
}
