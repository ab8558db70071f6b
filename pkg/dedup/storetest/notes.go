package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Notes is a store that also carries small texts for all environments, such as the state of a breaker.
type Notes interface {
	WriteNote(ctx context.Context, name string, text []byte, keep time.Duration) error
	AddNote(ctx context.Context, name string, text []byte, keep time.Duration) (added bool, err error)
	ReadNotes(ctx context.Context, names ...string) (map[string][]byte, error)
}

// RunNotes checks the contract of notes; stores that claim have to keep both.
func RunNotes(t *testing.T, open Open) {
	t.Helper()
	clock := NewClock()
	store, ok := open(t, clock.Now).(Notes)
	if !ok {
		t.Fatal("the store carries no notes")
	}
	write := func(name, text string, keep time.Duration) {
		t.Helper()
		if err := store.WriteNote(t.Context(), name, []byte(text), keep); err != nil {
			t.Fatalf("WriteNote: %v", err)
		}
	}
	read := func(want map[string][]byte) {
		t.Helper()
		got, err := store.ReadNotes(t.Context(), "a", "b", "missing")
		if err != nil {
			t.Fatalf("ReadNotes: %v", err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
	}
	add := func(name, text string, keep time.Duration, want bool) {
		t.Helper()
		if added, err := store.AddNote(t.Context(), name, []byte(text), keep); err != nil || added != want {
			t.Errorf("AddNote of %q: %v, %v; want %v", text, added, err, want)
		}
	}
	read(nil)
	write("a", "open", time.Minute)
	write("b", "", time.Hour)
	read(map[string][]byte{"a": []byte("open"), "b": {}})
	write("a", "half-open", time.Minute)
	read(map[string][]byte{"a": []byte("half-open"), "b": {}})
	clock.Turn(time.Minute)
	read(map[string][]byte{"b": {}})
	add("a", "first", time.Minute, true)
	add("a", "second", time.Hour, false)
	add("b", "beside what was written", time.Minute, false)
	read(map[string][]byte{"a": []byte("first"), "b": {}})
	clock.Turn(time.Minute)
	add("a", "third", time.Minute, true)
	read(map[string][]byte{"a": []byte("third"), "b": {}})
	checkRace(t, store)
	if got, err := store.ReadNotes(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("ReadNotes of nothing: %v, %v", got, err)
	}
}

// checkRace: of many that add a note at once, one does.
func checkRace(t *testing.T, store Notes) {
	t.Helper()
	var added atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			ours, err := store.AddNote(t.Context(), "race", nil, time.Minute)
			if err != nil {
				t.Errorf("AddNote: %v", err)
			}
			if ours {
				added.Add(1)
			}
		})
	}
	wg.Wait()
	if n := added.Load(); n != 1 {
		t.Errorf("%d of 8 added the note, want 1", n)
	}
}
