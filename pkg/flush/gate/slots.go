package gate

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
)

// slots bounds the attempts at once by a limit that grows by one for each limit's worth
// of good answers and halves when the sink throttles or slows down (AIMD, as TCP does).
type slots struct {
	mu      sync.Mutex
	most    float64
	limit   float64
	used    int
	waiting []chan struct{} // in order of arrival
	usual   time.Duration   // smoothed latency of good answers; 0 before the first
	halved  time.Time       // when the limit was last halved
}

func newSlots(most int) *slots { return &slots{most: float64(most), limit: float64(most)} }

// acquire takes a slot, or returns why ctx ended first.
func (s *slots) acquire(ctx context.Context) error {
	s.mu.Lock()
	if ctx.Err() != nil {
		s.mu.Unlock()
		return context.Cause(ctx)
	}
	if s.used < int(s.limit) && len(s.waiting) == 0 {
		s.used++
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	s.waiting = append(s.waiting, turn)
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		return s.leave(ctx, turn)
	}
}

// leave gives up waiting; a slot that was handed over meanwhile is passed on.
func (s *slots) leave(ctx context.Context, turn chan struct{}) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, turn); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	} else {
		s.used--
		s.wake()
	}
	return context.Cause(ctx)
}

// release gives a slot back and lets the limit learn from the attempt.
func (s *slots) release(class retry.Class, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	s.learn(class, took)
	s.wake()
}

func (s *slots) wake() {
	for len(s.waiting) > 0 && s.used < int(s.limit) {
		close(s.waiting[0])
		s.waiting = s.waiting[1:]
		s.used++
	}
}

// slow is by how much an answer must exceed the usual latency to count as slowing down.
// Below a floor nothing does: jitter of a fast sink is no sign of trouble.
const (
	slow      = 3
	slowFloor = 100 * time.Millisecond
)

func (s *slots) learn(class retry.Class, took time.Duration) {
	switch {
	case class == retry.Cancelled:
		return
	case class == retry.Throttled, class == "" && s.usual > 0 && took > max(slow*s.usual, slowFloor):
		// The attempts that were under way together say the same thing: halve once.
		if now := time.Now(); now.Sub(s.halved) > took {
			s.limit, s.halved = halve(s.limit), now
		}
	case class == "":
		s.limit = grow(s.limit, s.most)
	}
	if class == "" {
		s.usual = smooth(s.usual, took)
	}
}

func halve(limit float64) float64 { return math.Max(1, limit/2) }

func grow(limit, most float64) float64 { return math.Min(most, limit+1/limit) }

// smooth is an exponential moving average that needs about ten answers to follow.
func smooth(usual, took time.Duration) time.Duration {
	if usual == 0 {
		return took
	}
	return usual + (took-usual)/10 //nolint:mnd // ten answers
}
