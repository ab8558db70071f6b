package storetest

import (
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/dedup"
)

// Open returns a store that reads the time from now. It may share its table with other tests: the
// suite never uses a key twice.
type Open func(t *testing.T, now func() time.Time) dedup.Store

// Terms of the suite's tickets.
const (
	Lease  = time.Minute
	Window = time.Hour
)

// Clock is a clock that stands still until it is set. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows the present, in whole seconds.
func NewClock() *Clock { return &Clock{now: time.Now().Truncate(time.Second)} }

// Now is what it shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Turn sets it forward, or back when d is negative.
func (c *Clock) Turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Run checks the contract, example by example. RunModel checks it for any history.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*setup){
		"NewKey_IsClaimed":                           newKeyIsClaimed,
		"Claimed_IsInProgressUntilItsLeaseIsOver":    leaseEnds,
		"Committed_IsCommittedUntilItsWindowIsOver":  windowEnds,
		"Settle_AfterTheLease_CountsUnlessTakenOver": lateSettle,
		"Settle_FormerHolder_ChangesNothing":         formerHolder,
		"Settle_Stranger_ChangesNothing":             stranger,
		"Release_FreesAtOnce":                        releaseFrees,
		"Hold_CommitsAStepAtATime":                   holdSteps,
		"Settle_Again_ChangesNothing":                settleAgain,
		"Content_FirstWins":                          contentFirstWins,
		"Claim_ManyKeys_AnswersInOrder":              manyKeys,
		"Claim_Nothing_IsNoError":                    nothing,
		"Claim_Concurrently_OneWins":                 concurrently,
		"Clock_SetBack_KeepsWhatIsHeld":              setBack,
		"Clock_SetForward_LosesNothing":              setForward,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := NewClock()
			test(&setup{T: t, clock: clock, store: open(t, clock.Now)})
		})
	}
}

type setup struct {
	*testing.T
	clock *Clock
	store dedup.Store
}

// Ticket draws a ticket with the suite's terms.
func Ticket() dedup.Ticket { return dedup.NewTicket(Lease, Window) }

// Claims draws claims of n keys that were never used.
func Claims(n int) []dedup.Claim {
	claims := make([]dedup.Claim, n)
	for i := range claims {
		_, _ = rand.Read(claims[i].Key[:]) // never fails
		claims[i].Content = uint64(1 + i)
	}
	return claims
}

