package batch_test

import (
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
)

func TestGroup_Property_EveryEventOnceWithinTheLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(genEvent(), 0, 60).Draw(t, "events")
		limits := batch.Limits{
			MaxEvents: rapid.IntRange(0, 10).Draw(t, "max events"),
			MaxBytes:  rapid.IntRange(0, 1000).Draw(t, "max bytes"),
		}
		var seen []int
		for _, b := range batch.Group(events, limits) {
			checkBatch(t, events, b, limits)
			seen = append(seen, b.Positions...)
		}
		slices.Sort(seen)
		for i, at := range seen {
			if i != at {
				t.Fatalf("positions are %v, want each of 0 to %d once", seen, len(events)-1)
			}
		}
		if len(seen) != len(events) {
			t.Fatalf("batches hold %d events, want %d", len(seen), len(events))
		}
	})
}

func checkBatch(t *rapid.T, events []event.Event, b batch.Batch, limits batch.Limits) {
	bytes := 0
	for i := range b.Events {
		bytes += len(b.Events[i].Data)
		if b.Events[i].GroupKey() != b.Group {
			t.Fatalf("event of group %v in a batch of group %v", b.Events[i].GroupKey(), b.Group)
		}
		if b.Events[i].ID != events[b.Positions[i]].ID {
			t.Fatalf("event %d is not the one at its position", i)
		}
	}
	if limits.MaxEvents > 0 && len(b.Events) > limits.MaxEvents {
		t.Fatalf("%d events, the limit is %d", len(b.Events), limits.MaxEvents)
	}
	if limits.MaxBytes > 0 && bytes > limits.MaxBytes && len(b.Events) > 1 {
		t.Fatalf("%d bytes in %d events, the limit is %d", bytes, len(b.Events), limits.MaxBytes)
	}
	if !slices.IsSorted(b.Positions) {
		t.Fatalf("order is not kept: %v", b.Positions)
	}
}

func TestRowC1_Batch_OneKindAndASingleLargeItemAlone(t *testing.T) {
	t.Parallel()
	events := []event.Event{
		{ID: "1", Kind: "events", Data: make([]byte, 10)},
		{ID: "2", Kind: "tool_spans", Data: make([]byte, 10)},
		{ID: "3", Kind: "events", Data: make([]byte, 1000)},
		{ID: "4", Kind: "events", Data: make([]byte, 10)},
	}
	var got [][]string
	for _, b := range batch.Group(events, batch.Limits{MaxEvents: 500, MaxBytes: 100}) {
		ids := []string{}
		for i := range b.Events {
			ids = append(ids, b.Events[i].ID)
		}
		got = append(got, ids)
	}
	want := [][]string{{"1"}, {"2"}, {"3"}, {"4"}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("batches are %v, want %v", got, want)
	}
}

func TestRowB2_Group_HistoricalTravelsApart(t *testing.T) {
	t.Parallel()
	events := []event.Event{
		{ID: "live", Kind: "event"}, {ID: "old", Kind: "event", Group: `{"historical_migration":true}`}, {ID: "live2", Kind: "event"},
	}
	batches := batch.Group(events, batch.Limits{MaxEvents: 500})
	if len(batches) != 2 || len(batches[0].Events) != 2 || batches[1].Events[0].ID != "old" {
		t.Errorf("historical events share a batch with live ones: %+v", batches)
	}
}

func TestBatch_Halves_CoverTheWhole(t *testing.T) {
	t.Parallel()
	b := batch.Group(checkouts(5), batch.Limits{})[0]
	one, two, ok := b.Halves()
	if !ok || !slices.Equal(append(slices.Clone(one.Positions), two.Positions...), b.Positions) {
		t.Errorf("halves %v and %v are not the whole %v", one.Positions, two.Positions, b.Positions)
	}
	single := batch.Group(checkouts(1), batch.Limits{})[0]
	if _, _, ok := single.Halves(); ok {
		t.Error("a batch of one was halved")
	}
}

func TestBatch_Only_KeepsPositions(t *testing.T) {
	t.Parallel()
	b := batch.Group(checkouts(5), batch.Limits{})[0]
	part := b.Only([]int{1, 4})
	if !slices.Equal(part.Positions, []int{1, 4}) || part.Events[1].ID != b.Events[4].ID || part.Group != b.Group {
		t.Errorf("Only([1 4]) = %+v", part)
	}
}

func TestRowC2_IdempotencyKey_IsAUUIDAndStableOverRetries(t *testing.T) {
	t.Parallel()
	b := batch.Group(checkouts(3), batch.Limits{})[0]
	key := b.IdempotencyKey("warehouse")
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(key) {
		t.Errorf("%q is not a UUID of version 8", key)
	}
	if again := b.IdempotencyKey("warehouse"); again != key {
		t.Errorf("the same batch has keys %s and %s", key, again)
	}
	if other := b.IdempotencyKey("archive"); other == key {
		t.Errorf("two sinks share the key %s", key)
	}
	part := b.Only([]int{0, 1})
	if other := part.IdempotencyKey("warehouse"); other == key {
		t.Errorf("a part of the batch shares its key %s", key)
	}
}
