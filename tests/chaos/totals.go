package chaos

import (
	"fmt"
	"sync"
)

// Totals add up runs. The zero value is ready; it is safe for concurrent use.
type Totals struct {
	mu                                        sync.Mutex
	runs, bad, events, posts, kills, faults   int
	lost, duplicates, altered, invented, left int
}

// Add counts a run.
func (t *Totals) Add(r *Report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs++
	if !r.Good() {
		t.bad++
	}
	t.events += r.Events
	t.posts += r.Posts
	t.kills += r.Kills()
	t.faults += r.Struck()
	t.lost += r.Verdict.Lost
	t.duplicates += r.Duplicates()
	t.altered += r.Verdict.Altered
	t.invented += r.Verdict.Invented
	t.left += r.Verdict.Left
}

// String is one line.
func (t *Totals) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%d runs (%d bad): %d events in %d posts, %d faults, %d kills, lost %d, duplicates %d, altered %d, invented %d, left %d",
		t.runs, t.bad, t.events, t.posts, t.faults, t.kills, t.lost, t.duplicates, t.altered, t.invented, t.left)
}
