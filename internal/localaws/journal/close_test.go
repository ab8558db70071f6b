package journal_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// A timer of the owner may end a change, an empty one as a rule, while the journal is being closed.
func TestJournal_Close_WhileTheOwnerSubmits(t *testing.T) {
	t.Parallel()
	for range 20 {
		j, err := journal.Open(journal.Options{Dir: t.TempDir(), Version: 1})
		if err != nil {
			t.Fatal(err)
		}
		var owner sync.WaitGroup
		owner.Go(func() {
			for range 100 {
				if err := j.Submit().Wait(); err != nil && !errors.Is(err, journal.ErrStopped) {
					t.Errorf("submit: %v", err)
				}
			}
		})
		if err := j.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		owner.Wait()
	}
}
