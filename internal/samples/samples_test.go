package samples_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/samples"
)

func TestSamples_AreJSONWithUniqueIDs(t *testing.T) {
	t.Parallel()
	makers := map[string]func(int, time.Time) (samples.Event, error){"id": samples.Generic, "uuid": samples.PostHog}
	for member, sample := range makers {
		t.Run(member, func(t *testing.T) {
			t.Parallel()
			seen := map[string]bool{}
			for n := range 1000 {
				e, err := sample(n, time.Unix(1_780_000_000, 0))
				if err != nil {
					t.Fatal(err)
				}
				var object map[string]any
				if err := json.Unmarshal(e.JSON, &object); err != nil {
					t.Fatalf("sample %d: %v in %s", n, err, e.JSON)
				}
				if object[member] != e.ID || seen[e.ID] {
					t.Fatalf("sample %d: %s = %v, want the new id %s", n, member, object[member], e.ID)
				}
				seen[e.ID] = true
			}
		})
	}
}
