package chaos_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/tests/chaos"
	"github.com/millrace-dev/millrace/tests/devtest"
	"path/filepath"
)

var (
	seed    = flag.Uint64("seed", 0, "run this seed only")
	seconds = flag.Int("seconds", 3, "length of the load of each run")
	seeds   = flag.Int("seeds", 6, "how many of the fixed seeds to run, from 1")
)

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

func run(t *testing.T, seed uint64) {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "flush.log"))
			t.Logf("end of the flush's log:\n%s", log[max(0, len(log)-4000):])
		}
	})
	report, err := chaos.Run(t.Context(), chaos.Options{
		Plan: chaos.NewPlan(seed, time.Duration(*seconds)*time.Second),
		Dist: filepath.Join(devtest.Root(t), "dist"), Dir: dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(report)
	if !report.Good() {
		t.Errorf("repeat it with -seed %d\n%s", seed, report.Details())
	}
}

func TestSeeds(t *testing.T) {
	t.Parallel()
	if *seed != 0 {
		run(t, *seed)
		return
	}
	for s := range *seeds {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			run(t, uint64(s+1))
		})
	}
}
