package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Notes is a store that also carries small texts for all environments, such as the state of a breaker.
type Notes interface {
	WriteNote(ctx context.Context, name string, text []byte, keep time.Duration) error
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
	read(nil)
	write("a", "open", time.Minute)
	write("b", "", time.Hour)
	read(map[string][]byte{"a": []byte("open"), "b": {}})
	write("a", "half-open", time.Minute)
	read(map[string][]byte{"a": []byte("half-open"), "b": {}})
	clock.Turn(time.Minute)
	read(map[string][]byte{"b": {}})
	if got, err := store.ReadNotes(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("ReadNotes of nothing: %v, %v", got, err)
	}
}
