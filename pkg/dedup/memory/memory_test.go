package memory_test

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/dedup/storetest"
)

func open(_ *testing.T, now func() time.Time) dedup.Store { return memory.New(now) }

func TestStore_Contract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, open)
}

func TestStore_Notes(t *testing.T) {
	t.Parallel()
	storetest.RunNotes(t, open)
}

func TestStore_AnyHistory_IsAsInTheModel(t *testing.T) {
	t.Parallel()
	storetest.RunModel(t, open)
}

// What is over is removed, so that memory follows the traffic of a window and not of all time.
func TestStore_ManyKeys_ForgetsThoseThatAreOver(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock()
	store := memory.New(clock.Now)
	for range 200 {
		if _, err := store.Claim(t.Context(), storetest.Ticket(), storetest.Claims(100)); err != nil {
			t.Fatal(err)
		}
		clock.Turn(storetest.Lease)
	}
	if n := store.Len(); n > 2000 {
		t.Errorf("%d keys are kept, of which 100 are claimed", n)
	}
}
