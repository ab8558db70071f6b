package gate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/retry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func says(class retry.Class) func() Verdict {
	return func() Verdict { return Verdict{Class: class, Cause: "because " + string(class)} }
}

// try makes one attempt and reports whether it was made.
func try(t *testing.T, g *Gate, class retry.Class) (made bool, shut *ShutError) {
	t.Helper()
	err := g.Attempt(t.Context(), 1, 0, func() Verdict { made = true; return says(class)() })
	if err != nil && !errors.As(err, &shut) {
		t.Fatalf("Attempt: %v", err)
	}
	return made, shut
}

func TestGate_Breaker_Transitions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		attempts []retry.Class
		want     State
	}{
		{"good answers keep it closed", []retry.Class{"", "", ""}, "closed"},
		{"fewer failures than the threshold keep it closed", []retry.Class{retry.Transient, retry.Transient}, "closed"},
		{"failures in a row open it", []retry.Class{retry.Transient, retry.Throttled, retry.Transient}, "open"},
		{"a good answer starts the count again", []retry.Class{retry.Transient, retry.Transient, "", retry.Transient}, "closed"},
		{"one setup failure opens it", []retry.Class{"", retry.Setup}, "open"},
		{"rejected events are no failure of the sink", slices.Repeat([]retry.Class{retry.Permanent, retry.TooLarge}, 9), "closed"},
		{"cancelled attempts say nothing", slices.Repeat([]retry.Class{retry.Cancelled}, 9), "closed"},
		{"cancelled attempts do not start the count again", []retry.Class{retry.Transient, retry.Transient, retry.Cancelled, retry.Transient}, "open"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := New(Options{FailuresToOpen: 3})
			for _, class := range tt.attempts {
				try(t, g, class)
			}
			if got, _ := g.State(); got != tt.want {
				t.Errorf("state is %s, want %s", got, tt.want)
			}
		})
	}
}

func TestGate_Open_RefusesUntilAProbeSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var changes []State
		g := New(Options{FailuresToOpen: 1, OpenFor: time.Minute, OnChange: func(_, to State) { changes = append(changes, to) }})
		try(t, g, retry.Transient)
		time.Sleep(20 * time.Second)
		made, shut := try(t, g, "")
		if made || shut == nil || shut.After != 40*time.Second || shut.Class != retry.Transient {
			t.Fatalf("attempt made %v, refused with %+v; want 40s to go", made, shut)
		}
		time.Sleep(41 * time.Second)
		if made, _ := try(t, g, retry.Transient); !made {
			t.Fatal("no probe was made when the pause was over")
		}
		if made, _ := try(t, g, ""); made {
			t.Fatal("a failed probe did not open the breaker again")
		}
		time.Sleep(61 * time.Second)
		try(t, g, "")
		if made, _ := try(t, g, ""); !made {
			t.Error("a good probe did not close the breaker")
		}
		if want := []State{"open", "half-open", "open", "half-open", "closed"}; !slices.Equal(changes, want) {
			t.Errorf("states %v, want %v", changes, want)
		}
	})
}

func TestGate_HalfOpen_LetsOneProbeThrough(t *testing.T) {
	t.Parallel()
	for openFor, want := range map[time.Duration]time.Duration{
		time.Minute: 6 * time.Second, 15 * time.Minute: 10 * time.Second, // as long as others leave a probe alone
	} {
		synctest.Test(t, func(t *testing.T) {
			g := New(Options{FailuresToOpen: 1, OpenFor: openFor})
			try(t, g, retry.Transient)
			time.Sleep(openFor)
			release := make(chan struct{})
			go func() {
				_ = g.Attempt(context.Background(), 1, 0, func() Verdict { <-release; return Verdict{} })
			}()
			synctest.Wait()
			made, shut := try(t, g, "")
			if made || shut == nil || shut.After != want {
				t.Errorf("a second probe, open for %v: made %v, refused %+v, want a wait of %v", openFor, made, shut, want)
			}
			close(release)
		})
	}
}

