package sqs

import (
	"fmt"
	"testing"
	"time"
)

// fairQueue is a queue under a test's hands, with a clock that stands.
type fairQueue struct {
	*queue
	now time.Time
}

func newFairQueue(t *testing.T) fairQueue {
	t.Helper()
	s := New(Options{})
	t.Cleanup(s.Close)
	return fairQueue{s.newQueue("q", time.Now()), time.Now()}
}

func (q fairQueue) send(groups ...string) {
	for _, group := range groups {
		q.put(q.now, &record{payload: payload{GroupID: group, Sent: q.now.UnixNano()}}, 0)
	}
}

// serve receives and deletes one message and returns its group.
func (q fairQueue) serve(t *testing.T) string {
	t.Helper()
	taken := q.take(q.now, 1, time.Hour)
	if len(taken) != 1 {
		t.Fatalf("received %d messages, want 1", len(taken))
	}
	q.remove(taken[0].handle)
	return taken[0].GroupID
}

func TestFairShare_BusyTenants_ShareEvenlyForEver(t *testing.T) {
	t.Parallel()
	q := newFairQueue(t)
	groups := []string{"a", "b", "c"}
	q.send(groups...)
	q.send(groups...)
	const each = 100_000
	served := map[string]int{}
	for range len(groups) * each {
		group := q.serve(t)
		served[group]++
		q.send(group)
	}
	for _, group := range groups {
		if off := served[group] - each; off < -10 || off > 10 {
			t.Errorf("served %v, want about %d each", served, each)
		}
	}
}

// TestFairShare_Newcomers_StarveNobody sends a message of a new tenant for every pick, more than can be served beside the
// backlog of one that had all picks until then.
func TestFairShare_Newcomers_StarveNobody(t *testing.T) {
	t.Parallel()
	q := newFairQueue(t)
	for range 20_000 {
		q.send("old")
	}
	for range 10_000 {
		q.serve(t)
	}
	last, longest := 0, 0
	for pick := range 20_000 {
		q.send(fmt.Sprint("new ", pick))
		if q.serve(t) == "old" {
			longest = max(longest, pick-last)
			last = pick
		}
	}
	if bound := 10 * halfLife; last == 0 || longest > bound || 20_000-last > bound {
		t.Errorf("the old tenant waited for %d picks, and was served last at pick %d of 20000; want a wait of at most %d", longest, last, bound)
	}
}

// TestFairShare_OneMessageEach_InOrder has more tenants than picks so far: they are served as they came.
func TestFairShare_OneMessageEach_InOrder(t *testing.T) {
	t.Parallel()
	q := newFairQueue(t)
	const tenants = 1000
	for i := range tenants {
		q.send(fmt.Sprint(i))
	}
	for i := range tenants {
		if got, want := q.serve(t), fmt.Sprint(i); got != want {
			t.Fatalf("pick %d is of tenant %s, want %s", i, got, want)
		}
	}
}

// TestFairShare_SlowTenant_GetsFewerPicks has two busy tenants, of which one leaves what it gets in flight.
func TestFairShare_SlowTenant_GetsFewerPicks(t *testing.T) {
	t.Parallel()
	q := newFairQueue(t)
	for range 2000 {
		q.send("slow", "fast")
	}
	served := map[string]int{}
	for range 1000 {
		taken := q.take(q.now, 1, time.Hour)[0]
		served[taken.GroupID]++
		if taken.GroupID == "fast" {
			q.remove(taken.handle)
		}
	}
	if slow := served["slow"]; slow < 50 || slow > 250 {
		t.Errorf("served %v, want the slow tenant to get a share, and the smaller one", served)
	}
}
