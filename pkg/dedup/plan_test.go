package dedup_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
)

// again says what a later flush, in another environment, would do with a pack.
func again(t *testing.T, o dedup.Options, pack string, ids ...string) []dedup.Action {
	t.Helper()
	f := begin(t, environment(t, o))
	f.packs = []string{pack}
	for _, id := range ids {
		e := one(id)
		f.units = append(f.units, dedup.Unit{Sink: "s", Event: &e})
	}
	p, err := f.d.Begin(t.Context(), f.packs, f.units)
	if err != nil {
		t.Fatal(err)
	}
	actions := make([]dedup.Action, len(ids))
	for i := range ids {
		actions[i] = p.Verdict(i).Action
	}
	release(t, p)
	return actions
}

func expectAgain(t *testing.T, o dedup.Options, pack string, ids []string, want ...dedup.Action) {
	t.Helper()
	for i, got := range again(t, o, pack, ids...) {
		if got != want[i] {
			t.Errorf("later, %s in %s: %v, want %v", ids[i], pack, got, want[i])
		}
	}
}

// C5: remembered is what the sink took. The rest, handed over in a residue, must pass.
func TestPlan_C5_PartlyDelivered(t *testing.T) {
	t.Parallel()
	ids := []string{"1", "2", "3"}
	tests := []struct {
		name                 string
		scope                dedup.Scope
		residue              string // of the last event; empty: nothing is confirmed
		parent               []dedup.Action
		residueAgain, letter dedup.Action
	}{
		{"pack, handed over: the parent is done, the residue passes", dedup.ScopePack, "residue",
			[]dedup.Action{dedup.Skip, dedup.Skip, dedup.Skip}, dedup.Send, dedup.Send},
		{"pack, not confirmed: all of it comes again", dedup.ScopePack, "",
			[]dedup.Action{dedup.Send, dedup.Send, dedup.Send}, dedup.Send, dedup.Send},
		{"pack, residue under the same id: it must pass, so nothing is remembered", dedup.ScopePack, "p",
			[]dedup.Action{dedup.Send, dedup.Send, dedup.Send}, dedup.Send, dedup.Send},
		{"event, handed over: only that event passes", dedup.ScopeEvent, "residue",
			[]dedup.Action{dedup.Skip, dedup.Skip, dedup.Send}, dedup.Send, dedup.Send},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := dedup.Options{Store: memory.New(nil), Scope: tt.scope}
			p := begin(t, environment(t, o)).pack("p", one("1"), one("2"), one("3")).begin(dedup.Send, dedup.Send, dedup.Send)
			p.Delivered(0)
			p.Delivered(1)
			if tt.residue != "" {
				p.Kept(2, tt.residue)
			}
			release(t, p)
			expectAgain(t, o, "p", ids, tt.parent...)
			expectAgain(t, o, "residue", ids[2:], tt.residueAgain)
			expectAgain(t, o, "replayed", ids[2:], tt.letter)
		})
	}
}

// Equal events in one flush: the first is sent, and decides about the others.
func TestPlan_WithinOneFlush_TheFirstDecides(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		scope     dedup.Scope
		other     string // the pack of the second copy
		delivered bool
		want      dedup.Action
	}{
		{"event, delivered", dedup.ScopeEvent, "q", true, dedup.Skip},
		{"event, failed", dedup.ScopeEvent, "q", false, dedup.Defer},
		{"pack, the same pack twice, delivered", dedup.ScopePack, "p", true, dedup.Skip},
		{"pack, the same pack twice, failed", dedup.ScopePack, "p", false, dedup.Return},
		{"pack, another pack, delivered", dedup.ScopePack, "q", true, dedup.Skip},
		{"pack, another pack, failed", dedup.ScopePack, "q", false, dedup.Defer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := dedup.Options{Store: memory.New(nil), Scope: tt.scope}
			p := begin(t, environment(t, o)).pack("p", one("1")).pack(tt.other, one("1")).begin(dedup.Send, dedup.Follow)
			if tt.delivered {
				p.Delivered(0)
			}
			p.Resolve()
			if got := p.Verdict(1); got.Action != tt.want || got.Conflict {
				t.Errorf("the second: %+v, want %v", got, tt.want)
			}
			release(t, p)
			want := dedup.Send
			if tt.delivered {
				want = dedup.Skip
			}
			expectAgain(t, o, "p", []string{"1"}, want)
			expectAgain(t, o, tt.other, []string{"1"}, want)
		})
	}
}

