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
	logs    = flag.String("logs", "", "keep the functions' logs of runs that fail in this directory")
	mutants = flag.Bool("mutants", false, "look for the planted bugs, too")
)

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(clockDir)
		os.Exit(code)
	}))
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
			plan := chaos.NewPlan(s, *load)
			report := run(t, chaos.Options{Plan: plan, Dist: distOf(t, plan)})
			t.Log(report)
			if !report.Good() {
				t.Errorf("repeat it with: go test ./tests/chaos -seed %d -load %s\n%s", s, *load, report.Details())
			}
		})
	}
}

// keepLogs keeps what the functions of a failed run wrote.
func keepLogs(t *testing.T, seed uint64, dir string) {
	t.Helper()
	if *logs == "" {
		return
	}
	if err := os.CopyFS(filepath.Join(*logs, fmt.Sprint(seed, "-", time.Now().Unix())), os.DirFS(dir)); err != nil {
		t.Log(err)
	}
}

// distOf is the directory with the functions for a plan.
func distOf(t *testing.T, plan chaos.Plan) string {
	t.Helper()
	if plan.Has(chaos.ClockJump) {
		return withClocks(t)
	}
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
		keepLogs(t, o.Plan.Seed, o.Dir)
	}
	if err != nil {
		t.Fatalf("seed %d: %v (make build makes the binaries)", o.Plan.Seed, err)
	}
	return report
}