// claim claims and compares the answers.
func (s *setup) claim(t dedup.Ticket, claims []dedup.Claim, want ...dedup.Answer) {
	s.Helper()
	got, err := s.store.Claim(s.Context(), t, claims)
	if err != nil {
		s.Fatalf("Claim: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.Fatalf("answers (-want +got):\n%s", diff)
	}
}

func (s *setup) settle(t dedup.Ticket, claims []dedup.Claim, rest dedup.Rest, committed ...bool) {
	s.Helper()
	if err := s.store.Settle(s.Context(), t, dedup.Settlement{Claims: claims, Committed: committed, Rest: rest}); err != nil {
		s.Fatalf("Settle: %v", err)
	}
}

func claimed() dedup.Answer { return dedup.Answer{State: dedup.Claimed} }

func committed(left time.Duration) dedup.Answer {
	return dedup.Answer{State: dedup.Committed, Left: left}
}

func inProgress(left time.Duration) dedup.Answer {
	return dedup.Answer{State: dedup.InProgress, Left: left}
}

func newKeyIsClaimed(s *setup) { s.claim(Ticket(), Claims(2), claimed(), claimed()) }

func leaseEnds(s *setup) {
	key := Claims(1)
	s.claim(Ticket(), key, claimed())
	s.claim(Ticket(), key, inProgress(Lease))
	s.clock.Turn(Lease - time.Second)
	s.claim(Ticket(), key, inProgress(time.Second))
	s.clock.Turn(time.Second)
	s.claim(Ticket(), key, claimed())
	s.claim(Ticket(), key, inProgress(Lease))
}

func windowEnds(s *setup) {
	key, ticket := Claims(1), Ticket()
	s.claim(ticket, key, claimed())
	s.clock.Turn(10 * time.Second)
	s.settle(ticket, key, dedup.Release, true)
	s.claim(Ticket(), key, committed(Window))
	s.clock.Turn(Window - time.Second)
	s.claim(Ticket(), key, committed(time.Second))
	s.clock.Turn(time.Second)
	s.claim(Ticket(), key, claimed())
	s.claim(Ticket(), key, inProgress(Lease))
}

func lateSettle(s *setup) {
	key, ticket := Claims(1), Ticket()
	s.claim(ticket, key, claimed())
	s.clock.Turn(2 * Lease)
	s.settle(ticket, key, dedup.Release, true)
	got, err := s.store.Claim(s.Context(), Ticket(), key)
	if err != nil || got[0].State != dedup.Committed {
		s.Fatalf("answer %v, %v, want committed", got, err)
	}
	s.clock.Turn(Window - Lease)
	s.claim(Ticket(), key, claimed())
}

func formerHolder(s *setup) {
	key, former, holder := Claims(1), Ticket(), Ticket()
	s.claim(former, key, claimed())
	s.clock.Turn(Lease)
	s.claim(holder, key, claimed())
	s.settle(former, key, dedup.Release, false)
	s.claim(Ticket(), key, inProgress(Lease))
	s.settle(former, key, dedup.Release, true)
	s.claim(Ticket(), key, inProgress(Lease))
	s.settle(holder, key, dedup.Release, true)
	s.claim(Ticket(), key, committed(Window))
}

func stranger(s *setup) {
	key, holder, other := Claims(1), Ticket(), Ticket()
	s.claim(holder, key, claimed())
	s.claim(other, key, inProgress(Lease))
	s.settle(other, key, dedup.Release, false)
	s.claim(Ticket(), key, inProgress(Lease))
	s.settle(holder, key, dedup.Release, true)
	s.settle(other, key, dedup.Release, false)
	s.claim(Ticket(), key, committed(Window))
}

func releaseFrees(s *setup) {
	keys, ticket := Claims(3), Ticket()
	s.claim(ticket, keys, claimed(), claimed(), claimed())
	s.settle(ticket, keys, dedup.Release, false, true, false)
	s.claim(Ticket(), keys, claimed(), committed(Window), claimed())
}

func holdSteps(s *setup) {
	keys, ticket := Claims(3), Ticket()
	s.claim(ticket, keys, claimed(), claimed(), claimed())
	s.settle(ticket, keys, dedup.Hold, false, true, false)
	s.claim(Ticket(), keys, inProgress(Lease), committed(Window), inProgress(Lease))
	s.settle(ticket, keys, dedup.Hold, true, true, false)
	s.claim(Ticket(), keys, committed(Window), committed(Window), inProgress(Lease))
	s.clock.Turn(Lease)
	s.claim(Ticket(), keys[2:], claimed())
}

func settleAgain(s *setup) {
	keys, ticket := Claims(2), Ticket()
	s.claim(ticket, keys, claimed(), claimed())
	for range 2 { // as when the reply to the first was lost
		s.settle(ticket, keys, dedup.Release, true, false)
	}
	s.claim(Ticket(), keys, committed(Window), claimed())
}

func contentFirstWins(s *setup) {
	keys, ticket := Claims(4), Ticket()
	keys[3].Content = 0
	s.claim(ticket, keys, claimed(), claimed(), claimed(), claimed())
	s.settle(ticket, keys, dedup.Release, true, true, true, true)
	again := append([]dedup.Claim(nil), keys...)
	again[1].Content = 1 << 63
	again[2].Content = 0
	again[3].Content = 1 << 63
	conflict := committed(Window)
	conflict.Conflict = true
	for range 2 {
		s.claim(Ticket(), again, committed(Window), conflict, committed(Window), committed(Window))
	}
}

// manyKeys are more than any batch of a store holds.
func manyKeys(s *setup) {
	const n = 230
	keys, ticket := Claims(n), Ticket()
	fresh := make([]dedup.Answer, n)
	later := make([]dedup.Answer, n)
	done := make([]bool, n)
	for i := range n {
		fresh[i], later[i], done[i] = claimed(), claimed(), i%3 == 0
		if done[i] {
			later[i] = committed(Window)
		}
	}
	s.claim(ticket, keys, fresh...)
	s.settle(ticket, keys, dedup.Release, done...)
	s.claim(Ticket(), keys, later...)
}

func nothing(s *setup) {
	answers, err := s.store.Claim(s.Context(), Ticket(), nil)
	if err != nil || len(answers) != 0 {
		s.Errorf("Claim of nothing: %v, %v", answers, err)
	}
}

func concurrently(s *setup) {
	const rivals, n = 8, 20
	keys := Claims(n)
	var wg sync.WaitGroup
	var mu sync.Mutex
	wins := make([]int, n)
	for range rivals {
		wg.Go(func() {
			answers, err := s.store.Claim(s.Context(), Ticket(), keys)
			if err != nil {
				s.Errorf("Claim: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for i, a := range answers {
				if a.State == dedup.Claimed {
					wins[i]++
				}
			}
		})
	}
	wg.Wait()
	for i, n := range wins {
		if n != 1 {
			s.Errorf("key %d was claimed by %d of %d rivals, want 1", i, n, rivals)
		}
	}
}

// setBack: a clock that goes back an hour frees nothing that is held, forgets nothing
// that is committed, and holds nobody up for longer than one lease at a time.
func setBack(s *setup) {
	keys, ticket := Claims(2), Ticket()
	s.claim(ticket, keys, claimed(), claimed())
	s.settle(ticket, keys, dedup.Hold, true, false)
	s.clock.Turn(-time.Hour)
	s.claim(Ticket(), keys, committed(Window), inProgress(Lease))
	s.settle(ticket, keys, dedup.Release, true, false)
	s.claim(Ticket(), keys[1:], claimed())
}

// setForward: early is the worst that a clock ahead can make of an end.
func setForward(s *setup) {
	keys, ticket, other := Claims(2), Ticket(), Ticket()
	s.claim(ticket, keys, claimed(), claimed())
	s.clock.Turn(time.Hour)
	s.claim(other, keys[1:], claimed())
	s.clock.Turn(-time.Hour)
	s.settle(ticket, keys, dedup.Release, true, true)
	s.claim(Ticket(), keys, committed(Window), inProgress(Lease))
}