func TestPlan_SwitchedOff_SendsEqualEventsOfOtherPacks(t *testing.T) {
	t.Parallel()
	d := environment(t, dedup.Options{WithinFlush: dedup.Off})
	begin(t, d).pack("p", one("1")).pack("q", one("1")).begin(dedup.Send, dedup.Send)
}

func TestPlan_SameIdOtherBytes_FirstWinsAndIsCounted(t *testing.T) {
	t.Parallel()
	other := one("1")
	other.Data = []byte(`{"id":"1","changed":true}`)
	for _, scope := range []dedup.Scope{dedup.ScopePack, dedup.ScopeEvent} {
		for _, layer := range []string{"flush", "environment", "store"} {
			t.Run(string(scope)+" in the "+layer, func(t *testing.T) {
				t.Parallel()
				o := dedup.Options{Store: memory.New(nil), Scope: scope}
				d := environment(t, o)
				f := begin(t, d).pack("p", one("1"))
				if layer == "flush" {
					f.pack("p", other)
				}
				p, err := d.Begin(t.Context(), f.packs, f.units)
				if err != nil {
					t.Fatal(err)
				}
				p.Delivered(0)
				at := 1
				if layer != "flush" {
					release(t, p)
					if layer == "store" {
						d = environment(t, o)
					}
					p, at = begin(t, d).pack("p", other).begin(dedup.Skip), 0
				}
				p.Resolve()
				if got := p.Verdict(at); got.Action != dedup.Skip || !got.Conflict {
					t.Errorf("verdict %+v, want a duplicate in conflict", got)
				}
				release(t, begin(t, d).pack("z", one("z")).begin(dedup.Send))
			})
		}
	}
	t.Run("in another pack of the flush", func(t *testing.T) {
		t.Parallel()
		p := begin(t, environment(t, dedup.Options{})).pack("p", one("1")).pack("q", other).begin(dedup.Send, dedup.Follow)
		p.Delivered(0)
		p.Resolve()
		if got := p.Verdict(1); got.Action != dedup.Skip || !got.Conflict {
			t.Errorf("verdict %+v, want a duplicate in conflict", got)
		}
	})
}

// What waits is not a duplicate yet: no conflict is told of it.
func TestPlan_StoreInTrouble_DoesWhatIsConfigured(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		failure dedup.OnFailure
		scope   dedup.Scope
		err     error
		want    dedup.Action
	}{
		{"away, open", dedup.FailOpen, dedup.ScopePack, errAway, dedup.Send},
		{"away, open by default", "", dedup.ScopePack, errAway, dedup.Send},
		{"away, closed, pack", dedup.FailClosed, dedup.ScopePack, errAway, dedup.Return},
		{"away, closed, event", dedup.FailClosed, dedup.ScopeEvent, errAway, dedup.Defer},
		{"throttling is back-pressure though open", dedup.FailOpen, dedup.ScopePack, dedup.ErrBusy, dedup.Return},
		{"throttling is back-pressure though open, event", dedup.FailOpen, dedup.ScopeEvent, dedup.ErrBusy, dedup.Defer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := &scripted{Store: memory.New(nil), claim: tt.err}
			o := dedup.Options{Store: store, Scope: tt.scope, OnStoreFailure: tt.failure}
			e := one("1")
			p, err := environment(t, o).Begin(t.Context(), []string{"p"}, []dedup.Unit{{Sink: "s", Event: &e}})
			if !errors.Is(err, tt.err) {
				t.Errorf("Begin: %v, want %v", err, tt.err)
			}
			if got := p.Verdict(0); got.Action != tt.want || (got.After == 0) != (tt.want == dedup.Send) {
				t.Errorf("verdict %+v, want %v", got, tt.want)
			}
			store.claim = nil
			release(t, p)
			expectAgain(t, o, "p", []string{"1"}, dedup.Send)
		})
	}
}

// The environment remembers nothing that the store has not confirmed.
func TestPlan_SettleFails_NothingIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &scripted{Store: memory.New(nil), settle: errAway}
		d := environment(t, dedup.Options{Store: store, Lease: time.Minute})
		p := begin(t, d).pack("p", one("1")).begin(dedup.Send)
		p.Delivered(0)
		if err := p.Release(t.Context()); !errors.Is(err, errAway) {
			t.Errorf("Release: %v, want %v", err, errAway)
		}
		begin(t, d).pack("p", one("1")).begin(dedup.Return)
		time.Sleep(time.Minute)
		begin(t, d).pack("p", one("1")).begin(dedup.Send)
	})
}

