package chaos_test

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/tests/chaos"
)

// A disk that is full under the embedded AWS: what could not be written is not acknowledged, and what was acknowledged is delivered
// when there is room again, after a restart where one is needed.
func TestFillDisk_NothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	for name, fullness := range map[string]chaos.Fullness{"nearly full": chaos.NearlyFull, "no space": chaos.NoSpace} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := chaos.Plan{Seed: 1, Load: 4 * time.Second, Dedup: chaos.Dedup{Scope: "pack", OnStoreFailure: "open"}}
			report, err := chaos.FillDisk(t.Context(), chaos.Options{Plan: plan, Dist: distOf(t, plan), Dir: t.TempDir()}, fullness)
			if err != nil {
				t.Fatalf("%v (make build makes the binaries)", err)
			}
			t.Logf("%d events, %d posts refused while the disk was full, %d accepted, duplicates %v",
				report.Events, report.Refused, report.Accepted, report.Verdict.Duplicates)
			if report.Refused == 0 || report.Accepted > 0 {
				t.Errorf("%d posts refused and %d accepted while the disk was full, want some and none", report.Refused, report.Accepted)
			}
			if !report.Verdict.Good() {
				t.Errorf("problems %q", report.Verdict.Problems)
			}
		})
	}
}
