package sqs

import (
	"container/heap"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestRanking_Head_AlwaysTheFirst compares a ranking with a scan over random pushes, removals and changes.
func TestRanking_Head_AlwaysTheFirst(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var ranked ranking[*record]
		var all []*record
		due := rapid.Int64Range(0, 20)
		for step := range rapid.IntRange(1, 100).Draw(t, "steps") {
			switch verb := rapid.IntRange(0, 3).Draw(t, "verb"); {
			case verb < 2 || len(all) == 0:
				r := &record{progress: progress{Number: uint64(step)}, due: due.Draw(t, "due")}
				heap.Push(&ranked, r)
				all = append(all, r)
			case verb == 2:
				r := rapid.SampledFrom(all).Draw(t, "changed")
				r.due = due.Draw(t, "due")
				heap.Fix(&ranked, int(r.heapPlace))
			default:
				at := rapid.IntRange(0, len(all)-1).Draw(t, "removed")
				heap.Remove(&ranked, int(all[at].heapPlace))
				all = slices.Delete(all, at, at+1)
			}
			if len(ranked) != len(all) {
				t.Fatalf("%d items, want %d", len(ranked), len(all))
			}
			for _, r := range all {
				if r.before(ranked[0]) {
					t.Fatalf("the head is due at %d, and there is one at %d", ranked[0].due, r.due)
				}
			}
		}
	})
}