func TestGate_Concurrency_HalvesOnThrottleAndGrowsBack(t *testing.T) {
	t.Parallel()
	s := newSlots(8)
	s.learn(retry.Throttled, 0)
	if s.limit != 4 {
		t.Fatalf("after a throttle the limit is %v, want 4", s.limit)
	}
	answers := 0
	for ; s.limit < 8; answers++ {
		s.learn("", time.Millisecond)
	}
	if answers < 20 || answers > 40 {
		t.Errorf("the limit took %d good answers to grow from 4 to 8, want one for each slot and step (about 26)", answers)
	}
}

func TestGate_Concurrency_HalvesOncePerRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(*testing.T) {
		s := newSlots(16)
		for range 8 {
			s.learn(retry.Throttled, time.Second)
		}
		if s.limit != 8 {
			t.Errorf("eight throttles of one round cut the limit to %v, want 8", s.limit)
		}
		time.Sleep(2 * time.Second)
		s.learn(retry.Throttled, time.Second)
		if s.limit != 4 {
			t.Errorf("a throttle of the next round cut the limit to %v, want 4", s.limit)
		}
	})
}

func TestGate_Concurrency_HalvesOnRisingLatency(t *testing.T) {
	t.Parallel()
	s := newSlots(8)
	for range 20 {
		s.learn("", 50*time.Millisecond)
	}
	s.learn("", 90*time.Millisecond)
	if s.limit != 8 {
		t.Errorf("an answer below the floor cut the limit to %v", s.limit)
	}
	s.learn("", time.Second)
	if s.limit != 4 {
		t.Errorf("an answer of twenty times the usual latency left the limit at %v", s.limit)
	}
}

func TestSlots_Property_LimitStaysBetweenOneAndMost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 64).Draw(t, "most")
		s := newSlots(most)
		for range rapid.IntRange(0, 200).Draw(t, "answers") {
			class := rapid.SampledFrom([]retry.Class{"", retry.Throttled, retry.Transient, retry.Cancelled}).Draw(t, "class")
			s.learn(class, time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "took")))
			if s.limit < 1 || s.limit > float64(most) {
				t.Fatalf("limit %v, want 1 to %d", s.limit, most)
			}
		}
	})
}

func TestSlots_Acquire_NeverMoreThanTheLimitAndInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2)
		var mu sync.Mutex
		running, most := 0, 0
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := s.acquire(t.Context()); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				running--
				mu.Unlock()
				s.release("", time.Second)
			})
		}
		wg.Wait()
		if most != 2 || s.used != 0 {
			t.Errorf("%d ran at once, %d slots are still used; want 2 and 0", most, s.used)
		}
	})
}

func TestSlots_Acquire_CancelledWaiterGivesUpItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		if err := s.acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		stopped := errors.New("stopped")
		var got error
		go func() { got = s.acquire(ctx) }()
		synctest.Wait()
		cancel(stopped)
		synctest.Wait()
		if !errors.Is(got, stopped) || len(s.waiting) != 0 {
			t.Errorf("the waiter got %v and %d wait, want %v and none", got, len(s.waiting), stopped)
		}
		s.release("", 0)
		if err := s.acquire(t.Context()); err != nil || s.used != 1 {
			t.Errorf("the slot is lost: %v, %d used", err, s.used)
		}
	})
}

func TestGate_Rate_WaitsShortAndRefusesLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(Options{EventsPerSecond: 100, BurstEvents: 100})
		start := time.Now()
		for range 3 {
			if err := g.Attempt(t.Context(), 100, 5*time.Second, says("")); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(start); got != 2*time.Second {
			t.Errorf("300 events took %v at 100 a second with a burst of 100, want 2s", got)
		}
		var shut *ShutError
		if err := g.Attempt(t.Context(), 100, 500*time.Millisecond, says("")); !errors.As(err, &shut) || shut.After != time.Second {
			t.Errorf("got %v, want to be told of 1s", err)
		}
		if err := g.Attempt(t.Context(), 5000, time.Minute, says("")); err != nil {
			t.Errorf("a batch over the burst can never pass: %v", err)
		}
	})
}