// While the store is away, what the environment knows to be committed stays a duplicate.
func TestPlan_Hint_AnswersWithoutTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &scripted{Store: memory.New(nil)}
		o := dedup.Options{Store: store, HintKeys: 2, WithinFlush: dedup.Off}
		d, other := environment(t, o), environment(t, o)
		for _, id := range []string{"1", "2", "3"} {
			p := begin(t, d).pack(id, one(id)).begin(dedup.Send)
			p.Delivered(0)
			release(t, p)
		}
		time.Sleep(dedup.DefaultWindow / 2)
		begin(t, other).pack("3", one("3")).begin(dedup.Skip) // learns it from the store
		store.claim = errAway
		d.Begin(t.Context(), nil, nil)
		// The least recently used of three, in a memory of two, is forgotten.
		for i, want := range []dedup.Action{dedup.Send, dedup.Skip, dedup.Skip} {
			e := one([]string{"1", "2", "3"}[i])
			p, _ := d.Begin(t.Context(), []string{e.ID}, []dedup.Unit{{Sink: "s", Event: &e}})
			expect(t, p, want)
		}
		begin(t, other).pack("3", one("3")).begin(dedup.Skip)
		time.Sleep(dedup.DefaultWindow / 2)
		for _, env := range []*dedup.Deduper{d, other} {
			e := one("3")
			p, _ := env.Begin(t.Context(), []string{e.ID}, []dedup.Unit{{Sink: "s", Event: &e}})
			expect(t, p, dedup.Send)
		}
	})
}

func TestPlan_HintSwitchedOff_AsksTheStore(t *testing.T) {
	t.Parallel()
	store := &scripted{Store: memory.New(nil)}
	d := environment(t, dedup.Options{Store: store, HintKeys: -1})
	p := begin(t, d).pack("p", one("1")).begin(dedup.Send)
	p.Delivered(0)
	release(t, p)
	begin(t, d).pack("p", one("1")).begin(dedup.Skip)
	store.claim = errAway
	e := one("1")
	p, _ = d.Begin(t.Context(), []string{"p"}, []dedup.Unit{{Sink: "s", Event: &e}})
	expect(t, p, dedup.Send)
}

// Without a store the environment is all there is.
func TestPlan_NoStore_RemembersInTheEnvironment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := environment(t, dedup.Options{})
		p := begin(t, d).pack("p", one("1")).pack("q", one("2")).begin(dedup.Send, dedup.Send)
		p.Delivered(0)
		release(t, p)
		begin(t, d).pack("p", one("1")).pack("q", one("2")).begin(dedup.Skip, dedup.Send)
		time.Sleep(dedup.DefaultWindow)
		begin(t, d).pack("p", one("1")).begin(dedup.Send)
	})
}

// Commit makes what is delivered so far survive a crash, and keeps the rest claimed.
func TestPlan_Commit_SurvivesACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := dedup.Options{Store: memory.New(nil), Scope: dedup.ScopeEvent, Lease: time.Minute}
		p := begin(t, environment(t, o)).pack("p", one("1"), one("2")).begin(dedup.Send, dedup.Send)
		p.Delivered(0)
		if err := p.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		expectAgain(t, o, "p", []string{"1", "2"}, dedup.Skip, dedup.Defer)
		time.Sleep(time.Minute)
		expectAgain(t, o, "p", []string{"1", "2"}, dedup.Skip, dedup.Send)
	})
}

// Duplicates only: nothing was claimed, so nothing is written.
func TestPlan_OnlyDuplicates_SettlesNothing(t *testing.T) {
	t.Parallel()
	store := &scripted{Store: memory.New(nil)}
	o := dedup.Options{Store: store}
	p := begin(t, environment(t, o)).pack("p", one("1")).begin(dedup.Send)
	p.Delivered(0)
	release(t, p)
	p = begin(t, environment(t, o)).pack("p", one("1")).begin(dedup.Skip)
	store.settle = errAway
	release(t, p)
}

func TestNew_WrongOptions_AllAreReported(t *testing.T) {
	t.Parallel()
	_, err := dedup.New(dedup.Options{
		Scope: "sink", OnStoreFailure: "ajar", Window: -1,
		Rules: []dedup.Rule{{Fields: []string{"a"}}, {Match: always}, {Match: always, Fields: []string{"a..b"}}, {Match: always, Fields: []string{"/a~2"}}},
	})
	for _, want := range []string{`scope is "sink"`, `store failure is "ajar"`, "negative", "rules[0]", "rules[1]", `"a..b"`, `"/a~2"`} {
		if err == nil || !contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}
