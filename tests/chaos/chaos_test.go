package chaos_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/tests/chaos"
	"github.com/millrace-dev/millrace/tests/devtest"
)

var (
	seed    = flag.Uint64("seed", 0, "run this seed only")
	seeds   = flag.Uint64("seeds", 8, "run the fixed seeds from 1 to this")
	load    = flag.Duration("load", 3*time.Second, "how long clients post and faults strike in each run")
	walk    = flag.Duration("walk", 0, "how long to try seeds at random")
	dist    = flag.String("dist", "", "where the built functions are; default: dist of this repository")
	mutants = flag.Bool("mutants", false, "look for the planted bugs, too")
)

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// The real binaries amid faults: nothing is lost, duplicates stay within the bound, the books balance and every dead
// letter can be replayed to delivery.
func TestRun_FixedSeeds(t *testing.T) {
	t.Parallel()
	from, to := uint64(1), *seeds
	if *seed != 0 {
		from, to = *seed, *seed
	}
	for s := from; s <= to; s++ {
		t.Run(fmt.Sprint("seed ", s), func(t *testing.T) {
			t.Parallel()
			report := run(t, chaos.Options{Plan: chaos.NewPlan(s, *load), Dist: built(t)})
			t.Log(report)
			if !report.Good() {
				t.Errorf("repeat it with: go test ./tests/chaos -seed %d -load %s\n%s", s, *load, report.Details())
			}
		})
	}
}

// built is the directory with the functions.
func built(t *testing.T) string {
	t.Helper()
	if *dist != "" {
		return *dist
	}
	return filepath.Join(devtest.Root(t), "dist")
}

// run runs a plan in a directory of its own. A test that failed gets to see the end of the flush's log.
func run(t *testing.T, o chaos.Options) *chaos.Report {
	t.Helper()
	o.Dir = t.TempDir()
	report, err := chaos.Run(t.Context(), o)
	if err != nil || (!report.Good() && !*mutants) {
		log, _ := os.ReadFile(filepath.Join(o.Dir, "flush.log"))
		t.Logf("the end of the flush's log:\n%s", log[max(0, len(log)-8<<10):])
	}
	if err != nil {
		t.Fatalf("seed %d: %v (make build makes the binaries)", o.Plan.Seed, err)
	}
	return report
}
