package dedup_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
)

// message is a pack on a queue that delivers at least once.
type message struct {
	id      string
	attempt int
	ids     []string
}

// world is a queue, some environments and a sink that counts.
type world struct {
	*rapid.T
	t         *testing.T
	envs      []*dedup.Deduper
	queue     []message
	delivered map[string]int
	crashes   int
}

// running is a flush between its beginning and its end.
type running struct {
	taken []message
	units []dedup.Unit
	place []int // of each unit in its message
	plan  *dedup.Plan
}

func (w *world) begin() *running {
	r := &running{}
	var packs []string
	for range min(len(w.queue), rapid.IntRange(1, 3).Draw(w.T, "messages")) {
		at := rapid.IntRange(0, len(w.queue)-1).Draw(w.T, "message")
		m := w.queue[at]
		w.queue = append(w.queue[:at:at], w.queue[at+1:]...)
		r.taken, packs = append(r.taken, m), append(packs, m.id)
		for i, id := range m.ids {
			e := one(id)
			r.units = append(r.units, dedup.Unit{Pack: len(packs) - 1, Sink: "s", Event: &e})
			r.place = append(r.place, i)
		}
	}
	plan, err := rapid.SampledFrom(w.envs).Draw(w.T, "environment").Begin(w.t.Context(), packs, r.units)
	if err != nil {
		w.Fatalf("Begin: %v", err)
	}
	r.plan = plan
	return r
}

// end sends what is to be sent, hands over what failed, and obeys the rest; or it crashes
// somewhere on the way, and all messages come again.
func (w *world) end(r *running, crash bool) {
	for i := range r.units {
		if r.plan.Verdict(i).Action == dedup.Send && rapid.IntRange(0, 2).Draw(w.T, "sink") > 0 {
			w.delivered[r.units[i].Event.ID]++
			r.plan.Delivered(i)
		}
	}
	if crash {
		w.crashes++
		w.queue = append(w.queue, r.taken...)
		return
	}
	r.plan.Resolve()
	back := make(map[int]bool)
	for i := range r.units {
		m := r.taken[r.units[i].Pack]
		residue := message{attempt: m.attempt + 1, ids: []string{r.units[i].Event.ID}}
		residue.id = fmt.Sprint("residue of ", residue.ids, " after ", residue.attempt)
		switch action := r.plan.Verdict(i).Action; {
		case action == dedup.Return:
			back[r.units[i].Pack] = true
		case action == dedup.Defer, action == dedup.Send && !r.plan.Taken(i):
			w.queue = append(w.queue, residue)
			r.plan.Kept(i, residue.id)
		}
	}
	for pack := range back {
		w.queue = append(w.queue, r.taken[pack])
	}
	if err := r.plan.Release(w.t.Context()); err != nil {
		w.Fatalf("Release: %v", err)
	}
}

// Whatever is repeated and whatever fails, in whatever order flushes overlap: every event is
// delivered, and never twice unless a flush crashed.
func TestDeduper_AnyHistory_DeliversOnce(t *testing.T) {
	t.Parallel()
	for _, scope := range []dedup.Scope{dedup.ScopePack, dedup.ScopeEvent} {
		t.Run(string(scope), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(r *rapid.T) {
				synctest.Test(t, func(t *testing.T) { history(t, r, scope) })
			})
		})
	}
}

func history(t *testing.T, r *rapid.T, scope dedup.Scope) {
	o := dedup.Options{Store: memory.New(nil), Scope: scope, Lease: time.Second, Window: 24 * time.Hour, HintKeys: 2}
	w := &world{T: r, t: t, envs: []*dedup.Deduper{environment(t, o), environment(t, o)}, delivered: make(map[string]int)}
	const packs = 3
	for p := range packs {
		m := message{id: fmt.Sprint("pack ", p)}
		for i := range 3 {
			m.ids = append(m.ids, fmt.Sprint(p, "-", i))
		}
		for range rapid.IntRange(1, 3).Draw(r, "copies") {
			w.queue = append(w.queue, m)
		}
	}
	mayCrash := rapid.Bool().Draw(r, "crashes")
	for range rapid.IntRange(0, 10).Draw(r, "overlaps") {
		a, b := w.begin(), w.begin()
		w.end(b, mayCrash && rapid.IntRange(0, 3).Draw(r, "crash") == 0)
		w.end(a, mayCrash && rapid.IntRange(0, 3).Draw(r, "crash") == 0)
		time.Sleep(time.Second) // leases of the crashed end
	}
	for turns := 0; len(w.queue) > 0; turns++ {
		if turns > 1000 {
			r.Fatalf("still on the queue after %d flushes: %v", turns, w.queue)
		}
		w.end(w.begin(), false)
		time.Sleep(time.Second)
	}
	if len(w.delivered) != 3*packs {
		r.Fatalf("delivered %v, want all of %d", w.delivered, 3*packs)
	}
	for id, n := range w.delivered {
		if n > 1+w.crashes {
			r.Fatalf("%s was delivered %d times after %d crashes", id, n, w.crashes)
		}
	}
}
