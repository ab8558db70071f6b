package sqs

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestHeap_Min_AlwaysTheSmallest compares the heap with a scan over random pushes, removals and changes.
func TestHeap_Min_AlwaysTheSmallest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var h heap[*record]
		ranks := map[*record]rank{}
		var all []*record
		draw := rapid.Int64Range(0, 20)
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			switch verb := rapid.IntRange(0, 3).Draw(t, "verb"); {
			case verb < 2 || len(all) == 0:
				r := &record{number: uint64(len(all))}
				ranks[r] = rank{draw.Draw(t, "key"), draw.Draw(t, "tie")}
				h.push(r, ranks[r])
				all = append(all, r)
			case verb == 2:
				r := rapid.SampledFrom(all).Draw(t, "changed")
				ranks[r] = rank{draw.Draw(t, "key"), draw.Draw(t, "tie")}
				h.rerank(r, ranks[r])
			default:
				at := rapid.IntRange(0, len(all)-1).Draw(t, "removed")
				h.remove(all[at])
				delete(ranks, all[at])
				all = slices.Delete(all, at, at+1)
			}
			got, _, ok := h.min()
			if ok != (len(all) > 0) {
				t.Fatalf("min says %t with %d items", ok, len(all))
			}
			for _, r := range all {
				if ranks[r].before(ranks[got]) {
					t.Fatalf("min = %v, but there is %v", ranks[got], ranks[r])
				}
			}
		}
	})
}

// TestFairShare_Age_KeepsOrderWhenWeightsAreScaledDown serves two groups long enough for weights to be scaled down twice.
func TestFairShare_Age_KeepsOrderWhenWeightsAreScaledDown(t *testing.T) {
	t.Parallel()
	q := newQueue("q", "arn", 1, time.Unix(0, 0))
	now := time.Unix(1, 0)
	put := func(group string) {
		q.put(now, &record{payload: payload{GroupID: group, Sent: now.UnixNano()}}, 0)
	}
	for range 2 {
		put("a")
		put("b")
	}
	served := map[string]int{}
	for range 2 * (maxWeightBits + 1) * halfLifePicks {
		taken, _ := q.take(now, 1, time.Hour, 0)
		served[taken[0].GroupID]++
		q.remove(taken[0].handle)
		put(taken[0].GroupID)
	}
	if difference := served["a"] - served["b"]; difference < -10 || difference > 10 {
		t.Errorf("served %v, want both alike", served)
	}
	if q.fair.weight >= 1<<maxWeightBits || q.fair.groups["a"].service >= 1<<serviceBits {
		t.Errorf("weight %d and service %d outgrow their bits", q.fair.weight, q.fair.groups["a"].service)
	}
}

// FuzzParseHandle wants every text that is taken to be exactly what its handle encodes to.
func FuzzParseHandle(f *testing.F) {
	f.Add(uint64(7), handle{Queue: 7, Number: 3, Received: 2}.String())
	f.Add(uint64(8), handle{Queue: 7, Number: 3, Received: 2}.String())
	f.Add(uint64(0), "garbage")
	f.Fuzz(func(t *testing.T, queue uint64, text string) {
		h, err := parseHandle(queue, text)
		if err == nil && (h.String() != text || h.Queue != queue) {
			t.Errorf("parseHandle(%d, %q) = %+v, which is %q", queue, text, h, h)
		}
	})
}
