package chaos_test

import (
	"flag"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/tests/chaos"
)

var repeated = flag.Int("repeats", 5000, "how many events TestRepeat sends, 30 % of them again")

// Of many events 30 % are sent two to five times over two flushes that are killed: each sink gets each once, but for what a crash between
// the sink's reply and the settlement lets through.
func TestRepeat_DeliversOnceButForCrashes(t *testing.T) {
	t.Parallel()
	for _, scope := range []string{"pack", "event"} {
		t.Run(scope, func(t *testing.T) {
			t.Parallel()
			plan := chaos.Plan{Seed: 20, Dedup: chaos.Dedup{Scope: scope, OnStoreFailure: "closed"}}
			for _, sink := range []string{"one", "two"} { // some flushes last a while
				plan.Episodes = append(plan.Episodes, chaos.Episode{Fault: chaos.SinkSlow, For: time.Hour, Rate: 0.2, Sink: sink})
			}
			kills := max(2, *repeated/5000)
			report, err := chaos.Repeat(t.Context(), chaos.Repeats{
				Options: chaos.Options{Plan: plan, Dist: distOf(t, plan), Dir: t.TempDir(), Patience: 5 * time.Minute},
				Events:  *repeated, Kills: kills,
			})
			if err != nil {
				t.Fatalf("%v (make build makes the binaries)", err)
			}
			t.Log(report)
			if !report.Verdict.Good() {
				t.Errorf("problems %q", report.Verdict.Problems)
			}
			if report.Kills < kills || report.Deduped == 0 {
				t.Errorf("%d kills and %d deduped, want at least %d and some", report.Kills, report.Deduped, kills)
			}
		})
	}
}
