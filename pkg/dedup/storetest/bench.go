package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
)

// Bench measures a claim of n new keys and the settlement that commits them: 1 is a flush of one pack, 40 one of
// 2,000 events in packs of 50, 2,000 the same with scope event.
func Bench(b *testing.B, store dedup.Store) {
	b.Helper()
	for _, n := range []int{1, 40, 2000} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			committed := make([]bool, n)
			for i := range committed {
				committed[i] = true
			}
			b.ReportAllocs()
			for b.Loop() {
				claims, ticket := Claims(n), dedup.NewTicket(time.Minute, time.Hour)
				if _, err := store.Claim(b.Context(), ticket, claims); err != nil {
					b.Fatal(err)
				}
				s := dedup.Settlement{Claims: claims, Committed: committed, Rest: dedup.Release}
				if err := store.Settle(b.Context(), ticket, s); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/key")
		})
	}
}
