package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/tests/chaos"
)

// walkers run side by side: a run waits more than it works.
const walkers = 8

// Seeds that nobody chose, one after another, for as long as -walk says.
func TestRun_RandomWalk(t *testing.T) {
	if *walk == 0 {
		t.Skip("make chaos SECONDS=60") //nolint:forbidigo // runs as long as it is told, and is told nothing
	}
	first := *seed
	if first == 0 {
		first = rand.Uint64N(1_000_000_000) //nolint:gosec // a seed is no secret
	}
	fmt.Printf("chaos: walking for %s from seed %d, %s of load each\n", *walk, first, *load)
	withClocks(t) // now, and from the same source as all of it
	end := time.Now().Add(*walk)
	var (
		group  sync.WaitGroup
		next   atomic.Uint64
		totals chaos.Totals
	)
	for range walkers {
		group.Go(func() {
			for time.Now().Before(end) {
				plan := chaos.NewPlan(first+next.Add(1)-1, *load)
				o := chaos.Options{Plan: plan, Dist: distOf(t, plan), Dir: t.TempDir()}
				report, err := chaos.Run(t.Context(), o)
				if err != nil {
					t.Errorf("seed %d: %v", plan.Seed, err)
					continue
				}
				totals.Add(report)
				fmt.Println(report)
				if !report.Good() {
					keepLogs(t, plan.Seed, o.Dir)
					t.Errorf("repeat it with: go test ./tests/chaos -seed %d -load %s\n%s", plan.Seed, *load, report.Details())
				}
			}
		})
	}
	group.Wait()
	fmt.Printf("chaos: %v\n", &totals)
}
